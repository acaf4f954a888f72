"""What the bound hides: two parts of the mean KL, and models on the rate-distortion plane."""

import streamlit as st

from pages import cache
from pages.learn import kit
from pages.ui import state, words
from pages.ui.language import _
from vae import catalogue, figures
from vae.latent import ALL_COLLAPSED, surgery
from vae.model import Record


def show(scene: kit.Scene) -> None:
    """Draws the chapter."""
    kit.words(
        _(
            "The bound charges each image $\\mathrm{KL}[q(z|x)\\,\\|\\,p(z)]$. What does that buy? Average it over all "
            "images, and it falls into two parts. The **mutual information** is what a code says of which image it "
            "came from: that is what codes are for. The rest is how far the codes as a whole, $q(z)$, lie from the "
            "prior: that is waste, and why draws from $p(z)$ can miss."
        )
    )
    kit.formula(
        r"\begin{aligned} & \tfrac{1}{N} \textstyle\sum_n \mathrm{KL}[q(z|x_n) \,\|\, p(z)] \\ & \quad = "
        r"\underbrace{I(n; z)}_{\le\, \log N} + \mathrm{KL}[q(z) \,\|\, p(z)] \\ "
        r"& q(z) = \tfrac{1}{N} \textstyle\sum_n q(z|x_n) \end{aligned}"
    )
    kl, images = cache.latent.mean_kl(scene.model, scene.dataset.name)
    if kl < ALL_COLLAPSED:
        kit.note(
            _(
                "{name} pays {kl:.4f} nats: its encoder says nearly the same of every image, so there is "
                "nothing to split. Choose another model."
            ).format(name=scene.model[0], kl=kl)
        )
    else:
        _ask(scene, kl, images)
    _plane(scene)
    kit.code((surgery.surgery,), _cell(scene))


def _ask(scene: kit.Scene, kl: float, images: int) -> None:
    """Asks how much of the mean KL is waste, and shows it."""
    done = kit.ask(
        14,
        _("{name} pays {kl:.1f} nats per image, the mean over {count:,} training images. How much is waste?").format(
            name=scene.model[0], kl=kl, count=images
        ),
        {"a": _("Less than a tenth"), "b": _("A tenth to a quarter"), "c": _("A quarter to a half"),
         "d": _("More than half")},
        lambda: _answer(cache.uses.taken_apart(scene.model)[-1]),
    )  # fmt: skip
    if done:
        _parts(cache.uses.taken_apart(scene.model))


def _answer(whole: surgery.Surgery) -> kit.Answer:
    """Says how large KL[q(z) || p(z)] is."""
    share = whole.marginal_kl / whole.mean_kl
    letter = next(letter for letter, most in (("a", 0.1), ("b", 0.25), ("c", 0.5), ("d", 9e9)) if share < most)
    says = _(
        "{share:.0%}: of {kl:.3f} nats, {information:.2f} ± {first:.2f} are mutual information and {marginal:.2f} ± "
        "{second:.2f} are KL[q(z) || p(z)]. The two were drawn, and sum to {sum:.2f}; the left side is in closed form."
    ).format(
        share=share, kl=whole.mean_kl, information=whole.mutual_information, first=whole.mutual_information_error,
        marginal=whole.marginal_kl, second=whole.marginal_kl_error,
        sum=whole.mutual_information + whole.marginal_kl,
    )  # fmt: skip
    return kit.Answer(letter, says)


def _parts(found: list[surgery.Surgery]) -> None:
    """Draws both parts, and how they depend on the number of images."""
    whole = found[-1]
    information, mean = _("mutual information"), _("mean KL")
    text, picture = kit.two()
    with picture:
        kit.chart(
            figures.hidden.split(whole, (mean, information, "KL[q(z) ‖ p(z)]"), _("nats")), "hidden.split",
            _("The mean KL as a bar, and its two parts as another of the same length."),
        )  # fmt: skip
        kit.chart(
            figures.hidden.growth(found, (information, "log N", mean), (_("N, training images"), _("nats"))),
            "hidden.growth",
            _("Mutual information for more and more images, below log N and the mean KL."),
        )  # fmt: skip
    with text:
        rise = whole.mutual_information - found[-2].mutual_information
        gap = whole.ceiling - whole.mutual_information
        if gap < 0.1:
            verdict = _(
                "With {count:,} images it still is: each code says from which image it came, to within {gap:.3f} "
                "nats. So for the images of the world the waste is smaller than it looks here; how much, no finite "
                "set can say."
            ).format(count=whole.images, gap=max(gap, 0.001))
        else:
            verdict = _(
                "With {count:,} images it has come away from that line by {gap:.2f} nats: codes of different images "
                "overlap. From {before:,} images on it still rose by {rise:.2f} nats; with more images it would rise "
                "further, and the waste shrink."
            ).format(count=whole.images, gap=gap, before=found[-2].images, rise=rise)
        kit.words(
            _(
                "**Mind the number of images.** With N of them no code can say more than $\\log N$ nats about which "
                "one it was. With few images the blue curve lies on that line, and the rest is counted as waste. "
                "{verdict}"
            ).format(verdict=verdict)
        )


def _group(record: Record) -> tuple[str, float | None, str]:
    """What two models must share to be compared."""
    config = record.model
    return (
        config.likelihood,
        None if config.likelihood == "bernoulli" else config.log_variance_floor,
        record.data,
    )


def _plane(scene: kit.Scene) -> None:
    """Draws all models of one likelihood on the rate-distortion plane."""
    groups: dict[tuple[str, float | None, str], list[figures.hidden.Point]] = {}
    for record in catalogue()[0]:
        held_out = record.held_out
        if not record.autoencoder and {"kl", "reconstruction"} <= held_out.keys():
            point = figures.hidden.Point(
                record.name, held_out["kl"], -held_out["reconstruction"], record.name == scene.model[0]
            )
            groups.setdefault(_group(record), []).append(point)
    own = _group(cache.record(scene.model[0]))
    if not groups:
        return
    st.subheader(_("Rate and distortion"), anchor=False)
    text, picture = kit.two()
    with text:
        kit.words(
            _(
                "The bound is a sum, and one sum can be had in many ways (Alemi et al. 2018). The **rate** $R$ is the "
                "mean KL, the **distortion** $D = -\\mathbb{E}_q[\\log p(x|z)]$, and $\\mathrm{ELBO} = -(R + D)$. On a "
                "diagonal all models have the same ELBO: at its left end they ignore $z$, at its right end they copy "
                "the image into it. The ELBO cannot tell them apart. A weight $\\beta$ on the KL chooses a place."
            )
        )
        kinds = sorted(groups, key=lambda kind: (kind != own, str(kind)))
        named = {groups[kind][0].name: kind for kind in kinds}  # a group is called by its first model in the link
        state.begin("hidden.group", state.one_of(named))
        if st.session_state.get("hidden.group") not in named:  # never chosen, or its model is gone
            st.session_state.pop("hidden.group", None)
        name = st.selectbox(
            _("Models with the likelihood"), list(named), key="hidden.group",
            format_func=lambda name: _kind(groups[named[name]], named[name]),
        )  # fmt: skip
        state.write_link(hidden__group=None if name == next(iter(named)) else name)
        kit.note(
            _(
                "Nats under another likelihood, or another floor, are of another density: these do not compare, so "
                "each kind has a plane of its own. Held-out images."
            )
        )
    with picture:
        kit.chart(
            figures.hidden.rate_distortion(
                groups[named[name]], (_("rate R, nats"), _("distortion D, nats")), "ELBO {elbo}"
            ),
            "hidden.plane",
            _("Rate and distortion of models of the same likelihood, with diagonals of equal ELBO."),
        )


def _kind(points: list[figures.hidden.Point], kind: tuple[str, float | None, str]) -> str:
    """Names a group."""
    config = cache.record(points[0].name).model
    return f"{words.likelihood(kind[0])}; {words.floor(config)}; {kind[2]} ({len(points)})"


def _cell(scene: kit.Scene) -> str:
    return f'''import vae
from vae.latent import surgery

model, data = vae.load("{scene.model[0]}"), vae.load_dataset("{scene.dataset.name}")
found = surgery.surgery(vae.encode(model, data.train.images))
print(f"mean KL {{found.mean_kl:.3f}} nats = {{found.mutual_information:.2f}} + {{found.marginal_kl:.2f}}")'''
