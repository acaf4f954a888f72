"""Descriptions to begin with, of the networks that are usual: each reads as it stands, with weights of its sizes."""

from __future__ import annotations

import json
import tomllib

__all__ = ["TEMPLATES", "as_json"]

_HEAD = """# Put the names of model.state_dict() in the place of these.
latent = {latent}
image = [28, 28]            # height, width; a 3 after them for colour
likelihood = "bernoulli"    # or "gaussian"
# data = "mnist"            # the data set that it is shown with
"""

TEMPLATES = {
    "perceptron": _HEAD.format(latent=20)
    + """
[encoder]
layers = ["fc1", "relu"]    # in their order, activations too
mean = "fc21"
log_variance = "fc22"       # or the same name: its second half

[decoder]
# without the sigmoid it gives logits or, if Gaussian, a mean
layers = ["fc3", "relu", "fc4", "sigmoid"]
""",
    "convolutional": _HEAD.format(latent=10)
    + """
[encoder]
layers = [    # say what differs from PyTorch's defaults
    {conv = "enc.0", stride = 2, padding = 1}, "relu",
    {conv = "enc.2", stride = 2, padding = 1}, "relu",
]
mean = "to_mean"    # a linear layer lays out flat what it is given
log_variance = "to_log_variance"

[decoder]
# without the sigmoid it gives logits or, if Gaussian, a mean
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
