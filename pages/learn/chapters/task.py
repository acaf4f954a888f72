"""The task: images without labels, a latent of few dimensions, and a network that turns one into the other."""

import math

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
    text, question = kit.two()
    with text:
        kit.words(
            _(
                "We have {count:,} images $x$ of {pixels}, and no labels. We want their distribution $p(x)$: "
                "then we can make new images, and say how odd one is. Assume that behind each image stands a "
                r"**latent** $z$, never seen, of only $J = {size}$ numbers. A network with weights $\theta$ turns "
                "$z$ into a distribution of images:"
            ).format(count=len(scene.dataset.train), pixels=words.size(scene.config), size=scene.config.latent)
        )
        kit.formula(r"z \sim p(z) = \mathcal{N}(0, I)")
        if binary:
            kit.formula(r"x \sim p_\theta(x|z) = \textstyle\prod_d \mathrm{Bernoulli}\big(x_d \,|\, \mu_d(z)\big)")
            kit.words(
                _(
                    "Here pixels are black or white: $\\mu_d$ is how probable white is, and the deviation is "
                    "$\\sigma_d = \\sqrt{\\mu_d (1 - \\mu_d)}$."
                )
            )
        else:
            kit.formula(r"x \sim p_\theta(x|z) = \mathcal{N}\big(x \,|\, \mu_x(z),\ \mathrm{diag}\,\sigma_x^2(z)\big)")
            if scene.config.likelihood == "gaussian-shared":
                kit.words(_("with a mean $\\mu$ for each pixel, and one deviation $\\sigma$ for the whole image."))
            elif scene.config.log_variance_floor is None:
                kit.words(_("with a mean $\\mu$ and a deviation $\\sigma$ for each pixel, both from the network."))
            else:
                kit.words(
                    _(
                        "with a mean $\\mu$ and a deviation $\\sigma$ for each pixel, both from the network; $\\sigma$ "
                        "has a floor of {floor:.3f}."
                    ).format(floor=math.exp(scene.config.log_variance_floor / 2))
                )
            kit.note(
                _(
                    "Pixels of 8 bits are dequantised, x = (u + U) / 256 with u the grey level and U uniform in "
                    "[0, 1): log p(x) is the logarithm of a density, and may be above 0."
                )
            )
        kit.note(_("Logarithms are natural ones. Their unit is the nat: 1.44 bits."))
    with question:
        told = kit.ask(
            1,
            _(
                "Some z stands for your {label}; chapter 4 says how it is found. Where is the network least sure at "
                "that z: where is σ largest?"
            ).format(label=scene.label),
            {
                "a": _("In the background"), "b": _("At the edges of what is bright"), "c": _("Inside what is bright"),
                "d": _("The same everywhere"),
            },
            lambda: answer(scene),
        )  # fmt: skip
        kit.note(
            _("**Move over the plane**: each place is a z, and the picture there is μ. A click keeps it.")
            if told
            else _("Try it below first: **move over the plane**. The picture of σ comes with the answer.")
        )

    axes = cache.axes(scene.model, (0, min(1, scene.config.latent - 1)) if scene.config.latent <= 2 else None)

    @fragment()
    def plane() -> None:
        generate.show(scene.model, axes, generate.titles(scene.config.latent), told)

    plane()
    kit.words(
        _(
            "**Next**: which $\\theta$? The one that makes the images we have probable. That takes $p(x)$, an integral "
            "over every $z$."
        )
    )
    kit.code([latent.decode, variance.deviation_by_level], cell(scene))


def answer(scene: kit.Scene) -> kit.Answer:
    """Compares the mean sigma of background, edges and ink."""
    levels = cache.integral.deviation_by_level(scene.model, scene.dataset.name, scene.row)
    known = [level for level in levels if not math.isnan(level)]
    if max(known) < 1.02 * min(known):
        right = "d"
    else:
        right = "abc"[max(range(3), key=lambda i: -1.0 if math.isnan(levels[i]) else levels[i])]
    back, edge, ink = (f"{level:.3f}" if not math.isnan(level) else _("none (no such pixel)") for level in levels)
    return kit.Answer(
        right,
        _(
            "Mean σ is {back} in the background (μ < 0.1), **{edge}** at the edges (0.1 to 0.9) and {ink} inside "
            "(μ > 0.9), of a pixel scale of 1. Each σ is learned: it is how far images with this z differ there."
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
