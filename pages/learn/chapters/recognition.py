"""The recognition model q(z|x): where it looks, how far from the true posterior, and why it is off."""

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
                "Only the $z$ near the **posterior** $p(z|x) = p(x|z)\\,p(z) / p(x)$ count. It cannot be had without "
                r"$p(x)$, so train a second network, with weights $\phi$, to guess it from the image: the "
                "**recognition model**, a Gaussian in $z$ with a mean and a deviation for each dimension,"
            )
        )
        kit.formula(
            r"q_\phi(z|x) = \mathcal{N}\big(z \,|\, \mu_z(x),\ \mathrm{diag}\,\sigma_z^2(x)\big) \approx p_\theta(z|x)"
        )
        from_q = cache.integral.hits_of_encoder(scene.model, scene.dataset.name, scene.row, DRAWS)
        kit.words(
            _(
                "Of {draws:,} draws from the prior, **{few}** hit the region with 99 % of the posterior; of as many "
                "from $q$, **{many}**. It turns the image into a code $z$, so it is called **encoder**, and $p(x|z)$ "
                "**decoder**; the two are a **variational autoencoder** (VAE). What it misses is measured by a "
                "divergence that the next chapter takes apart: "
                r"$\mathrm{{KL}}[q(z|x)\,\|\,p(z|x)]$ = **{kl:.2f} nats**."
            ).format(draws=DRAWS, few=int(view.hit.sum()), many=from_q, kl=found.log_p - elbo)
        )
        told = kit.ask(
            4,
            _("Why does q miss the posterior of your image?"),
            {
                "a": _("Mostly since one network serves all images: another Gaussian would fit this one better"),
                "b": _("Mostly since the posterior has a shape that no such Gaussian has"),
            },
            lambda: answer(scene, elbo, found.log_p),
        )
    with picture:
        names = {
            "likelihood": _("log p(x|z), nats"), "posterior": _("p(z|x): 50, 90, 99 %"),
            "encoder": _("q(z|x): 1 σ, 2 σ"), "samples": _("draws from the prior"), "hits": _("draws that hit"),
        }  # fmt: skip
        figure = figures.evidence.plane(
            view, True, 60, (words.coordinate(0), words.coordinate(1)), names,
            cache.codes(scene.model).mean[:0], scene.dataset.test.labels.numpy()[:0], (),
        )  # fmt: skip
        if told:
            mean, deviation, _best = cache.integral.best_gaussian(scene.model, scene.dataset.name, scene.row)
            figures.integral.add_ellipse(figure, mean, deviation, _("the best Gaussian: 1 σ"))
        kit.chart(
            figure, "recognition.plane",
            _("Contours of the posterior with the ellipse of q(z|x) over it, around this image's place of the plane"),
        )  # fmt: skip
        with st.container(horizontal=True):
            kit.note(
                _("$\\mu_z$ = ({a:.3f}, {b:.3f}), $\\sigma_z$ = ({c:.4f}, {d:.4f})").format(
                    a=view.mean[0], b=view.mean[1], c=view.deviation[0], d=view.deviation[1]
                )
            )
    kit.words(
        _("**Next**: with $q$ in hand, $\\log p(x)$ splits into a part that can be computed, and this divergence.")
    )
    kit.code([log_posterior, gaps.refine], cell(scene))


def answer(scene: kit.Scene, elbo: float, log_p: float) -> kit.Answer:
    """Splits the divergence into what the encoder and what the family of Gaussians misses."""
    best = cache.integral.best_gaussian(scene.model, scene.dataset.name, scene.row)[2]
    amortisation, approximation = best - elbo, log_p - best
    return kit.Answer(
        "a" if amortisation > approximation else "b",
        _(
            "The best Gaussian for this image alone (dashed) is {approximation:.2f} nats from the posterior, the "
            "encoder's {kl:.2f}. So **{amortisation:.2f} nats** are lost since one encoder serves all images, and "
            "**{approximation:.2f}** since a Gaussian is too simple (Cremer et al. 2018)."
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
      f"of the best Gaussian {{log_p - float(best.elbo):.2f}}")"""
