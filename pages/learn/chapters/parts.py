"""Reconstruction and regulariser: the two terms of the bound, and the latent space without either of them."""

import numpy as np
import streamlit as st

from pages import cache
from pages.learn import kit
from pages.ui import pictures, words
from pages.ui.language import _
from vae import figures
from vae.derivation import regulariser
from vae.evidence import elbo
from vae.latent import ALL_COLLAPSED

# the same networks, trained with three weights of the KL
WITHOUT_KL, USUAL, KL_ALONE = "mnist-beta-0-2d", "mnist-beta-1-2d", "mnist-beta-1000-2d"


def show(scene: kit.Scene) -> None:
    """Draws the chapter."""
    text, picture = kit.two()
    with text:
        kit.words(
            _(
                r"The bound has two terms. The **reconstruction term** $\mathcal{L}_1$ is large if samples $z$ from "
                r"$q(z|x)$ are decoded to something like $x$. The **regulariser** $\mathcal{L}_2$ is large if "
                "$q(z|x)$ is close to the prior; its negative, the KL divergence, is a complexity penalty. The two "
                "terms compete: if $q$ is narrow and far from those of other images, the images are easy to tell "
                r"apart, but the KL divergence is large. A weight $\beta$ on the KL term shifts the balance: with "
                r"$\beta = 0$ only the reconstruction counts, with $\beta = 1000$ almost only the KL divergence. "
                r"Three models with identical networks were trained with $\beta$ = 0, 1 and 1000."
            )
        )
    with picture:
        _image(scene)
    kit.formula(
        r"\mathcal{L} = \underbrace{\mathbb{E}_{q}[\log p(x|z)]}_{\mathcal{L}_1}"
        r"\;\underbrace{- \mathrm{KL}[q(z|x) \,\|\, p(z)]}_{\mathcal{L}_2}"
    )
    kit.formula(r"\mathcal{L}_\beta = \mathcal{L}_1 + \beta\, \mathcal{L}_2")
    committed = kit.ask(
        6,
        _("Without the KL term (β = 0), how widely are the codes spread, compared with β = 1?"),
        {
            "a": _("Less widely"), "b": _("About as widely: up to 1.5 times"), "c": _("1.5 to 5 times as widely"),
            "d": _("More than 5 times as widely"),
        },
        _answer,
    )  # fmt: skip
    kit.note(_("The answer refers to the models that come with the explorer; with others it may be different."))
    if committed:
        _maps(scene)
    kit.words(
        _(
            "**Next**: the reconstruction term is an average over random samples. How can a gradient pass through "
            "a random sample?"
        )
    )
    kit.code([elbo, regulariser.paid], CELL.format(name=scene.model[0], data=scene.dataset.name, row=scene.row))


CELL = """import vae
from vae.derivation import regulariser

model = vae.load("{name}")
images = vae.load_dataset("{data}", fetch=False).test.images
x = model.pixels(images, vae.generator(0))[{row} : {row} + 1]
q = model.encoder(x).base_dist
kl = sum(part.sum() for part in regulariser.paid(q.loc[0].detach().numpy(), q.scale[0].detach().numpy()))
found = vae.elbo(model, x, 2000, vae.generator(1))
first = float(found.value[0]) + kl
print(f"L1 {{first:,.2f}} +- {{float(found.standard_error[0]):.2f}}, L2 {{-kl:.2f}}, bound {{first - kl:,.2f}}")
"""


def _image(scene: kit.Scene) -> None:
    """Shows both terms for the selected image."""
    found = cache.bound.code(scene.model, scene.dataset.name, scene.row)
    kl = float(sum(part.sum() for part in regulariser.paid(*found)))
    first, error, decoded = cache.bound.reconstruction(scene.model, scene.dataset.name, scene.row)
    with st.container(horizontal=True, gap="medium"):
        image = scene.dataset.test.images[scene.row].numpy() / 255
        for pixels, name in ((image, _("the image x")), (decoded, _("decoded from the mean of q"))):
            st.image(figures.png_uri(pictures.plain(pixels, 5)), caption=name, alt=name, width=140)
    rows = (
        (r"$\mathcal{L}_1$, " + _("reconstruction term"), f"{words.number(first, 2)}\u00a0±\u00a0{error:.2f}"),
        (r"$\mathcal{L}_2$, " + _("regulariser"), words.number(-kl, 2)),
        (r"$\mathcal{L}$, " + _("bound"), f"**{words.number(first - kl, 2)}**"),
    )
    head = _("this {label} under {name}").format(label=scene.label, name=scene.model[0])
    kit.words("\n".join([f"| {head} | {_('nats')} |", "|:--|--:|", *(f"| {name} | {value} |" for name, value in rows)]))


def _of(name: str) -> tuple[cache.Model, cache.bound.Map]:
    model = cache.model_id(name)
    return model, cache.bound.map_of(model, cache.images(model).name)


def _answer() -> kit.Answer:
    (_one, free), (_two, usual) = _of(WITHOUT_KL), _of(USUAL)
    ratio = free.spread / usual.spread
    right = "a" if ratio < 1 else "b" if ratio < 1.5 else "c" if ratio < 5 else "d"
    says = _(
        "Without the KL term the codes have a root mean square of {free:.1f} along each axis, with it {usual:.2f}: "
        "they are spread {ratio:.1f} times as widely. Nothing keeps them near the prior, and nothing keeps q from "
        "becoming narrow: the geometric mean of σ is {narrow} instead of {deviation}."
    )
    return kit.Answer(
        right,
        says.format(
            free=free.spread,
            usual=usual.spread,
            ratio=ratio,
            narrow=words.small(free.deviation),
            deviation=words.small(usual.deviation),
        ),
    )


def _maps(scene: kit.Scene) -> None:
    """Shows the codes of the three models side by side, with a reconstruction and samples of each."""
    titles = {
        WITHOUT_KL: _("Reconstruction only, β = 0"), USUAL: _("Both terms, β = 1"),
        KL_ALONE: _("Almost only the KL term, β = 1000"),
    }  # fmt: skip
    for place, (name, title) in zip(st.columns(3, gap="medium"), titles.items(), strict=True):
        model, found = _of(name)
        dataset = cache.images(model)
        with place:
            st.markdown(f"**{title}**")
            wide = max(3.5, 1.05 * float(abs(found.codes).max()))
            figure = figures.bound.codes(found.codes, found.labels, words.classes(dataset), wide, _("prior"))
            kit.chart(
                figure, f"6.{name}", alt=_("Codes of test images; circles at 2 and 3 standard deviations of the prior")
            )
            row = min(scene.row, len(dataset.test) - 1)
            sheet = [cache.bound.reconstruction(model, dataset.name, row)[2], *cache.samples(model, 5, 3).mean]
            image = figures.png_uri(figures.contact_sheet(np.stack(sheet), 6, 3))
            says = _("reconstruction of test image {row}, then five decoded samples z ~ p(z)").format(row=row)
            st.image(image, caption=says, alt=says, width="stretch")
            st.markdown(
                _("L₁ **{first}**, KL **{kl}** nats; σ **{sigma}**").format(
                    first=words.number(found.reconstruction), kl=words.number(found.kl),
                    sigma=words.small(found.deviation),
                ) + "; " + _("{count:g} epochs").format(count=cache.record(name).epochs_done)
            )  # fmt: skip
    (_a, free), (_b, usual), (_c, none) = _of(WITHOUT_KL), _of(USUAL), _of(KL_ALONE)
    kit.words(
        _(
            "On held-out images, β = 0 instead of β = 1 changes the reconstruction term by {gain} nats and the bound "
            "by {loss} nats. The outer circle contains 99% of the samples from the prior. It contains the codes of "
            "{free:.0%} of the test images with β = 0, and of {usual:.0%} with β = 1; what lies outside is hardly "
            "ever sampled. With β = 1000 the KL divergence is {kl} nats."
        ).format(
            gain=words.number(free.reconstruction - usual.reconstruction, 1, True),
            loss=words.number(free.reconstruction - free.kl - usual.reconstruction + usual.kl, 1, True),
            free=free.inside, usual=usual.inside, kl=words.small(none.kl),
        )
    )  # fmt: skip
    if none.kl < ALL_COLLAPSED:
        kit.words(
            _(
                "So q is practically equal to the prior for every image, and z carries almost no information "
                "about x: **posterior collapse**."
            )
        )
