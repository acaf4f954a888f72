"""Models as ONNX files: any program that runs them has the model's numbers, and they come back."""

import sys
from pathlib import Path

import pytest
import torch

from vae.cli import main
from vae.errors import CheckpointError
from vae.interchange import export, read_onnx, write_onnx
from vae.model import ModelConfig, build

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
