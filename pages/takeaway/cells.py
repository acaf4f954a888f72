"""Cells that the notebooks of several pages share: a model and its images, codes, the z in use, what it decodes to."""

import base64
import zlib

from pages import cache
from pages.takeaway.view import View

IMPORTS = """import numpy as np
import torch
from PIL import Image

import vae
from vae import figures"""


def load(view: View) -> str:
    """Loads the model and its images, and says which test image is in use."""
    return f"""{IMPORTS}

model = vae.load({view.model[0]!r})
{_images(view)}
row = {view.row}  # of the test image in use"""


def _images(view: View) -> str:
    if not view.data.startswith("draws-of-"):
        return f"dataset = vae.load_dataset({view.data!r})"
    return f"""# The images that the model learned from are not here: draws of its own stand in for them.
draws = np.random.default_rng(0).standard_normal(({cache.models.STAND_INS}, model.config.latent), np.float32)
made = (vae.decode(model, draws).mean.clip(0, 1) * 255).round().astype(np.uint8)
split = vae.Split(torch.from_numpy(made))
dataset = vae.Dataset("draws", split, split, (), "draws")"""


def pixels(view: View) -> str:
    """Makes the pixels of the test image in use, with the noise that they have in the explorer."""
    size, count = cache.piece_size(view.data), len(cache.dataset(view.data).test)
    piece, at = divmod(view.row, size)
    images = "dataset.test.images" if count <= size else f"dataset.test.images[{piece * size}:{(piece + 1) * size}]"
    return f"""image = dataset.test.images[row].numpy()
x = model.pixels({images}, vae.generator({piece}))[[{at}]]  # (1, D)"""


def drawing(view: View) -> str:
    """Makes the pixels of the drawing."""
    assert view.drawing is not None
    content = base64.b64encode(zlib.compress(view.drawing.tobytes())).decode()
    return f"""import base64
import zlib

drawn = zlib.decompress(base64.b64decode({content!r}))
image = np.frombuffer(drawn, np.uint8).reshape({view.drawing.shape}).copy()  # the drawing
x = model.pixels(torch.from_numpy(image)[None], vae.generator(0))  # (1, D)"""


def codes(view: View, plane: tuple[int, int] | None) -> str:
    """Encodes all test images, and lays a plane through their codes."""
    if plane is None:
        axes = "latent.principal_axes(codes.mean)"
    else:
        axes = f"latent.coordinate_axes(codes.mean, {plane[0]}, {plane[1]})"
    return f"""from vae import latent

codes = vae.encode(model, dataset.test.images)
axes = {axes}"""


def titles(plane: tuple[int, int] | None) -> tuple[str, str]:
    """Names the axes of a plane."""
    if plane is None:
        return "first principal direction", "second principal direction"
    return f"z{plane[0] + 1}", f"z{plane[1] + 1}" if plane[1] != plane[0] else ""


def points(view: View, plane: tuple[int, int] | None) -> str:
    """Draws the codes on the plane, coloured as the explorer does: by class, by density, or by cluster."""
    if cache.dataset(view.data).labelled:
        groups = "labels, names = dataset.test.labels.numpy(), dataset.classes"
    elif cache.record(view.model[0]).autoencoder:
        groups = f"""labels = latent.k_means(codes.mean, {cache.latent.CLUSTERS}).labels
names = [f"cluster {{number + 1}}" for number in range({cache.latent.CLUSTERS})]"""
    else:
        groups = f"""mixture = vae.encode(model, dataset.train.images[:{cache.latent.MIXTURE}])
labels, _ = figures.levels(latent.aggregate.log_density(mixture, codes.mean))
names = ()"""
    return f"""{groups}
figures.latent.projected(axes.project(codes.mean), labels, names, {titles(plane)}).show()"""


def latent_in_use(view: View) -> str:
    """Decodes the z in use: its mean on the left, a draw on the right."""
    if view.z is None:
        z = "codes.mean[[row]]  # the mean of q(z|x) of the test image in use"
    else:
        z = f"np.array([{list(view.z)}], np.float32)  # the z that was chosen"
    return f"""z = {z}
decoded = vae.decode(model, z, seed={view.seed})
Image.fromarray(figures.contact_sheet(np.stack([decoded.mean[0], decoded.sample[0]]), 2, 4))"""
