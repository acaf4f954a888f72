"""The recognition model q(z|x): where its samples lie, how far it is from the posterior, and why."""

import streamlit as st

from pages import cache
from pages.learn import kit
from pages.ui import words
from pages.ui.language import _
from vae import figures
from vae.derivation import log_posterior
from vae.evidence import gaps

DRAWS = 1000


def show(scene: kit.Scene) -> None:
    """Draws the chapter."""
    scene = kit.flat(scene)
    found = cache.integral.posterior(scene.model, scene.dataset.name, scene.row)
    elbo = cache.own_elbo(scene.model, scene.dataset.name, scene.row)
    view = cache.posterior_plane(scene.model, scene.dataset.name, scene.row, DRAWS)
    text, picture = kit.two()
    with text:
        kit.words(
            _(
                r"Only those $z$ matter for which the **posterior** $p(z|x) = p(x|z)\,p(z) / p(x)$ is large. We "
                r"cannot compute the posterior without $p(x)$, so we train a second network, with weights $\phi$, to "
                "approximate it from the image. This is the **recognition model**, a Gaussian over $z$ with a mean "
                "and a standard deviation for each dimension:"
            )
        )
        kit.formula(
            r"q_\phi(z|x) = \mathcal{N}\big(z \,|\, \mu_z(x),\ \mathrm{diag}\,\sigma_z^2(x)\big) \approx p_\theta(z|x)"
        )
        from_q = cache.integral.hits_of_encoder(scene.model, scene.dataset.name, scene.row, DRAWS)
        kit.words(
            _(
                "Of {draws:,} samples from the prior, **{few}** hit the region that contains 99% of the posterior; "
                "of as many samples from $q$, **{many}** do. Because $q$ turns the image into a code $z$, it is "
                "called the **encoder**, and $p(x|z)$ the **decoder**; together they form a **variational "
                "autoencoder** (VAE). How far $q$ is from the posterior is measured by a divergence that the next "
                r"chapter explains: $\mathrm{{KL}}[q(z|x)\,\|\,p(z|x)]$ = **{kl:.2f} nats**."
            ).format(draws=DRAWS, few=int(view.hit.sum()), many=from_q, kl=found.log_p - elbo)
        )
        told = kit.ask(
            4,
            _("What is the main reason why q differs from the posterior of your image?"),
            {
                "a": _("One network serves all images: another Gaussian would fit this image better"),
                "b": _("The shape of the posterior: no Gaussian of this kind can match it"),
            },
            lambda: answer(scene, elbo, found.log_p),
        )
    with picture:
        names = {
            "likelihood": _("log p(x|z), nats"), "posterior": _("p(z|x): 50, 90, 99%"),
            "encoder": _("q(z|x): 1 σ, 2 σ"), "samples": _("samples from the prior"), "hits": _("samples that hit"),
        }  # fmt: skip
        figure = figures.evidence.plane(
            view, True, 60, (words.coordinate(0), words.coordinate(1)), names,
            cache.codes(scene.model).mean[:0], scene.dataset.test.labels.numpy()[:0], (),
        )  # fmt: skip
        if told:
            mean, deviation, _best = cache.integral.best_gaussian(scene.model, scene.dataset.name, scene.row)
            figures.integral.add_ellipse(figure, mean, deviation, _("best Gaussian: 1 σ"))
        kit.chart(
            figure, "recognition.plane",
            _("Contours of the posterior and ellipses of q(z|x), in the part of the plane around this image's code"),
        )  # fmt: skip
        with st.container(horizontal=True):
            kit.note(
                _("$\\mu_z$ = ({a:.3f}, {b:.3f}), $\\sigma_z$ = ({c:.4f}, {d:.4f})").format(
                    a=view.mean[0], b=view.mean[1], c=view.deviation[0], d=view.deviation[1]
                )
            )
    kit.words(
        _(r"**Next**: with the help of $q$, $\log p(x)$ splits into a part that can be computed and this divergence.")
    )
    kit.code([log_posterior, gaps.refine], cell(scene))


def answer(scene: kit.Scene, elbo: float, log_p: float) -> kit.Answer:
    """Splits the divergence into the amortisation gap and the approximation gap."""
    best = cache.integral.best_gaussian(scene.model, scene.dataset.name, scene.row)[2]
    amortisation, approximation = best - elbo, log_p - best
    return kit.Answer(
        "a" if amortisation > approximation else "b",
        _(
            "The KL divergence from the posterior is {approximation:.2f} nats for the best Gaussian for this image "
            "(dashed) and {kl:.2f} nats for that of the encoder. So **{amortisation:.2f} nats** are lost because one "
            "encoder serves all images (the amortisation gap), and **{approximation:.2f}** because a Gaussian is too "
            "simple (the approximation gap; Cremer et al. 2018)."
        ).format(approximation=approximation, amortisation=amortisation, kl=log_p - elbo),
    )


def cell(scene: kit.Scene) -> str:
    return f"""import vae
from vae.evidence import gaps

model = vae.load({scene.model[0]!r})
images = vae.load_dataset({scene.dataset.name!r}).test.images
x = model.pixels(images, vae.generator(0))[[{scene.row}]]
log_p = vae.posterior(model, x).log_p
first, *_, best = gaps.refine(model, x, generator=vae.generator(0))
print(f"KL[q || p(z|x)] = {{log_p - float(first.elbo):.2f}} nats,",
      f"for the best Gaussian {{log_p - float(best.elbo):.2f}}")"""
