"""Cells that the notebooks of several pages share: a model and its images, codes, the z in use, what it decodes to."""

import base64
import re
import zlib
from collections.abc import Sequence

from pages import cache
from pages.takeaway.view import View

CODES = "codes = vae.encode(model, dataset.test.images)"
_IMPORTS = {
    "np": "import numpy as np",
    "torch": "import torch",
    "Image": "from PIL import Image\n",
    "vae": "import vae",
    "figures": "from vae import figures",
    "latent": "from vae import latent",
}


def imports(cells: Sequence[str]) -> str:
    """Imports what cells use under these names; a cell itself imports what it alone needs."""
    text = "\n".join(cells)
    return "\n".join(line for name, line in _IMPORTS.items() if re.search(rf"(?<![\w.]){name}\.", text))


def load(view: View, images: bool = True) -> str:
    """Loads the model and, if wanted, its images."""
    model = f'model = vae.load("{view.model[0]}")'
    return f"{model}\n{_dataset(view)}" if images else model


def _dataset(view: View) -> str:
    if not view.data.startswith("draws-of-"):
        return f'dataset = vae.load_dataset("{view.data}")'
    return f"""# The images that the model learned from are not here, so draws from the model stand in for them.
draws = np.random.default_rng(0).standard_normal(({cache.models.STAND_INS}, model.config.latent), np.float32)
decoded = (vae.decode(model, draws).mean.clip(0, 1) * 255).round().astype(np.uint8)
split = vae.Split(torch.from_numpy(decoded))
dataset = vae.Dataset("draws", split, split, (), "draws")"""


def _row(view: View) -> str:
    return f"row = {view.row}  # of the test image in use"


def pixels(view: View) -> str:
    """Makes the pixels of the test image in use, with the noise that they have in the explorer."""
    size, count = cache.piece_size(view.data), len(cache.dataset(view.data).test)
    piece, at = divmod(view.row, size)
    images, place = "dataset.test.images", "row"
    if count > size:
        images, place = f"dataset.test.images[{piece * size}:{(piece + 1) * size}]", str(at)
    return f"""{_row(view)}
image = dataset.test.images[row].numpy()
x = model.pixels({images}, vae.generator({piece}))[[{place}]]  # (1, D), as the likelihood takes them"""


def drawing(view: View) -> str:
    """Makes the pixels of the drawing."""
    assert view.drawing is not None
    content = base64.b64encode(zlib.compress(view.drawing.tobytes())).decode()
    return f"""import base64
import zlib

drawn = zlib.decompress(base64.b64decode("{content}"))
image = np.frombuffer(drawn, np.uint8).reshape({view.drawing.shape}).copy()  # the drawing
x = model.pixels(torch.from_numpy(image)[None], vae.generator(0))  # (1, D), as the likelihood takes them"""


def axes(plane: tuple[int, int] | None) -> str:
    """Lays a plane through the codes: that of two coordinates, or of the principal directions."""
    if plane is None:
        return "axes = latent.principal_axes(codes.mean)"
    return f"axes = latent.coordinate_axes(codes.mean, {plane[0]}, {plane[1]})"


def titles(plane: tuple[int, int] | None) -> str:
    """Writes the titles of the axes of a plane."""
    if plane is None:
        return '("first principal direction", "second principal direction")'
    return f'("z{plane[0] + 1}", "{f"z{plane[1] + 1}" if plane[1] != plane[0] else ""}")'


def points(view: View, plane: tuple[int, int] | None) -> str:
    """Draws the codes on a plane, coloured by class or, without labels, by density or, without q(z), by cluster."""
    if cache.dataset(view.data).labelled:
        groups = "labels, names = dataset.test.labels.numpy(), dataset.classes"
    elif cache.record(view.model[0]).autoencoder:
        groups = f"""labels = latent.k_means(codes.mean, {cache.latent.CLUSTERS}).labels
names = [f"cluster {{number + 1}}" for number in range({cache.latent.CLUSTERS})]"""
    else:
        groups = f"""mixture = vae.encode(model, dataset.train.images[:{cache.latent.MIXTURE}])
labels, reach = figures.levels(latent.aggregate.log_density(mixture, codes.mean))
names = ()  # the colours are levels of log q(z)"""
    return f"""{axes(plane)}
{groups}
figures.latent.projected(axes.project(codes.mean), labels, names, {titles(plane)}).show()"""


def decoded(view: View) -> str:
    """Decodes the z in use: its mean on the left, a draw on the right."""
    if view.z is None:
        z = f"{_row(view)}\nz = codes.mean[[row]]"
    else:
        z = f"z = np.array([{list(view.z)}], np.float32)  # which was chosen"
    return f"""{z}
decoded = vae.decode(model, z, seed={view.seed})
Image.fromarray(figures.contact_sheet(np.stack([decoded.mean[0], decoded.sample[0]]), 2, 4))"""
