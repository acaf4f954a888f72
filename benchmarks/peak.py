"""`python -m benchmarks.peak MODEL SAMPLES IMAGES`: memory of one naive Monte Carlo run, in a process of its own.

Prints two numbers: MiB by which the peak (VmHWM) lies above what was in use after a warm-up, and the
seconds. Linux only.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import torch

import vae

__all__ = ["main"]


def main(name: str, samples: int, images: int) -> None:
    """Measures one run; the model `small` is untrained and has 196 pixels, so that 10^7 samples take seconds."""
    if name == "small":
        model = vae.build(vae.ModelConfig(latent=2, encoder_layers=(8,), decoder_layers=(64,), image_shape=(14, 14)))
        model.eval()
    else:
        model = vae.load(name)
    side, other = model.config.image_shape
    pictures = torch.randint(0, 256, (images, side, other), generator=vae.generator(0)).to(torch.uint8)
    x = model.pixels(pictures, vae.generator(1))
    vae.naive_monte_carlo(model, x, 64, vae.generator(2))  # what is made once is not the estimator's
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here on
    before = _kilobytes("VmRSS")
    seconds = vae.naive_monte_carlo(model, x, samples, vae.generator(2)).seconds
    print((_kilobytes("VmHWM") - before) / 1024, seconds)


def _kilobytes(field: str) -> int:
    found = re.search(rf"^{field}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
