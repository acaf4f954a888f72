"""The task: images without labels, a latent variable of few dimensions, and a network that maps it to images."""

import math

import streamlit as st

from pages import cache
from pages.learn import kit
from pages.ui import words
from pages.ui.browser import generate
from pages.ui.fragment import fragment
from pages.ui.language import _
from vae import latent
from vae.uses import variance


def show(scene: kit.Scene) -> None:
    """Draws the chapter."""
    binary = scene.config.likelihood == "bernoulli"
    text, right = kit.two()
    with text:
        kit.words(
            _(
                "We have {count:,} images $x$ of {pixels} each and use no labels. We want to learn their distribution "
                "$p(x)$: with it we can generate new images, and judge how unusual a given one is. Assume that each "
                "image was generated from a **latent variable** $z$, which is never observed and has only $J = "
                "{size}$ dimensions. Its prior $p(z)$ is a standard normal distribution, and a neural network with "
                r"weights $\theta$ maps $z$ to a distribution over images:"
            ).format(count=len(scene.dataset.train), pixels=words.size(scene.config), size=scene.config.latent)
        )
        kit.formula(r"z \sim p(z) = \mathcal{N}(0, I)")
        if binary:
            kit.formula(r"x \sim p_\theta(x|z) = \textstyle\prod_d \mathrm{Bernoulli}\big(x_d \,|\, \mu_d(z)\big)")
            kit.words(
                _(
                    r"Here each pixel $d$ is either black or white: $\mu_d$ is its probability of being white, and "
                    r"its standard deviation is $\sigma_d = \sqrt{\mu_d (1 - \mu_d)}$."
                )
            )
        else:
            kit.formula(r"x \sim p_\theta(x|z) = \mathcal{N}\big(x \,|\, \mu_x(z),\ \mathrm{diag}\,\sigma_x^2(z)\big)")
            if scene.config.likelihood == "gaussian-shared":
                kit.words(
                    _(
                        r"with a mean $\mu$ for each pixel, and one standard deviation $\sigma$ for all pixels of "
                        "the image."
                    )
                )
            elif scene.config.log_variance_floor is None:
                kit.words(
                    _(
                        r"with a mean $\mu$ and a standard deviation $\sigma$ for each pixel, both computed by "
                        "the network."
                    )
                )
            else:
                kit.words(
                    _(
                        r"with a mean $\mu$ and a standard deviation $\sigma$ for each pixel, both computed by the "
                        r"network; $\sigma$ is never smaller than {floor:.3f}."
                    ).format(floor=math.exp(scene.config.log_variance_floor / 2))
                )
            kit.note(
                _(
                    "The 8-bit pixels are dequantised: x = (u + U) / 256, where u is the grey level and U is uniform "
                    "on [0, 1). So p(x) is a density, and log p(x) may be positive."
                )
            )
        kit.note(_("All logarithms are natural. Their unit is the nat; 1 nat is 1.44 bits."))
    with right:
        picture = st.container()
        told = kit.ask(
            1,
            _(
                "Some z encodes your {label}; chapter 4 explains how it is found. Where is the network least certain "
                "at this z, that is, where is σ largest?"
            ).format(label=scene.label),
            {
                "a": _("In the background"), "b": _("At the edges of bright regions"), "c": _("Inside bright regions"),
                "d": _("It is the same everywhere"),
            },
            lambda: answer(scene),
        )  # fmt: skip
    with picture:
        kit.note(
            _(
                "**Move the pointer over the plane**: each point is a z, and the image shows its mean μ. Click to "
                "keep a z."
            )
            if told
            else _(
                "**Move the pointer over the plane**: each point is a z, and the image shows its mean μ. The image of "
                "σ appears after your answer."
            )
        )
        plane(scene, told)
    kit.words(
        _(
            r"**Next**: how to choose $\theta$. We look for the weights under which our images are most probable. "
            "That requires $p(x)$, an integral over all $z$."
        )
    )
    kit.code([latent.decode, variance.deviation_by_level], cell(scene))


def plane(scene: kit.Scene, told: bool) -> None:
    """Shows the decoded plane, with sigma once the question was answered."""
    axes = cache.axes(scene.model, (0, min(1, scene.config.latent - 1)) if scene.config.latent <= 2 else None)

    @fragment()
    def shown() -> None:
        z = cache.z(scene.model, kit.FIRST.get(scene.dataset.name, 0))  # that of the image of the scene
        generate.show(scene.model, axes, generate.titles(scene.config.latent), told, z)

    shown()


def answer(scene: kit.Scene) -> kit.Answer:
    """Compares the mean sigma in the background, at edges and inside strokes."""
    levels = cache.integral.deviation_by_level(scene.model, scene.dataset.name, scene.row)
    known = [level for level in levels if not math.isnan(level)]
    if max(known) < 1.02 * min(known):
        right = "d"
    else:
        right = "abc"[max(range(3), key=lambda i: -1.0 if math.isnan(levels[i]) else levels[i])]
    back, edge, ink = (
        f"{level:.3f}" if not math.isnan(level) else _("undefined (there is no such pixel)") for level in levels
    )
    return kit.Answer(
        right,
        _(
            "On average σ is {back} in the background (μ < 0.1), **{edge}** at the edges (0.1 ≤ μ < 0.9) and {ink} "
            "inside bright regions (μ ≥ 0.9); pixels range from 0 to 1. The model has learned how much the images "
            "with this z vary at each pixel."
        ).format(back=back, edge=edge, ink=ink),
    )


def cell(scene: kit.Scene) -> str:
    return f"""import vae
from vae.uses import variance

model = vae.load({scene.model[0]!r})
images = vae.load_dataset({scene.dataset.name!r}).test.images
z = vae.encode(model, images).mean[[{scene.row}]]
decoded = vae.decode(model, z)
back, edge, ink = variance.deviation_by_level(decoded.mean[0], decoded.deviation[0])
print(f"mean sigma: {{back:.3f}} background, {{edge:.3f}} edges, {{ink:.3f}} ink")"""
