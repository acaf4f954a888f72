"""Reparameterisation: why sampling blocks the gradient, how fixed noise lets it pass, and how much that saves."""

import numpy as np

from pages import cache
from pages.learn import kit
from pages.ui import words
from pages.ui.browser import reparameterise
from pages.ui.language import _
from vae import figures
from vae.derivation import gradient_draws

COUNTS = np.unique(np.geomspace(4, cache.bound.DRAWS, 24).round().astype(int))


def show(scene: kit.Scene) -> None:
    """Draws the chapter."""
    text, formulas = kit.two()
    with text:
        kit.words(
            _(
                r"$\mathcal{L}_1$ is an average over samples $z \sim q_\phi(z|x)$. The average depends on $\phi$, but "
                r"a sampled $z$ is only a number: nothing in it says how it would have changed with $\mu$ and "
                r"$\sigma$, so backpropagation stops there. **Reparameterisation** samples the noise first, $\epsilon "
                r"\sim \mathcal{N}(0, I)$, and computes $z$ from it. For fixed $\epsilon$, $z$ is a smooth function of "
                r"$\mu$ and $\sigma$. ($\odot$ is the elementwise product.)"
            )
        )
    with formulas:
        kit.formula(r"z = \mu_z(x, \phi) + \sigma_z(x, \phi) \odot \epsilon, \quad \epsilon \sim \mathcal{N}(0, I)")
        kit.formula(r"\nabla_{\mu} \mathcal{L}_1 = \mathbb{E}_\epsilon\big[\nabla_z \log p(x|z)\big]")
        kit.words(
            _(
                r"Drag the ellipse with $\epsilon$ fixed, then with $\epsilon$ resampled at each move; then sweep "
                r"$\mu$ in both modes."
            )
        )
    reparameterise.show(
        scene.model, f"{scene.model} {scene.row}", cache.pixels(scene.model, scene.dataset.name, scene.rows)[0].numpy(),
        cache.bound.code(scene.model, scene.dataset.name, scene.row),
    )  # fmt: skip
    kit.words(
        _(
            r"An alternative is the **score-function estimator**: $\nabla_\mu \mathbb{E}_q[f(z)] = "
            r"\mathbb{E}_q[f(z)\, \nabla_\mu \log q(z)]$ with $f(z) = \log p(x|z)$. It needs no gradient of $f$, and "
            "it is unbiased as well."
        )
    )
    committed = kit.ask(
        7,
        _("How large is the variance of the score-function gradient from one sample, compared with that of the "
          "reparameterised gradient?"),
        {
            "a": _("At most 2 times as large"), "b": _("2 to 100 times as large"),
            "c": _("100 to 10,000 times as large"), "d": _("More than 10,000 times as large"),
        },
        lambda: _answer(scene),
    )  # fmt: skip
    if committed:
        _errors(scene)
    kit.words(_("**Next**: the other term of the bound needs no samples at all."))
    kit.code([gradient_draws], CELL.format(name=scene.model[0], data=scene.dataset.name, row=scene.row, draws=4000))


CELL = """import vae
from vae.derivation import gradient_draws

model = vae.load("{name}")
images = vae.load_dataset("{data}", fetch=False).test.images
x = model.pixels(images, vae.generator(0))[{row} : {row} + 1]
found = gradient_draws(model, x, {draws}, vae.generator(0))
for name in found._fields:
    print(f"{{name}}: {{found.ratio(name):,.1f}} times the variance, d/d mu {{getattr(found, name)[:, 0].mean(0)}}")
"""


def _answer(scene: kit.Scene) -> kit.Answer:
    found = cache.bound.gradient_draws(scene.model, scene.dataset.name, scene.row)
    ratio = found.ratio("score")
    right = "a" if ratio < 2 else "b" if ratio < 100 else "c" if ratio < 10_000 else "d"
    says = _(
        "Over {draws:,} samples for this {label} it is {ratio} times as large: f, about {value:,.0f} nats, multiplies "
        "all of the noise. If a baseline is subtracted from f, its mean over the other samples, it is {less:.1f} "
        "times as large."
    )
    value = cache.bound.reconstruction(scene.model, scene.dataset.name, scene.row)[0]
    return kit.Answer(
        right,
        says.format(
            draws=cache.bound.DRAWS, label=scene.label, ratio=words.about(ratio), value=value,
            less=found.ratio("baseline"),
        ),
    )  # fmt: skip


def _errors(scene: kit.Scene) -> None:
    """Shows how many samples each estimator needs until its error is smaller than the gradient itself."""
    found = cache.bound.gradient_draws(scene.model, scene.dataset.name, scene.row)
    names = {
        "reparameterised": (_("reparameterised"), "elbo"), "baseline": (_("score function with baseline"), "jackknife"),
        "score": (_("score function"), "naive"),
    }  # fmt: skip
    lines = {
        name: (colour, np.sqrt((found.running(key, COUNTS)[1][:, 0] ** 2).sum(1)))
        for key, (name, colour) in names.items()
    }
    size = float(np.linalg.norm(found.reparameterised[:, 0].mean(0)))
    text, picture = kit.two()
    with text:
        kit.words(
            _(
                "The gradient with respect to μ has a length of {size:,.0f} nats per unit. For a standard error as "
                "small as this, the number of samples needed is about **{few}** with the reparameterisation, "
                "**{some}** with the score function and a baseline, and **{many}** with the score function alone. "
                "That is why one sample per image and step, averaged over a batch of images, is enough to train a VAE."
            ).format(
                size=size, **{
                    word: words.about(max(1.0, float(found.variance(key)[0].sum()) / size**2))
                    for word, key in (("few", "reparameterised"), ("some", "baseline"), ("many", "score"))
                },
            )
        )  # fmt: skip
    with picture:
        titles = (_("length of the gradient"), _("number of samples"), _("standard error of the μ gradient"))
        kit.chart(
            figures.bound.errors(COUNTS, lines, size, titles), "7.errors",
            alt=_("Standard errors of three gradient estimators, decreasing with the number of samples"),
        )  # fmt: skip
