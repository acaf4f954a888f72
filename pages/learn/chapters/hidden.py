"""What the bound hides: the two parts of the mean KL, and models on the rate-distortion plane."""

import streamlit as st

from pages import cache
from pages.learn import kit
from pages.ui import prior, state, words
from pages.ui.language import _
from vae import catalogue, figures
from vae.latent import ALL_COLLAPSED, surgery
from vae.model import Record


def show(scene: kit.Scene) -> None:
    """Draws the chapter."""
    if kit.steps("hidden.part", [_("Mutual information"), _("Rate and distortion")]) == 0:
        _split(scene)
    else:
        _plane(scene)
    kit.code((surgery.surgery,), _cell(scene))


def _split(scene: kit.Scene) -> None:
    """Splits the mean KL into mutual information and the divergence of the aggregate posterior from the prior."""
    text, picture = kit.two()
    with text:
        kit.words(
            _(
                r"For each image the bound contains the complexity penalty $\mathrm{KL}[q(z|x)\,\|\,p(z)]$. Averaged "
                "over all $N$ training images, it splits into two parts. The **mutual information** $I(n; z)$ is what "
                "a code tells us about which image $n$ it came from; this is what codes are for. The rest is the "
                "divergence of the **aggregate posterior** $q(z)$, the distribution of all codes, from the prior. "
                "This part is wasted, and it is the reason why samples from $p(z)$ may fall where there are no codes."
            )
        )
        kit.formula(
            r"\begin{aligned} & \tfrac{1}{N} \textstyle\sum_n \mathrm{KL}[q(z|x_n) \,\|\, p(z)] \\ & \quad = "
            r"\underbrace{I(n; z)}_{\le\, \log N} + \mathrm{KL}[q(z) \,\|\, p(z)] \\ "
            r"& q(z) = \tfrac{1}{N} \textstyle\sum_n q(z|x_n) \end{aligned}"
        )
        done = False
        kl, images = cache.latent.mean_kl(scene.model, scene.dataset.name)
        if kl < ALL_COLLAPSED:
            kit.note(
                _(
                    "The mean KL divergence of {name} is {kl:.4f} nats: its encoder gives nearly the same distribution "
                    "for every image, so there is nothing to split. Choose another model."
                ).format(name=scene.model[0], kl=kl)
            )
        else:
            done = _ask(scene, kl, images)
    with picture:
        with st.spinner(_("Computing the aggregate posterior of {count:,} training images ...").format(count=images)):
            figure = prior.figure(scene.model)[0]
        kit.chart(
            figure, "hidden.aggregate", _("Density of the aggregate posterior and of the prior, with holes marked"),
            height=440,
        )  # fmt: skip
        kit.note(_("A hole is a region with prior density but almost no codes."))
    if done:
        _parts(cache.uses.taken_apart(scene.model))


def _ask(scene: kit.Scene, kl: float, images: int) -> bool:
    """Asks how much of the mean KL is wasted; returns whether this was answered."""
    return kit.ask(
        14,
        _("The complexity penalty of {name} is {kl:.1f} nats per image, averaged over {count:,} training images. How "
          "much of it is wasted?").format(
            name=scene.model[0], kl=kl, count=images
        ),
        {"a": _("Less than a tenth"), "b": _("A tenth to a quarter"), "c": _("A quarter to a half"),
         "d": _("More than half")},
        lambda: _answer(cache.uses.taken_apart(scene.model)[-1]),
    )  # fmt: skip


def _answer(whole: surgery.Surgery) -> kit.Answer:
    """Compares KL[q(z) || p(z)] with the mean KL."""
    share = whole.marginal_kl / whole.mean_kl
    letter = next(letter for letter, most in (("a", 0.1), ("b", 0.25), ("c", 0.5), ("d", 9e9)) if share < most)
    says = _(
        "{share:.0%}: of {kl:.3f} nats, {information:.2f} ± {first:.2f} are mutual information and {marginal:.2f} ± "
        "{second:.2f} are KL[q(z) || p(z)]. The two parts are estimated from samples and sum to {sum:.2f}; the total "
        "is computed in closed form."
    ).format(
        share=share, kl=whole.mean_kl, information=whole.mutual_information, first=whole.mutual_information_error,
        marginal=whole.marginal_kl, second=whole.marginal_kl_error,
        sum=whole.mutual_information + whole.marginal_kl,
    )  # fmt: skip
    return kit.Answer(letter, says)


def _parts(found: list[surgery.Surgery]) -> None:
    """Draws both parts, and their dependence on the number of images."""
    whole = found[-1]
    information, mean = _("mutual information"), _("mean KL")
    text, picture = kit.two()
    with picture:
        kit.chart(
            figures.hidden.split(whole, (mean, information, "KL[q(z) ‖ p(z)]"), _("nats")), "hidden.split",
            _("The mean KL as a bar, and its two parts as another of the same length."),
        )  # fmt: skip
        kit.chart(
            figures.hidden.growth(found, (information, "log N", mean), (_("number of training images N"), _("nats"))),
            "hidden.growth",
            _("Mutual information for increasing numbers of images, compared with log N and the mean KL."),
        )  # fmt: skip
    with text:
        rise = whole.mutual_information - found[-2].mutual_information
        gap = whole.ceiling - whole.mutual_information
        if gap < 0.1:
            verdict = _(
                "With {count:,} images the curve is still within {gap:.3f} nats of the line: each code tells exactly "
                "which image it came from. With more images the mutual information would go on rising, so over all "
                "possible images the waste is smaller than it appears here. How much smaller, no finite data set can "
                "tell."
            ).format(count=whole.images, gap=max(gap, 0.001))
        else:
            verdict = _(
                "With {count:,} images the curve lies {gap:.2f} nats below the line: the codes of different images "
                "overlap. From {before:,} images on, it still rose by {rise:.2f} nats; with more images it would rise "
                "further, and the waste would shrink."
            ).format(count=whole.images, gap=gap, before=found[-2].images, rise=rise)
        kit.words(
            _(
                "**The split depends on the number of images.** With $N$ images, the mutual information cannot exceed "
                r"$\log N$. With few images the blue curve lies on that line, and the remainder counts as waste. "
                "{verdict}"
            ).format(verdict=verdict)
        )


def _group(record: Record) -> tuple[str, float | None, str]:
    """Returns what two models must have in common to be comparable."""
    config = record.model
    return (
        config.likelihood,
        None if config.likelihood == "bernoulli" else config.log_variance_floor,
        record.data,
    )


def _plane(scene: kit.Scene) -> None:
    """Draws comparable models on the rate-distortion plane."""
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
    text, picture = kit.two()
    with text:
        kit.words(
            _(
                "The bound is a sum of two terms, and different pairs of terms can have the same sum (Alemi et al. "
                r"2018). The **rate** $R$ is the mean KL divergence, the **distortion** is $D = -\mathbb{E}_q[\log "
                r"p(x|z)]$, averaged likewise, and $\mathrm{ELBO} = -(R + D)$. All models on a diagonal have the same "
                "ELBO: those at its left end ignore $z$, those at its right end store the image in it. The ELBO "
                r"cannot tell them apart. A weight $\beta$ on the KL term chooses between them."
            )
        )
        kinds = sorted(groups, key=lambda kind: (kind != own, str(kind)))
        named = {groups[kind][0].name: kind for kind in kinds}  # in the link a group has the name of its first model
        state.begin("hidden.group", state.one_of(named))
        if st.session_state.get("hidden.group") not in named:  # never chosen, or its model was deleted
            st.session_state.pop("hidden.group", None)
        name = st.selectbox(
            _("Models that can be compared"), list(named), key="hidden.group",
            format_func=lambda name: _kind(groups[named[name]], named[name]),
        )  # fmt: skip
        state.write_link(hidden__group=None if name == next(iter(named)) else name)
        kit.note(
            _(
                "Values under different likelihoods, variance floors or data sets are not comparable, so each group "
                "of models has a plane of its own. All values are averages over held-out images."
            )
        )
    with picture:
        kit.chart(
            figures.hidden.rate_distortion(
                groups[named[name]], (_("rate R, nats"), _("distortion D, nats")), "ELBO {elbo}"
            ),
            "hidden.plane",
            _("Rate and distortion of comparable models, with lines of equal ELBO."),
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
