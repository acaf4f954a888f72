"""Descriptions to begin with, of the networks that are usual: each reads as it stands, with weights of its sizes."""

from __future__ import annotations

import json
import tomllib

__all__ = ["TEMPLATES", "as_json"]

_HEAD = """# What is in the weights' file, for vae-explorer: change the names to those of model.state_dict().keys().
latent = {latent}                # latent dimensions
image = {image}        # height and width, and 3 for colour: [64, 64, 3]
likelihood = "bernoulli"   # or "gaussian"
# data = "mnist"           # the data set that the model is shown with
"""

TEMPLATES = {
    "perceptron": _HEAD.format(latent=20, image="[28, 28]")
    + """
[encoder]
layers = ["fc1", "relu"]   # in their order: layers by their names, activations by theirs
mean = "fc21"
log_variance = "fc22"      # where one layer gives both, name it twice: its first half is the mean

[decoder]
layers = ["fc3", "relu", "fc4", "sigmoid"]   # leave the last sigmoid out where the decoder gives logits or a mean
# log_variance = "fc5"     # of a Gaussian whose variance the decoder gives; then mean = "..." as well
""",
    "convolutional": _HEAD.format(latent=10, image="[28, 28]")
    + """
[encoder]
layers = [
    {conv = "enc.0", stride = 2, padding = 1}, "relu",   # what differs from PyTorch's defaults is said
    {conv = "enc.2", stride = 2, padding = 1}, "relu",
]                                                        # a linear layer lays out flat what it is given
mean = "to_mean"
log_variance = "to_log_variance"

[decoder]
layers = [
    "dec.0", "relu", {reshape = [64, 7, 7]},
    {conv_transpose = "dec.3", stride = 2, padding = 1}, "relu",
    {conv_transpose = "dec.5", stride = 2, padding = 1}, "sigmoid",
]
""",
}


def as_json(template: str) -> str:
    """Returns a template, or another description in TOML, as JSON, which has no comments."""
    return json.dumps(tomllib.loads(template), indent=2) + "\n"
