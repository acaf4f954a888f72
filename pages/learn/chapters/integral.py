"""The likelihood as an integral over z, and why its gradient cannot be computed directly."""

import streamlit as st
from numpy.typing import NDArray

from pages import cache
from pages.learn import kit
from pages.ui import pictures, state, words
from pages.ui.fragment import fragment
from pages.ui.language import _
from vae import evidence, figures
from vae.derivation import integrand
from vae.evidence import Posterior

SIDES = (10, 30, 100, 300)


def show(scene: kit.Scene) -> None:
    """Draws the chapter."""
    scene = kit.flat(scene)
    found = cache.integral.posterior(scene.model, scene.dataset.name, scene.row)
    text, picture = kit.two()
    with text:
        kit.words(
            _(
                r"Maximum likelihood chooses the weights $\theta$ under which the images we have are most probable: "
                r"it maximises $\sum_i \log p_\theta(x^{(i)})$, where $x^{(i)}$ is the $i$-th image. But an image may "
                "have come from any $z$, so"
            )
        )
        kit.formula(r"p_\theta(x) = \int p_\theta(x|z)\, p(z)\, dz")
        kit.words(
            _(
                "This is the volume under a surface over the latent plane. On a grid it becomes a sum over small "
                "columns. That is feasible in two dimensions, but in 20 dimensions a grid of 300 steps per side has "
                r"$300^{20} \approx 3 \times 10^{49}$ columns."
            )
        )
        kit.words(
            _(
                "Could we follow the gradient without computing the integral itself? The logarithm puts the "
                "integral into the denominator:"
            )
        )
        kit.formula(
            r"\nabla_\theta \log p_\theta(x) = \frac{\int \nabla_\theta\, p_\theta(x|z)\, p(z)\, dz}{p_\theta(x)}"
        )
        told = kit.ask(
            2,
            _("This gradient is an average of ∇ log p(x|z) over z. From which distribution must z be drawn?"),
            {
                "a": _("From the prior p(z), over which the integral is taken"),
                "b": _("From the posterior p(z|x), the distribution of the z that may have generated this image"),
                "c": _("Neither average gives the gradient"),
            },
            lambda: answer(scene),
        )  # fmt: skip
    with picture:
        hills(scene, found)
    if told:
        slopes(scene)
    kit.words(
        _(
            "**Next**: if the sum over a grid is too long, we can average over a few random $z$ instead. How many do "
            "we need?"
        )
    )
    kit.code(
        [integrand.grid_evidence, evidence.posterior, integrand.posterior_slope, integrand.bias_slope], cell(scene)
    )


def hills(scene: kit.Scene, found: Posterior) -> None:
    """Draws the integrand, as a whole and around its peak, and sums it over a grid."""
    view = cache.integral.plane(scene.model, scene.dataset.name, scene.row)
    whole, near = st.columns(2)
    with whole:
        kit.chart(
            figures.integral.hill(view, False), "integral.whole",
            _("Logarithm of the integrand over the latent plane; a small frame marks its peak"),
        )  # fmt: skip
        kit.note(_(r"$\log\,[p(x|z)\,p(z)]$ over the whole plane; the frame marks the peak"))
    with near:
        times = (view.x[-1] - view.x[0]) / (view.fine_x[-1] - view.fine_x[0])
        kit.chart(
            figures.integral.hill(view, True), "integral.near",
            _("The integrand around its peak, a single bright spot on a dark plane"),
        )  # fmt: skip
        kit.note(
            _(r"$p(x|z)\,p(z)$ around its peak, magnified {times:.0f} times; it is practically 0 elsewhere").format(
                times=times
            )
        )

    @fragment()
    def grid() -> None:
        state.begin("integral.side", lambda text: min(SIDES, key=lambda side: abs(side - int(text))), SIDES[0])
        side = st.segmented_control(
            _("Grid steps per side"), SIDES, required=True, key="integral.side", persist_state="session"
        ) or SIDES[0]  # fmt: skip
        state.write_link(integral__side=None if side == SIDES[0] else str(side))
        with st.spinner(_("Summing {count:,} columns ...").format(count=side**2)):
            value = cache.integral.grid_evidence(scene.model, scene.dataset.name, scene.row, side)
        left, middle, right = st.columns(3)
        left.metric(_("{count:,} columns").format(count=side**2), f"{value:,.1f}".replace("-", "−"))
        middle.metric(_("exact log p(x)"), f"{found.log_p:,.1f}".replace("-", "−"))
        right.metric(_("error"), words.number(value - found.log_p, sign=True))
        kit.note(
            _(
                "The exact value comes from a grid that is refined around the peak until it is accurate to ± "
                "{error:.1g} nats; its step size is {step:.2g}. All values are logarithms of a density over {pixels}, "
                "so they may be positive."
            ).format(error=max(found.error, 1e-6), step=found.step, pixels=words.size(scene.config))
            if scene.config.likelihood != "bernoulli"
            else _(
                "The exact value comes from a grid that is refined around the peak until it is accurate to ± "
                "{error:.1g} nats; its step size is {step:.2g}."
            ).format(error=max(found.error, 1e-6), step=found.step)
        )

    grid()


def slopes(scene: kit.Scene) -> None:
    """Shows the two averages as images: the gradient with respect to the bias of each pixel."""
    found = cache.integral.slopes(scene.model, scene.dataset.name, scene.row)
    averages = [figures.over_colours(each.reshape(scene.config.image_shape)) for each in (found.posterior, found.prior)]
    top = float(abs(averages[0]).max())
    image = scene.dataset.test.images[scene.row].numpy() / 255

    def blown(picture: NDArray) -> NDArray:
        scale = figures.fitted(6, *image.shape[:2])
        return picture.repeat(scale, 0).repeat(scale, 1)

    shown = {
        _("the image x"): pictures.plain(image, 6),
        _("average over p(z|x)"): blown(figures.integral.slope(averages[0], top)),
        _("average over p(z)"): blown(figures.integral.slope(averages[1], top)),
    }
    with st.container(horizontal=True, gap="medium"):
        for caption, picture in shown.items():
            st.image(figures.png_uri(picture), caption=caption, alt=caption, width=180)
    kit.note(
        _(
            "The gradient of log p(x) with respect to each pixel's bias in the last layer of the network: blue pixels "
            "should become brighter, orange ones darker. The average over the posterior corrects what the network "
            "makes of this image's z. The average over the prior would print the image onto whatever the network "
            "generates."
        )
    )


def answer(scene: kit.Scene) -> kit.Answer:
    """Compares both averages with a finite difference, which uses neither."""
    found = cache.integral.slopes(scene.model, scene.dataset.name, scene.row)
    posterior, prior = found.posterior[found.pixel], found.prior[found.pixel]
    close = {letter: abs(value - found.measured) for letter, value in (("a", prior), ("b", posterior))}
    best = min(close, key=close.__getitem__)
    place = (_("pixel {number}") if scene.config.grey else _("value {number}")).format(number=found.pixel)
    return kit.Answer(
        best if close[best] < 0.02 * max(abs(found.measured), 0.01) else "c",
        _(
            "Shift one bias of the network's last layer, that of {place}, slightly up and down: log p(x) changes by "
            "**{measured:.4f}** nats per unit. The average over the posterior is **{posterior:.4f}**, the average "
            r"over the prior {prior:.4f}. Since $\nabla p = p\, \nabla \log p$, the ratio above is the average over "
            r"the posterior: $\nabla \log p(x) = \mathbb{{E}}_{{p(z|x)}}[\nabla \log p(x|z)]$. But the posterior "
            r"$p(z|x) = p(x|z)\,p(z)/p(x)$ contains $p(x)$, the very integral that we cannot compute."
        ).format(place=place, measured=found.measured, posterior=posterior, prior=prior),
    )


def cell(scene: kit.Scene) -> str:
    pixel = cache.integral.slopes(scene.model, scene.dataset.name, scene.row).pixel
    return f"""import vae
from vae.derivation import integrand

model = vae.load({scene.model[0]!r})
images = vae.load_dataset({scene.dataset.name!r}).test.images
x = model.pixels(images, vae.generator(0))[[{scene.row}]]
p = vae.posterior(model, x)
for side in {SIDES[:-1]}:
    print(side, "per side:", integrand.grid_evidence(model, x, side, {cache.integral.wide(scene.model, scene.row)}))
print(f"log p(x) = {{p.log_p:,.1f}} nats")
print(f"gradient: {{integrand.posterior_slope(model, x, p)[{pixel}]:.4f}} from the posterior,",
      f"{{integrand.bias_slope(model, x, p, {pixel}):.4f}} measured")"""
