"""Texts shared by several pages."""

import math
import re

from pages.ui.language import _
from vae import Dataset
from vae.model import AnyConfig


def likelihood(name: str) -> str:
    """Describes p(x|z)."""
    return {
        "gaussian": _("Gaussian, one variance per pixel"),
        "gaussian-shared": _("Gaussian, one shared variance"),
        "bernoulli": _("Bernoulli, binary pixels"),
    }[name]


def objective(name: str) -> str:
    """Describes the objective of training."""
    return {
        "elbo": _("ELBO"),
        "iwae": _("IWAE, the importance-weighted bound"),
        "autoencoder": _("Autoencoder: reconstruction only"),
    }[name]


def dataset(data: Dataset) -> str:
    """Describes a data set."""
    return _("{name}: {train:,} training and {test:,} test images").format(
        name=title(data), train=len(data.train), test=len(data.test)
    )


def title(data: Dataset) -> str:
    """Returns the title of a data set."""
    return _("A sample of MNIST") if data.name == "mnist-sample" else data.title


def classes(data: Dataset) -> tuple[str, ...]:
    """Returns the class names of a data set; () if there are no labels."""
    words = {
        "T-shirt/top": _("T-shirt/top"), "Trouser": _("Trouser"), "Pullover": _("Pullover"), "Dress": _("Dress"),
        "Coat": _("Coat"), "Sandal": _("Sandal"), "Shirt": _("Shirt"), "Sneaker": _("Sneaker"), "Bag": _("Bag"),
        "Ankle boot": _("Ankle boot"), "drawing": _("your drawing"),
    }  # fmt: skip
    return tuple(words.get(name, name) for name in data.classes)


def digits(data: Dataset) -> bool:
    """Whether the classes are the ten digits."""
    return data.classes == tuple("0123456789")


def draws(data: Dataset) -> bool:
    """Whether the images are samples from a model that replace an unavailable data set."""
    return data.name.startswith("draws-of-")


def image(data: Dataset, row: int) -> str:
    """Describes a test image by row and, if labelled, class; or the sample that replaces it."""
    if draws(data):
        return _("sample {row}").format(row=row)
    if not data.labelled:
        return _("test image {row}").format(row=row)
    return _("test image {row}, {name}").format(row=row, name=classes(data)[int(data.test.labels[row])])


def short(name: str, most: int = 12) -> str:
    """Truncates a name that is too long for a button."""
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"


def activation(name: str) -> str:
    """Returns the name of an activation function."""
    return {"relu": "ReLU", "tanh": "tanh", "silu": "SiLU"}[name]


def schedule(name: str) -> str:
    """Describes a learning rate schedule."""
    return {"one-cycle": _("one cycle"), "constant": _("constant"), "cosine": _("cosine")}[name]


def state(job: str) -> str:
    """Describes the state of a training run that has not ended."""
    return {"starting": _("starting"), "queued": _("waiting"), "running": _("running"), "paused": _("paused")}[job]


def seconds(count: float) -> str:
    """Formats a duration."""
    return _("{s:.0f} s").format(s=count) if count < 90 else _("{m:.0f} min").format(m=count / 60)


def file_size(count: int) -> str:
    """Formats the size of a file."""
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:,.1f} kB"


def coordinate(j: int) -> str:
    """Returns the name of a latent coordinate, counted from 0, readable by screen readers: z₁."""
    return "z" + str(j + 1).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def carries(j: int, amount: float, unit: str) -> str:
    """Returns the name of a latent coordinate with the information it carries."""
    return f"{coordinate(j)}, {amount:.1f} {unit}" if amount >= 0.01 else _("{name}, unused").format(name=coordinate(j))


def floor(config: AnyConfig) -> str:
    """Describes the lower bound on the variance of a pixel."""
    if config.likelihood == "bernoulli":
        return _("binary pixels")
    if config.log_variance_floor is None:
        return _("no variance floor")
    return _("floor of log σ²: {floor:g}").format(floor=config.log_variance_floor)


def size(config: AnyConfig) -> str:
    """Describes the number of values in an image: pixels in grey, three times as many in colour."""
    return (_("{count} pixels") if config.grey else _("{count} values")).format(count=config.pixels)


def sides(image_shape: tuple[int, ...]) -> str:
    """Describes the shape of an image: 28 × 28, or 64 × 64 in colour."""
    size = " × ".join(map(str, image_shape[:2]))
    return _("{size} in colour").format(size=size) if len(image_shape) == 3 else size


def deviation(config: AnyConfig) -> str:
    """Returns the caption of a picture of sigma, which is averaged over the three channels in colour."""
    return _("σ of p(x|z)") if config.grey else _("σ of p(x|z), averaged over the colour channels")


def deviation_range(config: AnyConfig) -> str:
    """Returns the caption of a picture of sigma, with fields for the minimum and maximum."""
    if config.grey:
        return _("σ of p(x|z), {low} to {high}")
    return _("σ of p(x|z), averaged over the colour channels, {low} to {high}")


def about(count: float) -> str:
    """Formats a number with one significant digit: 24,137 is 20,000, and 3e8 is 3 × 10⁸."""
    return power(math.log(count))


def number(value: float, digits: int = 1, sign: bool = False) -> str:
    """Formats a number with a true minus sign and thousands separators; on request also with a plus sign."""
    rounded = round(value, digits) + 0.0  # no -0
    return f"{rounded:{'+' if sign else ''},.{digits}f}".replace("-", "−")


def span(low: float, high: float) -> tuple[str, str]:
    """Formats two numbers with enough digits to distinguish them, from one to six."""
    digits = next((count for count in range(1, 6) if round(low, count) != round(high, count)), 6)
    return number(low, digits), number(high, digits)


def small(value: float) -> str:
    """Formats a number >= 0 with two significant digits, 0.033, or with one if it is tiny, 3 × 10⁻⁷."""
    if value >= 1e-3:
        return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"
    if value <= 0:
        return "0"
    digit, exponent = f"{value:.0e}".split("e")
    return f"{digit} × 10{power_of_ten(int(exponent))}"


def power(nats: float) -> str:
    """Formats e^nats with one significant digit."""
    whole, rest = divmod(nats / math.log(10), 1)
    digit, exponent = round(10**rest), int(whole)
    if digit == 10:
        digit, exponent = 1, exponent + 1
    if exponent < 0:
        return f"{math.exp(nats):.2g}"
    return f"{digit * 10**exponent:,}" if exponent < 6 else f"{digit} × 10{power_of_ten(exponent)}"


def power_of_ten(power: int) -> str:
    """Formats an exponent: 12 is ¹²."""
    return str(power).translate(str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))


def literal(text: str) -> str:
    """Escapes a text that Streamlit would interpret as Markdown."""
    text = re.sub(r"([\\`*_~$<>#:\[\]])", r"\\\1", text)
    return re.sub(r"^(\d*)([-+.)])(?=\s|-|$)", r"\1\\\2", text)  # would begin a list or a rule
