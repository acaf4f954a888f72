"""Generating images: one sample step by step, and samples from models of 2, 5, 10 and 20 dimensions."""

import numpy as np
import streamlit as st

from pages import cache
from pages.learn import kit
from pages.ui import pictures, state
from pages.ui.language import _
from vae import latent
from vae.uses import classifier

ROWS, ACROSS = 4, 9  # of samples from a model
LETTERS = "abcd"


def show(scene: kit.Scene) -> None:
    """Draws the chapter."""
    text, picture = kit.two()
    with text:
        kit.words(
            _(
                "The model is trained. To generate a new image we no longer need the encoder: sample $z$ from the "
                "prior, decode it, and sample $x$. There is no input image."
            )
        )
        kit.formula(r"z \sim p(z) = \mathcal{N}(0, I) \qquad x \sim p_\theta(x|z)")
        _slowly(scene)
    family = [kit.of(cache.model_id(name)) for name in cache.uses.FAMILY]
    own = scene.model[0] not in cache.uses.FAMILY
    with picture:
        kind = _kind()
        panels = st.container()
    text, question = kit.two()
    images = family[0].dataset.name
    skill = cache.uses.judge(images).skill
    with text:
        kit.words(
            _(
                "How many of these look real? We let a classifier judge. It was trained on the labels and is "
                "confident (probability above {sure:.0%}) on {share:.0%} of the real test images; {right:.1%} of "
                "these predictions are right."
            ).format(
                sure=classifier.SURE,
                share=skill.sure if skill else np.nan,
                right=skill.accuracy_sure if skill else np.nan,
            )
        )
    few, many = family[0], family[-1]
    with question:
        done = kit.ask(
            11,
            _(
                "The bound of the {many}-D model is {nats:,.0f} nats higher than that of the {few}-D model. How do "
                "they compare in the share of decoded samples on which the classifier is confident?"
            ).format(many=many.config.latent, few=few.config.latent, nats=_bound(many) - _bound(few)),
            {
                "a": _("The {many}-D model has the larger share").format(many=many.config.latent),
                "b": _("Both have about the same share"),
                "c": _("The {many}-D model has the smaller share").format(many=many.config.latent),
            },
            lambda: _answer(family),
        )
        kit.note(_("The answer refers to the models that come with the explorer; with others it may be different."))
    with panels:
        _panels([*family, *([scene] if own else [])], kind, done)
        if own and not cache.uses.can_be_judged(scene.dataset.name):
            kit.say_unjudged(scene)
        kit.note(
            _(
                "A sample includes the noise that the model assumes, independent for each pixel. Most papers show the "
                "mean."
            )
        )
    with text:
        if done:
            kit.words(
                _(
                    r"Not every $z$ drawn from $\mathcal{N}(0, I)$ need be the code of an image: the distribution of "
                    "all codes may differ from the prior. Chapters 13 and 14 measure this."
                )
            )
        kit.leads_to("explore/probe", _("Probe: what this classifier sees all over the latent plane"), "category")
    kit.words(_("**Next**: what else such a model can be used for."))
    kit.code((latent.decode, classifier.confidences, classifier.share_sure), cell(scene))


def _kind() -> str:
    """Draws the choice between means and samples, and the button for new ones; returns "mean" or "draw"."""
    shown = {"mean": _("Mean of p(x|z)"), "draw": _("Sample from p(x|z)")}
    state.begin("generating.show", state.one_of(shown), "mean")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            _("Show"), list(shown), required=True, format_func=shown.__getitem__, key="generating.show",
            persist_state="session",
        ) or "mean"  # fmt: skip
        state.write_link(generating__show=None if kind == "mean" else kind)
        st.button(_("New samples"), key="lesson.draw", icon=":material/casino:", on_click=state.draw_again)
    return kind


def _slowly(scene: kit.Scene) -> None:
    """Shows how one image is sampled, step by step."""
    names = [_("Sample z"), _("Decode"), _("Sample x")]
    at = kit.steps("generating.step", names)
    seed, bernoulli = state.seed(), scene.config.likelihood == "bernoulli"
    z = np.random.default_rng(seed).standard_normal(scene.config.latent)
    decoded = cache.decode(scene.model, tuple(z.tolist()), seed)
    some = ", ".join(f"{value:.2f}" for value in z[:5]) + (", ..." if len(z) > 5 else "")
    says = [_("{count} independent samples from N(0, 1): z = ({z}).").format(count=len(z), z=some)]
    if bernoulli:
        says += [
            _("The decoder computes the probability of each pixel being white."),
            _("Each pixel is sampled: white or black."),
        ]
    else:
        says += [
            _("The decoder computes a mean and a standard deviation for each pixel."),
            _("Each pixel is sampled: its mean plus its standard deviation times a sample from N(0, 1)."),
        ]
    kit.words(says[at])
    shown: dict[str, np.ndarray] = {"z": _bars(z)}
    if at >= 1:
        shown[_("mean")] = pictures.plain(decoded.mean[0])
        if not bernoulli:
            shown[_("standard deviation")] = pictures.sigma(decoded.deviation[0])
    if at >= 2:
        shown[_("sample")] = pictures.plain(decoded.sample[0])
    pictures.row(shown, 92)


def _bars(z: np.ndarray, side: int = 168) -> np.ndarray:
    """Draws the components of z as bars, up to 3 in absolute value, as a picture (side, side, 3)."""
    sheet = np.full((side, side, 3), 242, np.uint8)
    wide = side / len(z)
    for j, value in enumerate(np.clip(z / 3, -1, 1)):
        ends = sorted((side / 2, side / 2 * (1 - value)))
        sheet[int(ends[0]) : int(ends[1]) + 1, int((j + 0.15) * wide) : max(int((j + 0.85) * wide), 1)] = (47, 111, 176)
    sheet[side // 2] = (117, 127, 138)
    return sheet


def _panels(scenes: list[kit.Scene], kind: str, judged: bool) -> None:
    """Shows samples of each model side by side."""
    columns = st.columns(2)
    for place, scene in enumerate(scenes):
        decoded = cache.samples(scene.model, ROWS * ACROSS, state.seed())
        with columns[place % 2]:
            if place < len(LETTERS):
                title = _("**({letter}) {size}-D latent space**").format(
                    letter=LETTERS[place], size=scene.config.latent
                )
            else:
                title = f"**{scene.model[0]}**"
            kit.words(title)
            caption = scene.model[0]
            if judged and kind == "mean" and cache.uses.can_be_judged(scene.dataset.name):  # only these were judged
                share = cache.uses.share_sure(cache.uses.sureness(scene.model, scene.dataset.name, False))
                caption = _("{name}: confident on {share:.0%}").format(name=scene.model[0], share=share)
            pictures.strip(decoded.mean if kind == "mean" else decoded.sample, caption, columns=ACROSS)


def _bound(scene: kit.Scene) -> float:
    return cache.record(scene.model[0]).held_out["elbo"]


def _answer(family: list[kit.Scene]) -> kit.Answer:
    """Counts the confident samples of each model, and compares the first model with the last."""
    shares = [cache.uses.share_sure(cache.uses.sureness(each.model, each.dataset.name, False)) for each in family]
    first, last = shares[0], shares[-1]
    error = standard_error(first, last)
    listed = ", ".join(
        _("{share:.1%} for J = {size}").format(share=share, size=each.config.latent)
        for share, each in zip(shares, family, strict=True)
    )
    says = _(
        "The share of {count:,} samples on which the classifier is confident: {shares} (standard error of the "
        "difference: {error:.1%}). The bound rewards good reconstructions; it does not measure what samples from the "
        "prior look like."
    ).format(count=cache.uses.JUDGED, shares=listed, error=error)
    return kit.Answer("a" if last > first + 2 * error else "c" if last < first - 2 * error else "b", says)


def standard_error(first: float, second: float) -> float:
    """Returns the standard error of the difference of two shares of the samples; chapter 13 uses it too."""
    return float(np.sqrt((first * (1 - first) + second * (1 - second)) / cache.uses.JUDGED))


def cell(scene: kit.Scene) -> str:
    """Returns a notebook cell that counts the confident samples; chapter 13 uses it too."""
    return f'''import numpy as np
import vae
from vae.uses import classifier

model = vae.load("{scene.model[0]}")
z = np.random.default_rng(0).standard_normal(({cache.uses.JUDGED}, model.config.latent))
images = vae.decode(model, z.astype(np.float32)).mean
judge = classifier.load_classifier(classifier.classifier_file("{scene.dataset.name}"))
sure, label = classifier.confidences(judge, images)
print(f"confident for {{(sure > classifier.SURE).mean():.1%}} of the samples")'''
