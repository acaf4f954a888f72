"""Where images come from: data sets in memory as uint8 tensors, verified, and photographs of digits.

The wing stands on `vae.errors` and `vae.paths` alone.

    sources      where image files come from: disk, mirrors, npm; time limits
    datasets     images in memory as one uint8 tensor, verified
    handwriting  a photograph of a digit as an image of the kind that MNIST is made of
"""

from vae.data import handwriting
from vae.data.datasets import NAMES, Dataset, Split, available, fetch, folder, load_dataset, read_idx

__all__ = [
    "NAMES",
    "Dataset",
    "Split",
    "available",
    "fetch",
    "folder",
    "handwriting",
    "load_dataset",
    "read_idx",
]
