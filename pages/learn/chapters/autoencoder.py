"""Comparison of the VAE with a plain autoencoder: the same networks trained for reconstruction only."""

import streamlit as st

from pages import cache
from pages.learn import kit
from pages.learn.chapters import generating
from pages.ui import pictures, state, words
from pages.ui.language import _
from vae import catalogue, figures
from vae.figures import COLOURS
from vae.model import Autoencoder
from vae.uses import classifier

SIDE = 6
SHOWN = 2000  # codes on a map


def show(scene: kit.Scene) -> None:
    """Draws the chapter."""
    pair = _pair(scene)
    if pair is None:
        kit.note(_("There is no autoencoder for this data set. Train one with the objective “autoencoder”."))
        return
    vae_, plain = pair
    cache.uses.judge(vae_.dataset.name)
    text, *sides = st.columns([4, 3, 3], gap="medium")
    with text:
        kit.words(
            _(
                "A plain **autoencoder** has the same two networks but only half of the objective: it maximises the "
                r"reconstruction term, and nothing regularises its codes. Its encoder gives a single point $\mu_z(x)$ "
                "without a standard deviation. It has no prior, and therefore no $p(x)$. One can still sample $z$ from "
                r"$\mathcal{N}(0, I)$ and decode it. What do we get?"
            )
        )
        name = _("autoencoder")
        kit.formula(
            r"\begin{aligned} \text{VAE:} & \ \mathbb{E}_q[\log p(x|z)] - \mathrm{KL}[q(z|x) \,\|\, p(z)] \\ "
            rf"\text{{{name}:}} & \ \log p(x|z = \mu_z(x)) \end{{aligned}}"
        )
        kit.note(
            _("Trained for {first:g} epochs ({name}) and {second:g} epochs ({plain}).").format(
                first=cache.record(vae_.model[0]).epochs_done, name=vae_.model[0],
                second=cache.record(plain.model[0]).epochs_done, plain=plain.model[0],
            )
        )  # fmt: skip
        done = kit.ask(
            13,
            _(
                "The classifier of chapter 11 is confident on {share:.0%} of the decoded samples of {name}. What is "
                "the share for {plain}?"
            ).format(share=_sure(vae_, False), name=vae_.model[0], plain=plain.model[0]),
            {
                "a": _("Less than a tenth of that"),
                "b": _("Smaller, but at least a tenth of that"),
                "c": _("The same or larger"),
            },
            lambda: _answer(vae_, plain),
        )
    for column, each in zip(sides, pair, strict=True):
        with column:
            _side(each, done)
    if done:
        _judged(vae_, plain)
    kit.leads_to("explore/probe", _("Probe: what this classifier sees all over the latent plane"), "category")
    kit.words(_("**Next**: what the bound itself does not show."))
    kit.code((Autoencoder.__call__, classifier.confidences), generating.cell(plain))


def _pair(scene: kit.Scene) -> tuple[kit.Scene, kit.Scene] | None:
    """Returns a VAE and an autoencoder with the same images and J: for the selected VAE, else for mnist-2d."""
    own, shipped = scene, kit.of(cache.model_id(kit.PLANE))
    judged = cache.uses.can_be_judged(own.dataset.name)
    if not judged:
        kit.say_unjudged(own, _("This chapter uses {plane} instead.").format(plane=kit.PLANE))
    for each in (own, shipped) if judged else (shipped,):
        for record in catalogue()[0]:
            same = record.model.latent == each.config.latent and record.model.likelihood == each.config.likelihood
            if record.autoencoder and same:
                plain = kit.of(cache.model_id(record.name))
                if plain.dataset.name == each.dataset.name:
                    if judged and each is not own:
                        kit.note(
                            _(
                                "There is no autoencoder with the J, likelihood and images of {name}, so this chapter "
                                "uses {plane}."
                            ).format(name=own.model[0], plane=each.model[0])
                        )
                    return each, plain
    return None


def _sure(scene: kit.Scene, fitted: bool) -> float:
    return cache.uses.share_sure(cache.uses.sureness(scene.model, scene.dataset.name, fitted))


def _side(scene: kit.Scene, done: bool) -> None:
    """Shows the codes of a model, and decoded samples from N(0, I)."""
    record = cache.record(scene.model[0])
    kit.words(f"**{scene.model[0]}**")
    if scene.config.latent == 2:
        means = cache.codes(scene.model).mean[:SHOWN]
        figure = figures.uses.codes_and_prior(
            means, scene.dataset.test.labels[:SHOWN].numpy(), words.classes(scene.dataset), ("z₁", "z₂"),
            _("95% of N(0, I)"),
        )  # fmt: skip
        kit.chart(
            figure.update_layout(showlegend=False), f"autoencoder.{'plain' if record.autoencoder else 'vae'}",
            _("Codes of test images of {name}, and the circle that contains 95% of N(0, I).").format(
                name=scene.model[0]
            ),
            height=220,
        )  # fmt: skip
        kit.note(_("Codes; circle: 95% of N(0, I)"))
    decoded = cache.samples(scene.model, SIDE * SIDE, state.seed())
    caption = _("decoded samples from N(0, I)")
    if done:
        caption = _("decoded samples from N(0, I): confident on {share:.0%}").format(share=_sure(scene, False))
    pictures.strip(decoded.mean, caption, columns=SIDE, scale=2)


def _answer(vae_: kit.Scene, plain: kit.Scene) -> kit.Answer:
    """Counts the samples for which the classifier is confident."""
    first, second = _sure(vae_, False), _sure(plain, False)
    error = generating.standard_error(first, second)
    letter = "a" if second < first / 10 else "b" if second < first - 2 * error else "c"
    spread = cache.latent.training_codes(plain.model).mean.std(0).mean()
    says = _(
        "The classifier is confident on {second:.1%} of the samples of {plain} and on {first:.1%} of those of {name} "
        "(standard error of the difference: {error:.1%}). The codes of {plain} have a standard deviation of "
        "{spread:.1f}, while N(0, I) has 1."
    ).format(
        second=second, plain=plain.model[0], first=first, name=vae_.model[0], error=error, spread=spread
    )  # fmt: skip
    return kit.Answer(letter, says)


def _judged(vae_: kit.Scene, plain: kit.Scene) -> None:
    """Draws the confident share, and repeats the comparison with a Gaussian fitted to the autoencoder's codes."""
    real = cache.uses.sureness_of_images(vae_.dataset.name)
    sets = [
        (_("test images"), COLOURS["exact"], real["test"], "solid"),
        (_("{name}, N(0, I)").format(name=vae_.model[0]), COLOURS["elbo"],
         cache.uses.sureness(vae_.model, vae_.dataset.name, False), "solid"),
        (_("{name}, N(0, I)").format(name=plain.model[0]), COLOURS["reconstruction"],
         cache.uses.sureness(plain.model, plain.dataset.name, False), "solid"),
        (_("{name}, fitted Gaussian").format(name=vae_.model[0]), COLOURS["elbo"],
         cache.uses.sureness(vae_.model, vae_.dataset.name, True), "dot"),
        (_("{name}, fitted Gaussian").format(name=plain.model[0]), COLOURS["reconstruction"],
         cache.uses.sureness(plain.model, plain.dataset.name, True), "dot"),
        (_("averages of two test images"), COLOURS["naive"], real["averages"], "dash"),
    ]  # fmt: skip
    text, picture = kit.two()
    with picture:
        curves = [
            figures.uses.Curve(name, colour, classifier.THRESHOLDS, classifier.share_sure(confidence), dash)
            for name, colour, confidence, dash in sets
        ]
        kit.chart(
            figures.uses.lines(curves, (_("confidence threshold"), _("share of images above it"))),
            "autoencoder.sure", _("Share of images on which the classifier is confident, against the threshold."),
        )  # fmt: skip
    with text:
        fitted, own, fair = _sure(plain, True), _sure(plain, False), _sure(vae_, False)
        kit.words(
            _(
                r"Is this comparison fair? The autoencoder was never trained to match $\mathcal{{N}}(0, I)$. If we "
                "fit a Gaussian to its codes and sample $z$ from that instead, the classifier is confident on "
                "**{fitted:.0%}** of the samples instead of {own:.0%}. {verdict}"
            ).format(fitted=fitted, own=own, verdict=_verdict(fitted, fair, vae_.model[0]))
        )
        kit.note(
            _(
                "The classifier is not a reliable judge of every image: it is also confident on {averages:.0%} of the "
                "averages of two test images, and on {noise:.0%} of images of pure noise."
            ).format(averages=cache.uses.share_sure(real["averages"]), noise=cache.uses.share_sure(real["noise"]))
        )


def _verdict(fitted: float, fair: float, name: str) -> str:
    """Explains what the result with the fitted Gaussian means."""
    noise = 2 * generating.standard_error(fitted, fair)
    if fitted > fair - noise:
        says = _("That equals the share of {name} under its own prior ({fair:.0%}) within the sampling error.")
        if fitted > fair + noise:
            says = _("That is more than the share of {name} under its own prior ({fair:.0%}).")
        reason = _(
            "So holes between the codes are not the problem of this autoencoder. What it lacks is a distribution over "
            "$z$ that is part of its training: the Gaussian was fitted afterwards, and there is still no $p(x)$ and "
            "no bound."
        )
        return says.format(name=name, fair=fair) + " " + reason
    return _(
        "For {name} the share is {fair:.0%} under the prior that it was trained with: a distribution fitted "
        "afterwards does not fill the holes between the codes."
    ).format(name=name, fair=fair)
