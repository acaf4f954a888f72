"""Where images come from: data sets by name, sets of one's own, and photographs of digits.

Images are uint8 tensors, in memory or mapped from disk; PyTorch is imported when the first are loaded. The
wing stands on `vae.errors` and `vae.paths` alone.

    sets         a data set: images of a training and a test split, and their labels
    datasets     data sets by name, MNIST and Fashion-MNIST verified
    sources      where image files come from: disk, mirrors, npm; time limits
    relatives    KMNIST, QMNIST and EMNIST, fetched and kept as imports are
    imports      a source of images opened as a draft, and a draft kept
    drafts       a set as it would be kept, to be looked at before
    stored       sets that are kept: their card, their arrays mapped from disk
    pictures     reader: image files in a folder or a zip archive
    arrays       reader: images in IDX, .npy and .npz
    parquet      reader: images in Parquet, as Hugging Face writes it
    parts        what a reader finds
    labels       labels from files, and classes in their natural order
    pixels       one image as 8-bit pixels of one size
    streams      arrays in files, block by block
    archives     compressed files, read in memory and no further than is plausible
    handwriting  a photograph of a digit as an image of the kind that MNIST is made of
"""

from vae.data import handwriting, imports, stored
from vae.data.datasets import (
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
