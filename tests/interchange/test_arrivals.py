"""Files of a model as they are uploaded: what they are is told, or what is wrong, by the names that they came under."""

import io

import pytest
import safetensors.torch
import torch
from torch import nn

import vae
from tests.onnx_files import network, weights
from tests.toys import LAYERS, small_model
from vae.errors import VAEError
from vae.interchange import arrive

SIZES = {"fc1": (784, 8), "fc21": (8, 3), "fc22": (8, 3), "fc3": (3, 8), "fc4": (8, 784)}


def state() -> dict[str, torch.Tensor]:
    layers = nn.ModuleDict({name: nn.Linear(*size) for name, size in SIZES.items()})
    return dict(layers.state_dict())


def pickled() -> bytes:
    content = io.BytesIO()
    torch.save(state(), content)
    return content.getvalue()


def pair(**more: bytes) -> dict[str, bytes]:
    return {"my-encoder.onnx": network(784, 4), "my-decoder.onnx": network(2, 784, sigmoid=True)} | more


def test_a_model_of_this_library(tmp_path) -> None:
    model = small_model()
    path = vae.save(model, vae.Record(name="mine", model=model.config, training=vae.TrainConfig()), folder=tmp_path)
    came = arrive({"bob.safetensors": path.read_bytes()})
    assert (came.kind, came.latent, came.image_shape) == ("model", 2, (4, 4))
    assert came.model is not None and came.model[1].training == vae.TrainConfig()


@pytest.mark.slow
def test_a_state_dict_and_its_description() -> None:
    content = safetensors.torch.save(state())
    came = arrive({"net.toml": LAYERS.encode(), "net.safetensors": content})
    assert (came.kind, came.latent, came.image_shape, came.gives) == ("layers", 3, (28, 28), "probabilities")
    assert came.fits((28, 28)) and not came.fits((28, 28, 3)) and not came.fits((24, 24)) and came.data == ""
    named = arrive({"net.toml": b'data = "faces"' + LAYERS.encode(), "net.safetensors": content})
    assert named.data == "faces" and named.found((28, 28)).latent == 3


def test_a_pair_of_networks() -> None:
    came = arrive(pair())
    assert (came.kind, came.latent, came.pixels, came.image_shape, came.gives) == (
        "onnx", 2, 784, None, "probabilities",
    )  # fmt: skip
    assert came.fits((28, 28)) and came.fits((14, 56)) and not came.fits((24, 24, 3))
    assert came.found((28, 28)).image_shape == (28, 28)
    planes = arrive({"encoder.onnx": network(1728, 4, shape=(3, 24, 24)), "decoder.onnx": network(2, 1728)})
    assert planes.image_shape == (24, 24, 3) and planes.gives is None
    assert planes.fits((24, 24, 3)) and not planes.fits((12, 144)) and not planes.fits((36, 48))
    open_size = arrive({"encoder.onnx": network(None, 4), "decoder.onnx": network(2, 784, sigmoid=True)})
    assert open_size.pixels is None and open_size.fits((24, 24, 3)) and open_size.found((28, 28)).latent == 2


def test_weights_that_lie_beside_their_networks() -> None:
    files = {
        "encoder.onnx": network(784, 4, beside="encoder.onnx.data"),
        "encoder.onnx.data": weights(784, 4).tobytes(),
        "decoder.onnx": network(2, 784, sigmoid=True, beside="shared_weights"),
        "shared_weights": weights(2, 784).tobytes(),
    }
    found = arrive(files).found((28, 28))
    z = torch.randn(3, 2)
    torch.testing.assert_close(found.decoder(z)[0], (z @ torch.from_numpy(weights(2, 784))).sigmoid())


def test_a_file_of_torch_save_is_said_not_to_be_read() -> None:
    for name in ("net.pt", "my net.PTH"):
        with pytest.raises(VAEError, match=r"can contain code.*only from a shell.*`vae model import") as said:
            arrive({name: b"not even looked at", "net.toml": LAYERS.encode()})
        assert name in str(said.value)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "A model needs two files"),
        ({"a.h5": b""}, r"A model needs two files.*These are a\.h5"),
        ({"encoder.onnx": b""}, r"A model needs two files.*These are encoder\.onnx"),
        ({"encoder.onnx": b"", "two-encoder.onnx": b""}, "A model needs two files"),
        ({"a.safetensors": b"nothing"}, r"^a\.safetensors is not a complete safetensors file"),
        ({"a.safetensors": safetensors.torch.save(state())}, r"^a\.safetensors holds tensors but"),
        ({"a.safetensors": pickled(), "b.toml": LAYERS.encode()}, r"^a\.safetensors cannot be imported: .*torch\.save"),
        (
            {"a.safetensors": safetensors.torch.save(state()), "b.toml": b"latent ="},
            r"^b\.toml cannot be imported: .*TOML",
        ),
        ({"a.safetensors": safetensors.torch.save(state()), "b.json": b"{}"}, r"^b\.json cannot be imported: .*lacks"),
        (
            {"a.safetensors": safetensors.torch.save(state()), "b.toml": b"data = 3" + LAYERS.encode()},
            r"^b\.toml cannot be imported: data must be the name",
        ),
    ],
)
def test_what_is_no_model_is_said(files: dict[str, bytes], says: str) -> None:
    with pytest.raises(VAEError, match=says) as said:
        arrive(files)
    assert "upload" not in str(said.value)  # no name of a file of our own


def test_what_is_wrong_with_networks_is_said() -> None:
    beside = network(784, 4, beside="my-encoder.onnx.data")
    for files, says in (
        (pair(**{"my-encoder.onnx": b"nothing"}), r"^my-encoder\.onnx cannot be imported: This is not an ONNX file"),
        (pair(**{"my-decoder.onnx": b"nothing"}), r"^my-decoder\.onnx cannot be imported: This is not an ONNX file"),
        (pair(**{"my-encoder.onnx": network(2, 784), "my-decoder.onnx": network(784, 4)}), "seem to be swapped"),
        (pair(**{"my-encoder.onnx": beside}), r"weights are in my-encoder\.onnx\.data, which was not uploaded"),
        (pair(**{"my-encoder.onnx": beside, "my-encoder.onnx.data": b"short"}), "Gemm|MatMul|does not have"),
        (pair(**{"other.onnx.data": b""}), r"weights in other\.onnx\.data\. Remove it"),
        (pair(**{"net.toml": b""}), "A model needs two files"),
    ):
        with pytest.raises(VAEError, match=says):
            arrive(files)
