"""How fast training is, and what people would run instead, side by side.

    python -m benchmarks.training            # every table, about half an hour
    python -m benchmarks.training --quick    # tiny sizes, to see that it works; its figures mean nothing

See the README beside this file for what the rows mean.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

import torch
from torch import Tensor

import vae
from benchmarks import peers
from benchmarks.measure import interleaved, machine, ratio, say, table
from benchmarks.usual import BATCH, LATENT, Usual, loader, train
from vae.data import folder
from vae.model import ELBO, quick_products
from vae.training import PRESETS, Trainer, score

SAME = PRESETS["quick-20d"].model  # 784-400-20
CONVOLUTIONAL = replace(SAME, channels=(32, 64), encoder_layers=(256,), decoder_layers=(256,))
PLAIN = vae.TrainConfig(epochs=1000, batch_size=BATCH, schedule="constant", learning_rate=1e-3, precision="float32")


class Sizes(NamedTuple):
    steps: int = 300  # of a round of the first tables
    epochs: int = 10  # of the usual script in the last
    share: float = 1.0  # of the training images there


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = {"speed": speed, "convolutional": convolutional, "target": target, "target-convolutional": far}
    parser.add_argument("--only", action="append", choices=parts, help="a part; may be given again")
    parser.add_argument(
        "--rounds", type=int, default=5, help="how often each runs (%(default)s), 3 at most to a target"
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it works")
    chosen = parser.parse_args()
    print(f"# {machine()}")
    dataset = vae.load_dataset("mnist")
    sizes = Sizes(4, 1, 0.01) if chosen.quick else Sizes()
    for name in chosen.only or parts:
        parts[name](dataset, sizes, 1 if chosen.quick else chosen.rounds)


def speed(dataset: vae.Dataset, sizes: Sizes, rounds: int) -> None:
    """The same perceptron, the same batch."""
    variants = {
        "products of matrices alone, float32": _products(torch.float32, sizes.steps),
        "... as this library asks for them": _quickly(_products(torch.float32, sizes.steps)),
        "products of matrices alone, bfloat16": _products(torch.bfloat16, sizes.steps),
    } | _trainings(dataset, SAME, False, sizes.steps)
    _images_a_second("784-400-20, batches of 128", variants, sizes.steps, rounds, "products of matrices alone, float32")


def convolutional(dataset: vae.Dataset, sizes: Sizes, rounds: int) -> None:
    """The same convolutions, the same batch."""
    steps = max(2, sizes.steps // 4)
    _images_a_second("convolutional, batches of 128", _trainings(dataset, CONVOLUTIONAL, True, steps), steps, rounds)


def target(dataset: vae.Dataset, sizes: Sizes, rounds: int) -> None:
    """Seconds to the held-out ELBO that the usual script has after 10 epochs, on images binarised at each visit."""
    _to_the_bound("784-400-20", SAME, False, PRESETS["quick-20d"].training, dataset, sizes, min(rounds, 3))


def far(dataset: vae.Dataset, sizes: Sizes, rounds: int) -> None:
    """The same with convolutions, which begin at random and take smaller steps."""
    config = replace(PRESETS["quick-20d"].training, initial="random", batch_size=BATCH, learning_rate=3e-3)
    _to_the_bound("convolutional", CONVOLUTIONAL, True, config, dataset, sizes, min(rounds, 3))


def _to_the_bound(
    title: str, model: vae.ModelConfig, convolutional: bool, config: vae.TrainConfig, dataset: vae.Dataset,
    sizes: Sizes, rounds: int,
) -> None:  # fmt: skip
    bounds: dict[str, list[float]] = {}

    def usual() -> float:
        seed = len(bounds.setdefault("usual script", []))
        torch.manual_seed(seed)
        script, batches = Usual(convolutional), loader(folder())
        optimiser = torch.optim.Adam(script.parameters(), lr=1e-3)
        seconds = _seconds(
            lambda: [train(script, _share(batches, sizes.share), optimiser, True) for _ in range(sizes.epochs)]
        )
        bounds["usual script"].append(_bound(_translated(script, model), dataset))
        return seconds

    def ours(name: str, config: vae.TrainConfig) -> Callable[[], float]:
        def run() -> float:
            seed = len(bounds.setdefault(name, []))
            trained = vae.build(model, seed)
            seconds = _seconds(lambda: _all_steps(Trainer(trained, dataset, replace(config, seed=seed))))
            bounds[name].append(_bound(trained, dataset))
            return seconds

        return run

    config = replace(config, share=sizes.share)
    own, single = f"{config.epochs} epochs of one cycle, batches of {config.batch_size}", "... in float32"
    variants = {
        "usual script": usual, own: ours(own, config), single: ours(single, replace(config, precision="float32"))
    }  # fmt: skip
    seconds = interleaved(variants, rounds)
    rows = [
        (
            name, f"{statistics.median(took):.1f}", f"{ratio(seconds['usual script'], took):.1f}",
            ", ".join(f"{bound:.2f}" for bound in bounds[name]),
        )
        for name, took in seconds.items()
    ]  # fmt: skip
    head = ("row", "seconds, median", "times as quick", "held-out ELBO, nats, round by round")
    reached = all(a >= b for a, b in zip(bounds[own], bounds["usual script"], strict=True))
    costs = max(b - a for a, b in zip(bounds[own], bounds[single], strict=True))
    table(
        f"{title}: to the held-out ELBO of the usual script after {sizes.epochs} epochs", head, rows,
        f"Reached in {'every' if reached else 'NOT every'} round. The precision that `auto` is here costs {costs:.2f} "
        "nats at most. All 10,000 test images, float32.",
    )  # fmt: skip


def _trainings(
    dataset: vae.Dataset, model: vae.ModelConfig, convolutional: bool, steps: int
) -> dict[str, Callable[[], object]]:
    """The usual script, pythae, and this library in both precisions, each so many steps of Adam at a constant rate."""
    torch.manual_seed(0)
    usual = Usual(convolutional)
    optimiser = torch.optim.Adam(usual.parameters(), lr=1e-3)
    batches = _endless(loader(folder()))

    def script() -> None:
        train(usual, islice(batches, steps), optimiser, True)

    variants: dict[str, Callable[[], object]] = {"usual script": script}
    if peers.pythae():
        variants[f"pythae {peers.VERSION}"] = lambda: peers.timed(BATCH * steps, convolutional)
    for precision in ("float32", "auto"):
        trainer = Trainer(vae.build(model), dataset, replace(PLAIN, precision=precision))
        if precision == trainer.config.precision or trainer.config.precision == "bfloat16":
            variants[f"this library, {trainer.config.precision}"] = _steps_of(trainer, steps)
    return variants


def _images_a_second(
    title: str, variants: dict[str, Callable[[], object]], steps: int, rounds: int, limit: str = ""
) -> None:
    for run in variants.values():  # what is first met is slow
        run()
    seconds = interleaved(variants, rounds)
    rows = []
    for name, took in seconds.items():
        speeds = sorted(BATCH * steps / second for second in took)
        row = [name, f"{statistics.median(speeds):,.0f} ({speeds[0]:,.0f} to {speeds[-1]:,.0f})"]
        row += [f"{ratio(seconds['usual script'], took):.2f}"]
        row += [
            f"{ratio(seconds[f'pythae {peers.VERSION}'], took):.2f}" if f"pythae {peers.VERSION}" in seconds else ""
        ]
        rows.append(row + ([f"{ratio(seconds[limit], took):.0%}"] if limit else []))
    head = ["row", "images per second, median (least to most)", "times the usual script", "times pythae"]
    table(title, head + ["share of the products, float32"] * bool(limit), rows)


def _products(kind: torch.dtype, steps: int) -> Callable[[], object]:
    """The products of a step of 784-400-20, forward and back; none for the gradient of the pixels."""
    pairs = []
    for inputs, outputs in ((784, 400), (400, 2 * LATENT), (LATENT, 400), (400, 784)):
        x, weight, back = (
            torch.randn(*shape).to(kind) for shape in ((BATCH, inputs), (outputs, inputs), (BATCH, outputs))
        )
        pairs += [(x, weight.T), (back.T, x)] + [(back, weight)] * (pairs != [])
    places = [a @ b for a, b in pairs]

    def run() -> None:
        for _ in range(steps):
            for (a, b), place in zip(pairs, places, strict=True):
                torch.mm(a, b, out=place)

    return run


def _quickly(run: Callable[[], object]) -> Callable[[], object]:
    def quick() -> None:
        with quick_products():
            run()

    return quick


def _steps_of(trainer: Trainer, steps: int) -> Callable[[], object]:
    def run() -> None:
        for _ in range(steps):
            trainer.advance()

    return run


def _all_steps(trainer: Trainer) -> None:
    while not trainer.done:
        trainer.advance()


def _seconds(run: Callable[[], object]) -> float:
    return interleaved({"": run}, 1)[""][0]


def _bound(model: vae.VAE, dataset: vae.Dataset) -> float:
    reconstruction, kl = score(model, dataset.test.images, ELBO())
    say(f"held-out ELBO {reconstruction - kl:.2f}")
    return reconstruction - kl


def _translated(usual: Usual, config: vae.ModelConfig) -> vae.VAE:
    """The usual script's nets as a model of this library, so that both are scored by the same lines."""
    model = vae.build(config)
    theirs = [layer for net in (usual.encoder, usual.decoder) for layer in net if hasattr(layer, "weight")]
    heads = [torch.cat([getattr(usual.mu, key), getattr(usual.log_variance, key)]) for key in ("weight", "bias")]
    tensors = [_by_pixel(tensor) for layer in theirs for tensor in (layer.weight, layer.bias)]
    names = [name for name in model.state_dict() if not name.startswith("encoder.head")]
    body = dict(zip(names, tensors, strict=True))
    model.load_state_dict(body | {"encoder.head.weight": heads[0], "encoder.head.bias": heads[1]})
    return model


def _by_pixel(tensor: Tensor) -> Tensor:
    """Puts the 64 planes of 7 x 7 between convolutions and perceptron in this library's order, by pixel."""
    order = torch.arange(64 * 49).view(64, 49).T.flatten()
    for dimension, width in enumerate(tensor.shape):
        tensor = tensor.index_select(dimension, order) if width == len(order) else tensor
    return tensor


def _endless(batches: torch.utils.data.DataLoader) -> Iterator[tuple[Tensor, Tensor]]:
    while True:
        yield from batches


def _share(batches: torch.utils.data.DataLoader, share: float) -> Iterator[tuple[Tensor, Tensor]]:
    return islice(iter(batches), max(1, round(share * len(batches))))


if __name__ == "__main__":
    main()
