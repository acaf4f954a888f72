"""Example descriptions of common networks: each can be used unchanged with weights of its sizes."""

from __future__ import annotations

import json
import tomllib

__all__ = ["TEMPLATES", "as_json"]

_HEAD = """# Replace the layer names by those in model.state_dict().
latent = {latent}
image = [28, 28]            # height, width; followed by 3 for colour
likelihood = "bernoulli"    # or "gaussian"
# data = "mnist"            # the data set that it is shown with
"""

TEMPLATES = {
    "perceptron": _HEAD.format(latent=20)
    + """
[encoder]
layers = ["fc1", "relu"]    # in order, including activations
mean = "fc21"
log_variance = "fc22"       # or the same name: its second half

[decoder]
# without the sigmoid it returns logits or, if Gaussian, a mean
layers = ["fc3", "relu", "fc4", "sigmoid"]
""",
    "convolutional": _HEAD.format(latent=10)
    + """
[encoder]
layers = [    # only what differs from PyTorch's defaults
    {conv = "enc.0", stride = 2, padding = 1}, "relu",
    {conv = "enc.2", stride = 2, padding = 1}, "relu",
]
mean = "to_mean"    # a linear layer flattens its input
log_variance = "to_log_variance"

[decoder]
# without the sigmoid it returns logits or, if Gaussian, a mean
layers = [
    "dec.0", "relu", {reshape = [64, 7, 7]},
    {conv_transpose = "dec.3", stride = 2, padding = 1}, "relu",
    {conv_transpose = "dec.5", stride = 2, padding = 1}, "sigmoid",
]
""",
}


def as_json(template: str) -> str:
    """Converts a template, or another description in TOML, to JSON, which has no comments."""
    return json.dumps(tomllib.loads(template), indent=2) + "\n"
