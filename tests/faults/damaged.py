"""Damages files at random and reads each, within 512 MB, in a process of its own.

python -m tests.faults.damaged models|data FIRST COUNT prints one line of JSON. An error that is no VAEError ends it,
with the number of the case, by which it can be tried again.
"""

import json
import os
import random
import resource
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import vae
from tests.damage import damaged
from tests.interchange.test_fuzz import grafted
from tests.own_images import WRITERS, png, small_images
from tests.toys import small_config, toy_dataset
from vae import jobs
from vae.data import imports, stored
from vae.data.handwriting import prepare
from vae.data.labels import read_labels
from vae.data.pixels import decode
from vae.errors import VAEError
from vae.evidence import Estimate
from vae.evidence.comparison import Comparison, load_comparison, save_comparison
from vae.jobs.files import append
from vae.jobs.states import load_state, save_state
from vae.latent.projections import load_projection
from vae.model import ImportedConfig, assemble, capture
from vae.training import Trainer, load_slow_step, reports, save_slow_step, slow_step
from vae.uses.classifier import load_classifier
from vae.uses.features import load_features

MOST_SECONDS, MOST_BYTES = 2.0, 512 * 2**20
EDGES = [0, 1, 2, 7, 8, 13, 127, 128, 254, 255]
CONFIG = vae.TrainConfig(data="mnist-sample", epochs=1, batch_size=64)
Read = Callable[[Path], Any]
Files = dict[str, tuple[bytes, Read]]  # what is damaged, by name, and what reads it; an error or a wrong value raises


def work(path: Path) -> None:
    """Reads a model, and has it encode and decode."""
    model = vae.load(path)
    config = model.config
    assert vae.read_record(path).model.latent == config.latent
    with torch.no_grad():
        p, q = model.decoder(torch.zeros(2, config.latent)), model.encoder(torch.full((2, config.pixels), 0.5))
    assert p.mean.shape == (2, config.pixels) and q.mean.shape == (2, config.latent)


def learned(folder: Path) -> None:
    """Reads what a page reads of a training."""
    found = reports.read(folder / "history.jsonl")
    assert all(isinstance(report.step, int) for report in found)
    reports.kl_at(found, np.arange(5))


def of_models(place: Path) -> Files:
    """A model, one from elsewhere, and all that lies beside models, as the product itself writes them."""
    config, data = small_config(), toy_dataset(128, 32)
    model = vae.build(config).eval()
    record = vae.Record(name="own", model=config, training=CONFIG, held_out={"elbo": -1.0, "kl": 1.0, "images": 32.0})
    own = vae.save(model, record, folder=place).read_bytes()

    def encoded(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        q = model.encoder(x).base_dist
        return q.loc, q.log_variance

    def decoded(z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        p = model.decoder(z).base_dist
        return p.loc, p.log_variance

    given: Any = {"latent": 2, "likelihood": config.likelihood, "image_shape": (4, 4), "origin": "a test"}
    graphs = capture(encoded, torch.rand(3, 16)), capture(decoded, torch.randn(3, 2))
    brought = assemble(ImportedConfig(**given), *graphs)
    foreign = vae.save(brought, vae.Record(name="brought", model=brought.config), folder=place).read_bytes()
    trainer = Trainer(vae.build(config), data, CONFIG)
    save_slow_step(place / "step.npz", slow_step(trainer))
    save_state(place / "state.safetensors", trainer, {})
    for _ in range(3):
        append(place / "history.jsonl", reports.line(trainer.report()))
    estimate = Estimate(torch.zeros(4), torch.ones(4), 1, 1, 0.1)
    settings = {"format": 1, "images": 4}
    save_comparison(
        place / "comparison.npz", Comparison(estimates={"elbo": estimate}, encoder_kl=torch.zeros(4), settings=settings)
    )
    recorder = jobs.replay.Recorder(place, model, data.test, 2, 0)
    recorder.record(0)
    recorder.record(1)
    says = {"model": config.to_dict(), "training": CONFIG.to_dict(), "data": "", "half": False}
    told = {"state": "done", "message": "", "pid": 1, "born": 1.0, "ticket": 1}
    shipped = vae.paths.SHIPPED / "checkpoints"

    def at(file: str, read: Read) -> Read:
        return lambda path: read(path.rename(path.with_name(file)).parent)

    return {
        "model.safetensors": (own, work),
        "imported.safetensors": (foreign, work),
        "classifier.safetensors": ((shipped / "classifier-mnist.safetensors").read_bytes(), load_classifier),
        "state.safetensors": (
            (place / "state.safetensors").read_bytes(),
            lambda path: load_state(path, Trainer(vae.build(config), data, CONFIG), {}),
        ),
        "comparison.npz": ((place / "comparison.npz").read_bytes(), load_comparison),
        "projection.npz": (next(shipped.glob("*/projection-*.npz")).read_bytes()[:200_000], load_projection),
        "features.json": (next(shipped.glob("*/features-*.json")).read_bytes(), load_features),
        "step.npz": ((place / "step.npz").read_bytes(), load_slow_step),
        "replay.bin": ((place / "replay.bin").read_bytes(), at("replay.bin", jobs.replay.replay)),
        "history.jsonl": ((place / "history.jsonl").read_bytes(), at("history.jsonl", learned)),
        "job.json": (json.dumps(told).encode(), at("job.json", lambda folder: jobs.status("case"))),
        "config.json": (json.dumps(says).encode(), at("config.json", jobs.read_plan)),
    }


def to_the_end(path: Path) -> None:
    """Reads all images of a source."""
    draft = imports.open_source(path)
    for part in filter(None, (draft.train, draft.test)):
        for image in part.read(np.arange(part.count)):
            assert image.dtype == np.uint8 and (image.ndim == 2 or image.shape[2:] == (3,)) and image.size
        assert part.labels is None or len(part.labels.numbers) == part.count


def picture(path: Path) -> None:
    image = decode(path.read_bytes(), "it")
    assert image.dtype == np.uint8 and (image.ndim == 2 or image.shape[2:] == (3,))


def of_sets(place: Path) -> Files:
    """Sources of every form, image files of every form, labels, and the files of a set that is kept."""
    files: Files = {}
    for form in ("zip", "npy", "npz", "idx", "idx.gz", "parquet"):
        source, _ = WRITERS[form](place, *small_images(5, (6, 6)))
        files[f"source.{form}"] = source.read_bytes(), to_the_end
    for form in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM"):
        files[f"image.{form}"] = png(small_images(1, (12, 9, 3))[0][0], form), picture
    page = np.full((40, 40), 255, np.uint8)
    page[8:32, 17:22] = 0  # a one
    photograph = png(page)
    files["photograph.png"] = photograph, lambda path: prepare(path.read_bytes())
    files["labels.csv"] = (
        b"file,label\na.png,1\nb.png,2\nc.png,x\n",
        lambda path: read_labels(path, 3, ("a.png", "b.png", "c.png")),
    )
    np.save(place / "labels.npy", np.arange(3))
    files["labels.npy"] = (place / "labels.npy").read_bytes(), lambda path: read_labels(path, 3, ("a", "b", "c"))
    folder = vae.paths.own("data")
    source, _ = WRITERS["npz"](place, *small_images(5, (6, 6)))
    imports.keep(imports.open_source(source), "kept")

    def of_the_set(file: str) -> tuple[bytes, Read]:
        whole = (folder / "kept" / file).read_bytes()

        def read(path: Path) -> None:
            (folder / "kept" / file).write_bytes(path.read_bytes())
            try:
                if card := stored.read_card("kept"):
                    found = stored.load(card)
                    assert found.test.images.dtype == torch.uint8 and len(found.train) == card.train
            finally:
                (folder / "kept" / file).write_bytes(whole)

        return whole, read

    for path in sorted((folder / "kept").iterdir()):
        files[f"kept {path.name}"] = of_the_set(path.name)
    return files


def changed(content: bytes, draw: random.Random, name: str) -> bytes:
    """A file with some bytes others, or what it says of itself in JSON."""
    head = _header(content, name)
    if head is not None and draw.random() < 0.6:
        says = grafted(head, [draw.randrange(10**6) for _ in range(3 * draw.randint(1, 4))])
        return _with_header(content, says, name)
    kinds = ["set", "flip", "cut", "drop", "repeat", "head", "head", "fill"]
    done = [
        (draw.choice(kinds), draw.random(), draw.choice([*EDGES, draw.randrange(256)]))
        for _ in range(draw.randint(1, 6))
    ]
    return damaged(content, done)


def _header(content: bytes, name: str) -> Any:
    if name.endswith(".json"):
        return json.loads(content)
    if name.endswith(".jsonl"):
        return [json.loads(line) for line in content.splitlines()]
    if name.endswith(".safetensors"):
        size = int.from_bytes(content[:8], "little")
        says = json.loads(content[8 : 8 + size])
        return says | {"__metadata__": {key: json.loads(text) for key, text in says["__metadata__"].items()}}
    if name.endswith("replay.bin"):
        return json.loads(content[: content.index(b"\n")])
    return None


def _with_header(content: bytes, says: Any, name: str) -> bytes:
    if name.endswith(".json"):
        return json.dumps(says).encode()
    if name.endswith(".jsonl"):
        return b"".join(json.dumps(line).encode() + b"\n" for line in (says if isinstance(says, list) else [says]))
    if name.endswith("replay.bin"):
        return json.dumps(says).encode() + content[content.index(b"\n") :]
    if isinstance(says, dict) and isinstance(says.get("__metadata__"), dict):
        texts = {key: json.dumps(value) for key, value in says["__metadata__"].items()}
        says = says | {"__metadata__": texts}
    text = json.dumps(says).encode()
    return len(text).to_bytes(8, "little") + text + content[8 + int.from_bytes(content[:8], "little") :]


def peak() -> int:
    """The most memory that this process has taken since `calm`, in bytes."""
    return 1024 * int(
        next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")).split()[1]
    )


def calm() -> int:
    """Forgets the peak so far; the memory that is taken now."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    return peak()


def main(what: str, first: int, count: int) -> dict[str, Any]:
    """Reads so many damaged files; how many were sound, and the worst of time and memory."""
    place = Path(tempfile.mkdtemp())
    os.environ["VAE_DATA"], os.environ["VAE_CHECKPOINTS"] = str(place / "data"), str(place)
    warnings.simplefilter("ignore")  # of Pillow, NumPy and PyTorch, on odd files
    files = (of_models if what == "models" else of_sets)(place)
    case = place / "case"
    case.mkdir()
    for name, (content, read) in files.items():  # whole, so that what is damaged is a file
        (case / name).write_bytes(content)
        read(case / name)
        for path in case.iterdir():
            path.unlink()
    soft = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() + MOST_BYTES + 2**30
    resource.setrlimit(resource.RLIMIT_AS, (soft, resource.RLIM_INFINITY))
    found: Counter[str] = Counter()
    slowest, largest = (0.0, ""), (0, "")
    for number in range(first, first + count):
        draw = random.Random(number)
        name = draw.choice(list(files))
        content, read = files[name]
        path = case / name
        path.write_bytes(changed(content, draw, name))
        before, clock = calm(), time.process_time()
        try:
            read(path)
            found[f"{name}: sound"] += 1
        except VAEError as error:
            if not (10 < len(str(error)) < 2000 and "\n" not in str(error)):
                raise AssertionError(f"case {number}, {name}: {error!r}") from error
            found[f"{name}: said"] += 1
        except BaseException as error:
            raise AssertionError(f"case {number}, {name}: {type(error).__name__}: {error}") from error
        slowest = max(slowest, (time.process_time() - clock, f"{name}, case {number}"))
        largest = max(largest, (peak() - before, f"{name}, case {number}"))
        for left in case.iterdir():
            left.unlink()
    assert slowest[0] < MOST_SECONDS, slowest
    assert largest[0] < MOST_BYTES, largest
    return {"found": found, "slowest": slowest, "largest": largest}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
