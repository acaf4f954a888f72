"""Generating: one draw in slow motion, and draws of 2, 5, 10 and 20 dimensions."""

import numpy as np
import streamlit as st

from pages import cache
from pages.learn import kit
from pages.ui import pictures, state
from pages.ui.language import _
from vae import latent
from vae.uses import classifier

SIDE = 6
LETTERS = "abcd"


def show(scene: kit.Scene) -> None:
    """Draws the chapter."""
    kit.words(
        _(
            "The model is trained. To make a new image, forget the encoder: draw $z$ from the prior, decode it, and "
            "draw $x$. No image goes in."
        )
    )
    kit.formula(r"z \sim p(z) = \mathcal{N}(0, I) \qquad x \sim p_\theta(x|z)")
    _slowly(scene)
    family = [kit.of(cache.model_id(name)) for name in cache.uses.FAMILY]
    own = scene.model[0] not in cache.uses.FAMILY
    shown = {"mean": _("Mean of p(x|z)"), "draw": _("Draw from p(x|z)")}
    state.begin("generating.show", state.one_of(shown), "mean")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            _("Show"), list(shown), required=True, format_func=shown.__getitem__, key="generating.show",
            persist_state="session",
        ) or "mean"  # fmt: skip
        state.write_link(generating__show=None if kind == "mean" else kind)
        st.button(_("New draws"), key="lesson.draw", icon=":material/casino:", on_click=state.draw_again)
    panels, says = st.container(), st.container()
    images = family[0].dataset.name
    skill = cache.uses.judge(images).skill
    with says:
        kit.words(
            _(
                "How many of these look real? Let a machine count. A small classifier that was trained on the labels "
                "is sure (above {sure:.0%}) of {share:.0%} of real test images, and right on {right:.1%} of these."
            ).format(
                sure=classifier.SURE,
                share=skill.sure if skill else np.nan,
                right=skill.accuracy_sure if skill else np.nan,
            )
        )
        few, many = family[0], family[-1]
        done = kit.ask(
            11,
            _(
                "The {many}-D model has the better bound by {nats:,.0f} nats. Of how many of its decoded draws is the "
                "classifier sure?"
            ).format(many=many.config.latent, nats=_bound(many) - _bound(few)),
            {
                "a": _("Of more than of the {few}-D model's").format(few=few.config.latent),
                "b": _("Of about as many"),
                "c": _("Of fewer"),
            },
            lambda: _answer(family),
        )
        kit.note(_("The answer is of the shipped models named here; others may give another."))
    with panels:
        _panels([*family, *([scene] if own else [])], kind, done)
        if own and not cache.uses.can_be_judged(scene.dataset.name):
            kit.say_unjudged(scene)
        kit.note(
            _(
                "A draw adds the noise that the model believes in, independent from pixel to pixel. The mean is what "
                "most papers print."
            )
        )
    if done:
        kit.words(
            _(
                "Not every $z$ of $\\mathcal{N}(0, I)$ need be the code of some image: the codes as a whole may be "
                "spread unlike the prior. Chapters 13 and 14 measure that."
            )
        )
    kit.leads_to("explore/probe", _("Probe: what this classifier sees all over the latent plane"), "category")
    kit.words(_("**Next**: what else such a model is good for."))
    kit.code((latent.decode, classifier.confidences, classifier.share_sure), cell(scene))


def _slowly(scene: kit.Scene) -> None:
    """Shows one draw, step by step."""
    names = [_("Draw z"), _("Decode"), _("Draw x")]
    at = kit.steps("generating.step", names)
    seed, bernoulli = state.seed(), scene.config.likelihood == "bernoulli"
    z = np.random.default_rng(seed).standard_normal(scene.config.latent)
    decoded = cache.decode(scene.model, tuple(z.tolist()), seed)
    some = ", ".join(f"{value:.2f}" for value in z[:5]) + (", ..." if len(z) > 5 else "")
    says = [_("{count} numbers from N(0, 1): z = ({z}).").format(count=len(z), z=some)]
    if bernoulli:
        says += [
            _("The decoder says how probable each pixel is to be white."),
            _("Each pixel is drawn: white or black."),
        ]
    else:
        says += [
            _("The decoder gives each pixel a mean and a deviation."),
            _("Each pixel is drawn: its mean, plus its deviation times a number from N(0, 1)."),
        ]
    kit.words(says[at])
    shown: dict[str, np.ndarray] = {"z": _bars(z)}
    if at >= 1:
        shown[_("mean")] = pictures.plain(decoded.mean[0])
        if not bernoulli:
            shown[_("deviation")] = pictures.sigma(decoded.deviation[0])
    if at >= 2:
        shown[_("draw")] = pictures.plain(decoded.sample[0])
    pictures.row(shown)


def _bars(z: np.ndarray, side: int = 168) -> np.ndarray:
    """Draws a latent as bars from the middle, up to 3 deviations, as a picture (side, side, 3)."""
    sheet = np.full((side, side, 3), 242, np.uint8)
    wide = side / len(z)
    for j, value in enumerate(np.clip(z / 3, -1, 1)):
        ends = sorted((side / 2, side / 2 * (1 - value)))
        sheet[int(ends[0]) : int(ends[1]) + 1, int((j + 0.15) * wide) : max(int((j + 0.85) * wide), 1)] = (47, 111, 176)
    sheet[side // 2] = (117, 127, 138)
    return sheet


def _panels(scenes: list[kit.Scene], kind: str, judged: bool) -> None:
    """Shows draws of each model side by side."""
    columns = st.columns(min(len(scenes), 4))
    for place, scene in enumerate(scenes):
        decoded = cache.samples(scene.model, SIDE * SIDE, state.seed())
        with columns[place % len(columns)]:
            if place < len(LETTERS):
                title = _("**({letter}) {size}-D latent space**").format(
                    letter=LETTERS[place], size=scene.config.latent
                )
            else:
                title = f"**{scene.model[0]}**"
            kit.words(title)
            caption = scene.model[0]
            if judged and kind == "mean" and cache.uses.can_be_judged(scene.dataset.name):  # what was judged
                share = cache.uses.share_sure(cache.uses.sureness(scene.model, scene.dataset.name, False))
                caption = _("{name}: sure of {share:.0%}").format(name=scene.model[0], share=share)
            pictures.strip(decoded.mean if kind == "mean" else decoded.sample, caption, columns=SIDE)


def _bound(scene: kit.Scene) -> float:
    return cache.record(scene.model[0]).held_out["elbo"]


def _answer(family: list[kit.Scene]) -> kit.Answer:
    """Counts for each model of how many draws the classifier is sure, and compares the first with the last."""
    shares = [cache.uses.share_sure(cache.uses.sureness(each.model, each.dataset.name, False)) for each in family]
    first, last = shares[0], shares[-1]
    error = standard_error(first, last)
    listed = ", ".join(
        _("{share:.1%} for J = {size}").format(share=share, size=each.config.latent)
        for share, each in zip(shares, family, strict=True)
    )
    says = _(
        "Of {count:,} draws it is sure of {shares} (standard error of a difference: {error:.1%}). The bound rewards "
        "good reconstructions; it does not ask how draws from the prior look."
    ).format(count=cache.uses.JUDGED, shares=listed, error=error)
    return kit.Answer("a" if last > first + 2 * error else "c" if last < first - 2 * error else "b", says)


def standard_error(first: float, second: float) -> float:
    """Returns the standard error of the difference of two shares of the draws; for chapter 13 too."""
    return float(np.sqrt((first * (1 - first) + second * (1 - second)) / cache.uses.JUDGED))


def cell(scene: kit.Scene) -> str:
    """Returns the notebook cell that counts the draws that the classifier is sure of; for chapter 13 too."""
    return f'''import numpy as np
import vae
from vae.uses import classifier

model = vae.load("{scene.model[0]}")
z = np.random.default_rng(0).standard_normal(({cache.uses.JUDGED}, model.config.latent))
images = vae.decode(model, z.astype(np.float32)).mean
judge = classifier.load_classifier(classifier.classifier_file("{scene.dataset.name}"))
sure, label = classifier.confidences(judge, images)
print(f"sure of {{(sure > classifier.SURE).mean():.1%}} of the draws")'''
