"""Cells that the notebooks of several pages share: a model and its images, codes, the current z, its decoding."""

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
    """Returns the imports that cells have in common; what only one cell needs, that cell imports."""
    text = "\n".join(cells)
    return "\n".join(line for name, line in _IMPORTS.items() if re.search(rf"(?<![\w.]){name}\.", text))


def load(view: View, images: bool = True) -> str:
    """Returns a cell that loads the model and, if wanted, its images."""
    model = f'model = vae.load("{view.model[0]}")'
    return f"{model}\n{_dataset(view)}" if images else model


def _dataset(view: View) -> str:
    if not view.data.startswith("draws-of-"):
        return f'dataset = vae.load_dataset("{view.data}")'
    return f"""# The images that the model was trained on are not available, so samples from the model replace them.
draws = np.random.default_rng(0).standard_normal(({cache.models.STAND_INS}, model.config.latent), np.float32)
decoded = (vae.decode(model, draws).mean.clip(0, 1) * 255).round().astype(np.uint8)
split = vae.Split(torch.from_numpy(decoded))
dataset = vae.Dataset("draws", split, split, (), "draws")"""


def _row(view: View) -> str:
    return f"row = {view.row}  # of the selected test image"


def pixels(view: View) -> str:
    """Returns a cell with the pixels of the selected test image, dequantised or binarised as in the explorer."""
    size, count = cache.piece_size(view.data), len(cache.dataset(view.data).test)
    piece, at = divmod(view.row, size)
    images, place = "dataset.test.images", "row"
    if count > size:
        images, place = f"dataset.test.images[{piece * size}:{(piece + 1) * size}]", str(at)
    return f"""{_row(view)}
image = dataset.test.images[row].numpy()
x = model.pixels({images}, vae.generator({piece}))[[{place}]]  # (1, D), as the likelihood expects them"""


def drawing(view: View) -> str:
    """Returns a cell with the pixels of the drawing."""
    assert view.drawing is not None
    content = base64.b64encode(zlib.compress(view.drawing.tobytes())).decode()
    return f"""import base64
import zlib

drawn = zlib.decompress(base64.b64decode("{content}"))
image = np.frombuffer(drawn, np.uint8).reshape({view.drawing.shape}).copy()  # the drawing
x = model.pixels(torch.from_numpy(image)[None], vae.generator(0))  # (1, D), as the likelihood expects them"""


def axes(plane: tuple[int, int] | None) -> str:
    """Returns a cell that chooses a plane through the codes: two coordinates, or the principal directions."""
    if plane is None:
        return "axes = latent.principal_axes(codes.mean)"
    return f"axes = latent.coordinate_axes(codes.mean, {plane[0]}, {plane[1]})"


def titles(plane: tuple[int, int] | None) -> str:
    """Returns the axis titles of a plane."""
    if plane is None:
        return '("first principal direction", "second principal direction")'
    return f'("z{plane[0] + 1}", "{f"z{plane[1] + 1}" if plane[1] != plane[0] else ""}")'


def points(view: View, plane: tuple[int, int] | None) -> str:
    """Returns a cell that draws the codes on a plane; the colours are classes, levels of density or clusters."""
    if cache.dataset(view.data).labelled:
        groups = "labels, names = dataset.test.labels.numpy(), dataset.classes"
    elif cache.record(view.model[0]).autoencoder:
        groups = f"""labels = latent.k_means(codes.mean, {cache.latent.CLUSTERS}).labels
names = [f"cluster {{number + 1}}" for number in range({cache.latent.CLUSTERS})]"""
    else:
        groups = f"""mixture = vae.encode(model, dataset.train.images[:{cache.latent.MIXTURE}])
labels, reach = figures.levels(latent.aggregate.log_density(mixture, codes.mean))
names = ()  # colours show levels of log q(z)"""
    return f"""{axes(plane)}
{groups}
figures.latent.projected(axes.project(codes.mean), labels, names, {titles(plane)}).show()"""


def decoded(view: View) -> str:
    """Returns a cell that decodes the current z: the mean on the left, a sample on the right."""
    if view.z is None:
        z = f"{_row(view)}\nz = codes.mean[[row]]"
    else:
        z = f"z = np.array([{list(view.z)}], np.float32)  # the chosen point"
    return f"""{z}
decoded = vae.decode(model, z, seed={view.seed})
Image.fromarray(figures.contact_sheet(np.stack([decoded.mean[0], decoded.sample[0]]), 2, 4))"""
