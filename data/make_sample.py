"""Make `mnist-sample.npz` from the whole of MNIST: `python -m data.make_sample`, in the folder of the repository.

The choice depends on `SEED` and the images alone. How well zlib packs them may differ from one version to the next, so
the file that ships stays as it is; a new one needs its checksum in `vae/data/datasets.py` and in the README beside it.
"""

import hashlib
from pathlib import Path

import numpy as np

from vae.data.datasets import SAMPLE, Split, load_dataset

SEED = 1998
TRAIN, TEST = 1000, 200  # images of each digit


def choose(split: Split, count: int, random: np.random.RandomState, taken: set[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Choose `count` images of each digit, none of them in `taken`, and add them there. They stay in MNIST's order."""
    images, labels = split.images.numpy(), split.labels.numpy()
    left = dict.fromkeys(range(10), count)
    chosen = []
    for index in random.permutation(len(labels)):
        content = images[index].tobytes()
        if left[labels[index]] and content not in taken:
            left[labels[index]] -= 1
            taken.add(content)
            chosen.append(index)
    chosen.sort()
    return images[chosen], labels[chosen].astype(np.uint8)


def main(path: Path = SAMPLE) -> None:
    """Write the sample."""
    mnist = load_dataset("mnist")
    random = np.random.RandomState(SEED)  # unlike default_rng, the same in every version of numpy
    taken: set[bytes] = set()
    train_images, train_labels = choose(mnist.train, TRAIN, random, taken)
    test_images, test_labels = choose(mnist.test, TEST, random, taken)
    np.savez_compressed(
        path, train_images=train_images, train_labels=train_labels, test_images=test_images, test_labels=test_labels
    )
    print(path, path.stat().st_size, "bytes, SHA-256", hashlib.sha256(path.read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
