"""Reconstruction and regulariser: the two parts of the bound, and what becomes of the map without either."""

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

# the same nets under three weights of the KL
WITHOUT_KL, USUAL, KL_ALONE = "mnist-beta-0-2d", "mnist-beta-1-2d", "mnist-beta-1000-2d"


def show(scene: kit.Scene) -> None:
    """Draws the chapter."""
    text, picture = kit.two()
    with text:
        kit.words(
            _(
                "The bound has two parts. The **reconstruction** $\\mathcal{L}_1$ asks that what the decoder makes "
                "of a draw from $q(z|x)$ explains the image. The **regulariser** $\\mathcal{L}_2$ asks that $q(z|x)$ "
                "stays near the prior. They pull against each other: a narrow $q$ far from the others tells images "
                "apart, but costs KL. With a weight $\\beta$ on the KL either can be taken away: $\\beta = 0$ leaves "
                "the reconstruction alone, $\\beta = 1000$ all but drowns it. Three models of the same nets were "
                "trained so."
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
        _("Take the KL away. How wide do the codes spread then, compared with β = 1?"),
        {
            "a": _("Less wide"), "b": _("About as wide, up to 1.5 times"), "c": _("1.5 to 5 times as wide"),
            "d": _("More than 5 times as wide"),
        },
        _answer,
    )  # fmt: skip
    kit.note(_("The answer is of the shipped models named here; others may give another."))
    if committed:
        _maps(scene)
    kit.words(_("**Next**: the reconstruction is an average over draws. How does a gradient get through a draw?"))
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
    """Shows both parts for the image in use."""
    found = cache.bound.code(scene.model, scene.dataset.name, scene.row)
    kl = float(sum(part.sum() for part in regulariser.paid(*found)))
    first, error, decoded = cache.bound.reconstruction(scene.model, scene.dataset.name, scene.row)
    with st.container(horizontal=True, gap="medium"):
        image = scene.dataset.test.images[scene.row].numpy() / 255
        for pixels, name in ((image, _("the image x")), (decoded, _("decoded from the mean of q"))):
            st.image(figures.png_uri(pictures.plain(pixels, 5)), caption=name, alt=name, width=140)
    rows = (
        (r"$\mathcal{L}_1$, " + _("reconstruction"), f"{words.number(first, 2)}\u00a0±\u00a0{error:.2f}"),
        (r"$\mathcal{L}_2$, " + _("regulariser"), words.number(-kl, 2)),
        (r"$\mathcal{L}$, " + _("bound"), f"**{words.number(first - kl, 2)}**"),
    )
    head = _("of this {label} under {name}").format(label=scene.label, name=scene.model[0])
    kit.words("\n".join([f"| {head} | {_('nats')} |", "|:--|--:|", *(f"| {name} | {value} |" for name, value in rows)]))


def _of(name: str) -> tuple[cache.Model, cache.bound.Map]:
    model = cache.model_id(name)
    return model, cache.bound.map_of(model, cache.images(model).name)


def _answer() -> kit.Answer:
    (_one, free), (_two, usual) = _of(WITHOUT_KL), _of(USUAL)
    ratio = free.spread / usual.spread
    right = "a" if ratio < 1 else "b" if ratio < 1.5 else "c" if ratio < 5 else "d"
    says = _(
        "Without the KL the codes lie {free:.1f} from 0 on each axis (root mean square), with it {usual:.2f}: "
        "{ratio:.1f} times as wide. Nothing holds them near the prior, and nothing keeps q wide: σ is {narrow} "
        "instead of {deviation}."
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
    """Shows the maps of the three models side by side, and what each makes of the image and of the prior."""
    titles = {
        WITHOUT_KL: _("Reconstruction alone, β = 0"), USUAL: _("Both, β = 1"),
        KL_ALONE: _("All but the KL drowned, β = 1000"),
    }  # fmt: skip
    for place, (name, title) in zip(st.columns(3, gap="medium"), titles.items(), strict=True):
        model, found = _of(name)
        dataset = cache.images(model)
        with place:
            st.markdown(f"**{title}**")
            wide = max(3.5, 1.05 * float(abs(found.codes).max()))
            figure = figures.bound.codes(found.codes, found.labels, words.classes(dataset), wide, _("prior"))
            kit.chart(figure, f"6.{name}", alt=_("Codes of test images; circles at 2 and 3 deviations of the prior"))
            row = min(scene.row, len(dataset.test) - 1)
            sheet = [cache.bound.reconstruction(model, dataset.name, row)[2], *cache.samples(model, 5, 3).mean]
            image = figures.png_uri(figures.contact_sheet(np.stack(sheet), 6, 3))
            says = _("test image {row} as it is decoded, then five draws z ~ p(z)").format(row=row)
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
            "On held-out images, β = 0 changes the reconstruction by {gain} nats and the bound by {loss}. Within the "
            "outer circle, where 99 % of the draws from the prior fall, lie the codes of {free:.0%} of the test "
            "images, with β = 1 those of {usual:.0%}: what lies farther out is hardly ever drawn. At β = 1000 the KL "
            "is {kl} nats."
        ).format(
            gain=words.number(free.reconstruction - usual.reconstruction, 1, True),
            loss=words.number(free.reconstruction - free.kl - usual.reconstruction + usual.kl, 1, True),
            free=free.inside, usual=usual.inside, kl=words.small(none.kl),
        )
    )  # fmt: skip
    if none.kl < ALL_COLLAPSED:
        kit.words(_("So q is all but the prior for every image, and z says next to nothing: **posterior collapse**."))
