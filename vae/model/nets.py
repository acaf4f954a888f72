"""Plain backbones, without any probability."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from vae.settings import Activation

__all__ = ["Planes", "down", "halved", "mlp", "to_pixels", "up"]

_ACTIVATIONS: dict[Activation, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh, "silu": nn.SiLU}
_KERNEL, _STRIDE, _PADDING = 4, 2, 1  # each output pixel sums 2 x 2 inputs, which avoids checkerboard artefacts


def mlp(inputs: int, layers: tuple[int, ...], activation: Activation) -> nn.Sequential:
    """Makes the hidden layers of a multilayer perceptron, each a linear map and an activation.

    Arguments:
        inputs: width of the input.
        layers: widths of the hidden layers; if empty, the result is the identity.
        activation: applied after each linear map.

    Returns:
        A module from (..., inputs) to (..., layers[-1]), or to (..., inputs) without layers.
    """
    maps = [nn.Sequential(nn.Linear(a, b), _ACTIVATIONS[activation]()) for a, b in pairwise((inputs, *layers))]
    return nn.Sequential(*maps)


class Planes(nn.Module):
    """Applies layers over planes to flat vectors: (..., H*W*C), row by row, the channels of a pixel adjacent.

    With this order nothing is copied at either end, because it is the layout that convolutions use
    (`torch.channels_last`).

    Arguments:
        shape: H, W, C of the input.
        layers: each from (N, C, H, W) to (N, C', H', W').
    """

    def __init__(self, shape: tuple[int, int, int], *layers: nn.Module) -> None:
        super().__init__()
        self.shape = shape
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Returns (..., H'*W'*C') for (..., H*W*C)."""
        planes = self.layers(x.reshape(-1, *self.shape).permute(0, 3, 1, 2))
        return planes.permute(0, 2, 3, 1).reshape(*x.shape[:-1], -1)


def halved(image: tuple[int, int, int], times: int) -> tuple[int, int]:
    """Returns the height and width of an image H, W, C after a number of halvings, rounded down."""
    return image[0] >> times, image[1] >> times


def down(image: tuple[int, int, int], channels: tuple[int, ...], activation: Activation) -> Planes:
    """Makes convolutions that each halve an image, with an activation after each.

    Arguments:
        image: H, W, C.
        channels: of each convolution, the first at H // 2 x W // 2.
        activation: applied after each convolution.

    Returns:
        A module from (..., H*W*C) to (..., h*w*channels[-1]), h and w after all halvings.
    """
    layers: list[nn.Module] = []
    for a, b in pairwise((image[2], *channels)):
        layers += [nn.Conv2d(a, b, _KERNEL, _STRIDE, _PADDING), _ACTIVATIONS[activation]()]
    return Planes(image, *layers)


def up(image: tuple[int, int, int], channels: tuple[int, ...], activation: Activation) -> Planes:
    """Makes the mirror image of `down` without its first layer: transposed convolutions that each double their input.

    Returns:
        A module from (..., h*w*channels[-1]) to (..., H//2*W//2*channels[0]); `to_pixels` continues from there.
    """
    layers: list[nn.Module] = []
    for halvings in range(len(channels) - 1, 0, -1):
        layers += [_double(image, halvings, channels[halvings], channels[halvings - 1]), _ACTIVATIONS[activation]()]
    return Planes((*halved(image, len(channels)), channels[-1]), *layers)


def to_pixels(image: tuple[int, int, int], channels: tuple[int, ...]) -> Planes:
    """Makes the layer from the result of `up` to the values of an image, (..., H//2*W//2*channels[0]) to (..., "
    "H*W*C)."""
    return Planes((*halved(image, 1), channels[0]), _double(image, 0, channels[0], image[2]))


def _double(image: tuple[int, int, int], halvings: int, inputs: int, outputs: int) -> nn.ConvTranspose2d:
    """Makes the layer whose output has the size of an image after a number of halvings; its sides may be odd."""
    height, width = halved(image, halvings)
    return nn.ConvTranspose2d(inputs, outputs, _KERNEL, _STRIDE, _PADDING, output_padding=(height % 2, width % 2))
