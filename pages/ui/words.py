"""Words that several pages share."""

import math
import re

from pages.ui.language import _
from vae import Dataset
from vae.model import AnyConfig


def likelihood(name: str) -> str:
    """Says in words what p(x|z) is."""
    return {
        "gaussian": _("Gaussian, a variance for each pixel"),
        "gaussian-shared": _("Gaussian, one variance for the image"),
        "bernoulli": _("Bernoulli, binary pixels"),
    }[name]


def objective(name: str) -> str:
    """Says in words what training maximises."""
    return {
        "elbo": _("ELBO"),
        "iwae": _("IWAE, the importance-weighted bound"),
        "autoencoder": _("Autoencoder: reconstruction alone"),
    }[name]


def dataset(data: Dataset) -> str:
    """Says what a data set is."""
    return _("{name}: {train:,} training and {test:,} test images").format(
        name=title(data), train=len(data.train), test=len(data.test)
    )


def title(data: Dataset) -> str:
    """Names a data set."""
    return _("A sample of MNIST") if data.name == "mnist-sample" else data.title


def classes(data: Dataset) -> tuple[str, ...]:
    """Says what the labels of a data set stand for; () where there are none."""
    words = {
        "T-shirt/top": _("T-shirt/top"), "Trouser": _("Trouser"), "Pullover": _("Pullover"), "Dress": _("Dress"),
        "Coat": _("Coat"), "Sandal": _("Sandal"), "Shirt": _("Shirt"), "Sneaker": _("Sneaker"), "Bag": _("Bag"),
        "Ankle boot": _("Ankle boot"), "drawing": _("your drawing"),
    }  # fmt: skip
    return tuple(words.get(name, name) for name in data.classes)


def digits(data: Dataset) -> bool:
    """Whether images show the ten digits."""
    return data.classes == tuple("0123456789")


def draws(data: Dataset) -> bool:
    """Whether images are draws of a model, which stand in for those that nobody here has."""
    return data.name.startswith("draws-of-")


def image(data: Dataset, row: int) -> str:
    """Says which test image it is, with its class where it has one; or which draw stands in its place."""
    if draws(data):
        return _("draw {row}").format(row=row)
    if not data.labelled:
        return _("test image {row}").format(row=row)
    return _("test image {row}, {name}").format(row=row, name=classes(data)[int(data.test.labels[row])])


def short(name: str, most: int = 12) -> str:
    """Cuts a name off that is too long for a button."""
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"


def activation(name: str) -> str:
    """Names what stands between the layers."""
    return {"relu": "ReLU", "tanh": "tanh", "silu": "SiLU"}[name]


def schedule(name: str) -> str:
    """Says in words how the learning rate moves."""
    return {"one-cycle": _("one cycle"), "constant": _("constant"), "cosine": _("cosine")}[name]


def state(job: str) -> str:
    """Says in a word how a training stands that is not over."""
    return {"starting": _("starting"), "queued": _("waits"), "running": _("running"), "paused": _("paused")}[job]


def seconds(count: float) -> str:
    """Says how long something takes."""
    return _("{s:.0f} s").format(s=count) if count < 90 else _("{m:.0f} min").format(m=count / 60)


def file_size(count: int) -> str:
    """Says the size of a file."""
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:,.1f} kB"


def coordinate(j: int) -> str:
    """Names a latent coordinate, counted from 0, so that a screen reader can say it too: z₁."""
    return "z" + str(j + 1).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def carries(j: int, amount: float, unit: str) -> str:
    """Names a latent coordinate with what it carries."""
    return f"{coordinate(j)}, {amount:.1f} {unit}" if amount >= 0.01 else _("{name}, unused").format(name=coordinate(j))


def floor(config: AnyConfig) -> str:
    """Says what bounds a pixel's variance from below."""
    if config.likelihood == "bernoulli":
        return _("binary pixels")
    if config.log_variance_floor is None:
        return _("no variance floor")
    return _("floor of log σ² at {floor:g}").format(floor=config.log_variance_floor)


def size(config: AnyConfig) -> str:
    """Says how many numbers an image has: pixels in grey, three times as many values in colour."""
    return (_("{count} pixels") if config.grey else _("{count} values")).format(count=config.pixels)


def sides(image_shape: tuple[int, ...]) -> str:
    """Says the height and the width of an image, and whether it is in colour: 28 × 28, or 64 × 64 in colour."""
    size = " × ".join(map(str, image_shape[:2]))
    return _("{size} in colour").format(size=size) if len(image_shape) == 3 else size


def deviation(config: AnyConfig) -> str:
    """Names the deviation as it is shown: in colour a pixel has three, and the picture has their mean."""
    return _("σ of p(x|z)") if config.grey else _("σ of p(x|z), the mean over three colours")


def deviation_range(config: AnyConfig) -> str:
    """Names the deviation as it is shown, with braces for the least and the largest."""
    if config.grey:
        return _("σ of p(x|z), {low} to {high}")
    return _("σ of p(x|z), the mean over three colours, {low} to {high}")


def about(count: float) -> str:
    """Says a number with one digit: 24,137 is 20,000, and 3e8 is 3 × 10⁸."""
    return power(math.log(count))


def number(value: float, digits: int = 1, sign: bool = False) -> str:
    """Says a number with a true minus, thousands apart; with its sign also where it is a plus, if wanted."""
    rounded = round(value, digits) + 0.0  # no -0
    return f"{rounded:{'+' if sign else ''},.{digits}f}".replace("-", "−")


def span(low: float, high: float) -> tuple[str, str]:
    """Says two numbers with as many digits as tell them apart, one at least and six at most."""
    digits = next((count for count in range(1, 6) if round(low, count) != round(high, count)), 6)
    return number(low, digits), number(high, digits)


def small(value: float) -> str:
    """Says a number that is not below 0 with two digits: 0.033, and one where it is tiny: 3 × 10⁻⁷."""
    if value >= 1e-3:
        return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"
    if value <= 0:
        return "0"
    digit, exponent = f"{value:.0e}".split("e")
    return f"{digit} × 10{power_of_ten(int(exponent))}"


def power(nats: float) -> str:
    """Says e^nats with one digit."""
    whole, rest = divmod(nats / math.log(10), 1)
    digit, exponent = round(10**rest), int(whole)
    if digit == 10:
        digit, exponent = 1, exponent + 1
    if exponent < 0:
        return f"{math.exp(nats):.2g}"
    return f"{digit * 10**exponent:,}" if exponent < 6 else f"{digit} × 10{power_of_ten(exponent)}"


def power_of_ten(power: int) -> str:
    """Writes an exponent: 12 is ¹²."""
    return str(power).translate(str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))


def literal(text: str) -> str:
    """Returns a text so that Streamlit shows it as it is, where it would read Markdown in it."""
    text = re.sub(r"([\\`*_~$<>#:\[\]])", r"\\\1", text)
    return re.sub(r"^(\d*)([-+.)])(?=\s|-|$)", r"\1\\\2", text)  # what would begin a list or draw a line
