"""A model of this library as two ONNX files, which other programs can read."""

from __future__ import annotations

import io
import logging
import threading
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent

from vae.data import said_size
from vae.errors import CheckpointError
from vae.model import VAE, ModelConfig, generator, unchecked
from vae.paths import given, write_aside

__all__ = ["onnx_archive", "write_onnx"]

OPSET = 20
_IMAGES = 100  # with which a file is checked against the model
_TOLERANCE = 1e-5  # of the largest absolute value of an output
_ONE_AT_A_TIME = threading.Lock()  # PyTorch's exporter, loggers and warnings share state among threads
_DATE = (1980, 1, 1, 0, 0, 0)  # for the files in an archive, so that the same model gives the same bytes


def write_onnx(model: VAE, folder: str | Path) -> list[Path]:
    """Writes `encoder.onnx` and `decoder.onnx`, each checked against the model before it is written.

    onnxruntime runs the encoder on 100 images of random pixels and the decoder on 100 samples from the prior. An output
    may differ from PyTorch's by at most 1e-5 times its largest absolute value.

    The encoder takes `pixels` (N, D) in [0, 1], row by row, the channels of a pixel adjacent, and returns `mean` and
    `log_variance` (N, J). The decoder takes `z` (N, J) and returns `logits` (N, D) for a Bernoulli likelihood,
    otherwise `mean` and `log_variance` (N, D).

    PyTorch temporarily replaces the model's weights, so no other thread may use this model at the same time.

    Arguments:
        model: to write.
        folder: to write to; created if needed, and files of these names are replaced.

    Returns:
        The two files.

    Raises:
        CheckpointError: onnxscript or onnxruntime is missing, the model cannot be written, its file gives other numbers
            than the model, or the files cannot be written.
    """
    files = {given(folder) / name: content for name, content in _contents(model).items()}
    for path, content in files.items():
        write_aside(path, content)
    return list(files)


def onnx_archive(model: VAE, name: str) -> bytes:
    """Returns the files of `write_onnx` as a zip archive, with a README.txt that describes their inputs and outputs.

    Arguments:
        model: to write.
        name: of the model, for the README.

    Raises:
        CheckpointError: as for `write_onnx`, except for the disk.
    """
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for path, content in {**_contents(model), "README.txt": _readme(model, name).encode()}.items():
            file.writestr(zipfile.ZipInfo(path, _DATE), content, zipfile.ZIP_DEFLATED)
    return archive.getvalue()


def _contents(model: VAE) -> dict[str, bytes]:
    """Returns the two files by their names, each checked against the model."""
    source = generator(0)
    examples = {
        "encoder": torch.rand(_IMAGES, model.config.pixels, generator=source),
        "decoder": torch.randn(_IMAGES, model.config.latent, generator=source),
    }
    with _ONE_AT_A_TIME:
        return {f"{name}.onnx": _checked(_Parameters(getattr(model, name)), name, x) for name, x in examples.items()}


def _readme(model: VAE, name: str) -> str:
    config = model.config
    size, latent, pixels = said_size(config.image_shape), config.latent, config.pixels
    order = "row by row" if config.grey else "row by row, the red, green and blue of a pixel together"
    if config.likelihood == "bernoulli":
        scale = "Pixels are binary, 0 or 1:\n    an 8-bit value u of 0 to 255 becomes 1 with probability u / 255."
        gives = f"logits (N, {pixels}): p(x|z) is a Bernoulli for each pixel, with probability 1 / (1 + exp(-logits))."
    else:
        dequantised = isinstance(config, ModelConfig) or config.dequantised
        value = "(u + noise) / 256, with noise uniform in [0, 1)" if dequantised else "u / 255"
        scale = f"Pixels lie in [0, 1]:\n    an 8-bit value u of 0 to 255 becomes {value}."
        gives = (
            f"mean and log_variance (N, {pixels}): p(x|z) is a Gaussian for each of these values, with variance "
            "exp(log_variance)."
        )
    return f"""{name}: a variational autoencoder as two ONNX files, opset {OPSET}. All tensors are float32.

encoder.onnx
    takes pixels (N, {pixels}): images of {size}, {order}. {scale}
    gives mean and log_variance (N, {latent}): q(z|x) is a Gaussian with variance exp(log_variance).

decoder.onnx
    takes z (N, {latent}). The prior is N(0, I).
    gives {gives}

onnxruntime ran both files on {_IMAGES} random inputs each before they were written. No output differed from PyTorch's
by more than {_TOLERANCE:g} times the largest absolute value of that output.
"""


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
    """Returns a network as an ONNX file, checked against its outputs for x."""
    try:
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise CheckpointError(
            "Writing ONNX files needs the packages onnxscript and onnxruntime, which are not installed: pip install "
            "'vae-explorer[onnx]', or pip install -r requirements-extra.txt in a checkout."
        ) from error
    with torch.inference_mode():
        theirs = {key: value.numpy() for key, value in _parameters(network.network(x)).items()}
    takes = "pixels" if name == "encoder" else "z"
    logger, level = logging.getLogger("torch.onnx"), logging.getLogger("torch.onnx").level
    try:
        logger.setLevel(logging.ERROR)  # it reports each step
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # warnings of PyTorch itself
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
        proto = program.model_proto
        for node in proto.graph.node:  # PyTorch records the source file and line of each node
            node.ClearField("metadata_props")
        content = proto.SerializeToString()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        ours = session.run(None, {takes: x.numpy()})
    except Exception as error:  # the exporter may raise anything
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
