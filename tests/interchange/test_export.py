"""Models as ONNX files: any program that runs them has the model's numbers, and they come back."""

import io
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

import vae
from vae.cli import main
from vae.errors import CheckpointError
from vae.interchange import export, onnx_archive, read_onnx, write_onnx
from vae.model import ModelConfig, build, load

pytest.importorskip("onnxscript", reason="onnxscript (requirements-extra.txt)")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime (requirements-extra.txt)")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "outputs"),
    [
        (ModelConfig(encoder_layers=(8,), decoder_layers=(8,), image_shape=(4, 5)), ["mean", "log_variance"]),
        (ModelConfig(likelihood="bernoulli", channels=(4, 6), image_shape=(9, 12), latent=3), ["logits"]),
        (ModelConfig(likelihood="gaussian-shared", decoder_layers=(), image_shape=(4, 5)), ["mean", "log_variance"]),
    ],
)
def test_files_have_the_models_numbers_for_any_number_of_images(
    config: ModelConfig, outputs: list[str], tmp_path: Path
) -> None:
    model = build(config)
    encoder, decoder = write_onnx(model, tmp_path / "new")
    sessions = [onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]) for path in (encoder, decoder)]
    assert [each.name for each in sessions[0].get_outputs()] == ["mean", "log_variance"]
    assert [each.name for each in sessions[1].get_outputs()] == outputs
    gives = "logits" if outputs == ["logits"] else None
    found = read_onnx(encoder.read_bytes(), decoder.read_bytes(), image_shape=config.image_shape, gives=gives)
    for rows in (1, 7):
        x, z = torch.rand(rows, config.pixels), torch.randn(rows, config.latent)
        q, p = model.encoder(x).base_dist, model.decoder(z).base_dist
        expected = [q.loc, q.log_variance, *([p.logits] if gives else [p.loc, p.log_variance])]
        ran = [*sessions[0].run(None, {"pixels": x.numpy()}), *sessions[1].run(None, {"z": z.numpy()})]
        back = [*found.encoder(x), *found.decoder(z)]
        for ours, theirs, again in zip(expected, ran, back, strict=True):
            torch.testing.assert_close(torch.from_numpy(theirs), ours, rtol=1e-5, atol=1e-5)
            torch.testing.assert_close(again, ours, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mnist-2d", "mnist-bernoulli-2d", "mnist-20d"])
def test_an_archive_agrees_with_the_model_on_a_hundred_images(name: str) -> None:
    model, images = load(name), vae.load_dataset("mnist-sample").test.images[:100]
    x, z = model.pixels(images, vae.generator(0)), torch.from_numpy(vae.encode(model, images).mean)
    with zipfile.ZipFile(io.BytesIO(onnx_archive(model, name))) as archive:
        assert archive.namelist() == ["encoder.onnx", "decoder.onnx", "README.txt"]
        encoder, decoder = (
            onnxruntime.InferenceSession(archive.read(file), providers=["CPUExecutionProvider"])
            for file in archive.namelist()[:2]
        )
        readme = archive.read("README.txt").decode()
        assert not any(b".py" in archive.read(file) for file in archive.namelist())  # nobody's paths
    q, p = model.encoder(x).base_dist, model.decoder(z).base_dist
    gives = {"logits": p.logits} if "bernoulli" in name else {"mean": p.loc, "log_variance": p.log_variance}
    expected = [q.loc, q.log_variance, *gives.values()]
    came = [*encoder.run(None, {"pixels": x.numpy()}), *decoder.run(None, {"z": z.numpy()})]
    for ours, theirs in zip(expected, came, strict=True):
        assert np.abs(ours.detach().numpy() - theirs).max() <= 1e-5 * np.abs(theirs).max()
    assert readme.startswith(f"{name}: ") and "pixels (N, 784): images of 28 x 28 pixels, row by row." in readme
    assert f"z (N, {model.config.latent})" in readme and ("logits" in readme) == ("bernoulli" in name)


@pytest.mark.slow
def test_the_same_model_gives_the_same_archive_which_says_the_order_of_colours() -> None:
    model = build(ModelConfig(encoder_layers=(8,), decoder_layers=(8,), image_shape=(4, 5, 3), latent=1))
    content = onnx_archive(model, "tiny")
    assert content == onnx_archive(model, "tiny")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        readme = archive.read("README.txt").decode()
    assert (
        "pixels (N, 60): images of 4 x 5 pixels in colour, row by row, the red, green and blue of a pixel together"
        in readme
    )


@pytest.mark.slow
def test_a_shell_writes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "export", "mnist-2d", "--onnx", str(tmp_path / "here")]) == 0
    assert capsys.readouterr().out.split() == [
        str(tmp_path / "here" / f"{name}.onnx") for name in ("encoder", "decoder")
    ]
    assert main(["model", "export", "nobody", "--onnx", str(tmp_path)]) == 2


def test_without_the_package_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(CheckpointError, match=r"pip install 'vae-explorer\[onnx\]'"):
        write_onnx(build(ModelConfig(encoder_layers=(8,), decoder_layers=(8,))), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_what_differs_from_the_model_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_TOLERANCE", 0.0)
    with pytest.raises(CheckpointError, match="in ONNX differs"):
        write_onnx(build(ModelConfig(encoder_layers=(64,), decoder_layers=(64,))), tmp_path)
    assert not list(tmp_path.iterdir())
