"""Sources of images: data sets by name, imported sets, and photographs of digits.

Images are uint8 tensors, in memory or mapped from disk; PyTorch is imported when the first images are loaded. The wing
depends only on `vae.errors` and `vae.paths`.

    sets         a data set: images of a training and a test split, and their labels
    datasets     data sets by name; MNIST and Fashion-MNIST are verified
    sources      where image files come from: disk, mirrors, npm; with time limits
    relatives    KMNIST, QMNIST and EMNIST, downloaded and stored like imported sets
    imports      opens a source of images as a draft, and stores a draft
    drafts       a set as it would be stored, for inspection
    stored       stored sets: their card, and their arrays mapped from disk
    pictures     reader: image files in a folder or a zip archive
    arrays       reader: images in IDX, .npy and .npz
    parquet      reader: images in Parquet, as written by Hugging Face
    parts        the result of a reader
    labels       labels from files, and classes in their natural order
    pixels       one image as 8-bit pixels of a given size
    streams      arrays in files, block by block
    archives     compressed files, read in memory and only up to a plausible size
    handwriting  converts a photograph of a digit to an image like those of MNIST
"""

from vae.data import handwriting, imports, stored
from vae.data.datasets import (
    DOWNLOADS,
    NAMES,
    Dataset,
    Facts,
    Split,
    available,
    facts,
    fetch,
    folder,
    image_shape_of,
    load_dataset,
    names,
    read_idx,
    said_size,
)

__all__ = [
    "DOWNLOADS",
    "NAMES",
    "Dataset",
    "Facts",
    "Split",
    "available",
    "facts",
    "fetch",
    "folder",
    "handwriting",
    "image_shape_of",
    "imports",
    "load_dataset",
    "names",
    "read_idx",
    "said_size",
    "stored",
]
