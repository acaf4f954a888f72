"""A model of this library as two ONNX files, which other programs read."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent

from vae.errors import CheckpointError
from vae.model import VAE, generator, unchecked
from vae.paths import given, write_aside

__all__ = ["write_onnx"]

OPSET = 20
_IMAGES = 100  # with which a file is held against the model
_TOLERANCE = 1e-5


def write_onnx(model: VAE, folder: str | Path) -> list[Path]:
    """Writes `encoder.onnx` and `decoder.onnx`, each held against the model before it is written.

    The encoder takes `pixels` (N, D) in [0, 1], row by row, the channels of a pixel together, and gives `mean` and
    `log_variance` (N, J). The decoder takes `z` (N, J) and gives `logits` (N, D) under a Bernoulli likelihood, else
    `mean` and `log_variance` (N, D).

    Arguments:
        model: what to write.
        folder: where; it is made if need be, and files of these names are replaced.

    Returns:
        The two files.

    Raises:
        CheckpointError: onnxscript or onnxruntime is missing, the model cannot be written, its file gives other numbers
            than the model does, or the disk refuses.
    """
    folder, source = given(folder), generator(0)
    examples = {
        "encoder": torch.rand(_IMAGES, model.config.pixels, generator=source),
        "decoder": torch.randn(_IMAGES, model.config.latent, generator=source),
    }
    contents = {name: _checked(_Parameters(getattr(model, name)), name, x) for name, x in examples.items()}
    files = [folder / f"{name}.onnx" for name in contents]
    for path, content in zip(files, contents.values(), strict=True):
        write_aside(path, content)
    return files


class _Parameters(nn.Module):
    """The parameters of the distribution that a network returns."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.eval()

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        with unchecked():
            return tuple(_parameters(self.network(x)).values())


def _parameters(distribution: Distribution) -> dict[str, Tensor]:
    inner: Any = distribution.base_dist if isinstance(distribution, Independent) else distribution
    if hasattr(inner, "logits"):
        return {"logits": inner.logits}
    return {"mean": inner.loc, "log_variance": inner.log_variance}


def _checked(network: _Parameters, name: str, x: Tensor) -> bytes:
    """Returns a network as an ONNX file that gives what it gives for x."""
    try:
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise CheckpointError(
            "ONNX files are written with the packages onnxscript and onnxruntime, which are not installed: pip install "
            "'vae-explorer[onnx]', or pip install -r requirements-extra.txt in a checkout."
        ) from error
    with torch.inference_mode():
        theirs = {key: value.numpy() for key, value in _parameters(network.network(x)).items()}
    takes = "pixels" if name == "encoder" else "z"
    logger, level = logging.getLogger("torch.onnx"), logging.getLogger("torch.onnx").level
    try:
        logger.setLevel(logging.ERROR)  # it tells of each step
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of PyTorch's own making
            program = torch.onnx.export(
                network,
                (x,),
                dynamo=True,
                opset_version=OPSET,
                input_names=[takes],
                output_names=list(theirs),
                dynamic_shapes=({0: torch.export.Dim("N")},),
                verbose=False,
            )
        assert program is not None
        content = program.model_proto.SerializeToString()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        ours = session.run(None, {takes: x.numpy()})
    except Exception as error:  # the exporter raises what it likes
        reason = " ".join(str(error).split()) or type(error).__name__
        raise CheckpointError(f"The {name} could not be written as ONNX: {reason:.200}.") from error
    finally:
        logger.setLevel(level)
    for (key, expected), came in zip(theirs.items(), ours, strict=True):
        if came.shape != expected.shape or abs(came - expected).max() > _TOLERANCE * max(1e-6, abs(expected).max()):
            raise CheckpointError(
                f"The {name}'s {key} in ONNX differs from the model's by {abs(came - expected).max():.1e}, more than "
                f"{_TOLERANCE:g} of its largest value; nothing was written. Please report it with the model."
            )
    return content
