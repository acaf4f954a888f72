"""The autoencoder beside the VAE: the same nets, reconstruction alone, and what its plane is like."""

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
        kit.note(_("There is no autoencoder of this data set. Train one with the objective “autoencoder”."))
        return
    vae_, plain = pair
    cache.uses.judge(vae_.dataset.name)
    kit.words(
        _(
            "A plain **autoencoder** has the same two nets and half of the objective: it reconstructs, and nothing "
            "pulls its codes anywhere. Its encoder gives one point $\\mu_z(x)$, without a deviation. There is no "
            "prior, so no $p(x)$. People still draw $z$ from $\\mathcal{N}(0, I)$ and decode. What comes out?"
        )
    )
    kit.formula(
        r"\begin{aligned} \text{VAE:} & \ \mathbb{E}_q[\log p(x|z)] - \mathrm{KL}[q(z|x) \,\|\, p(z)] \\ "
        r"\text{autoencoder:} & \ \log p(x|z = \mu_z(x)) \end{aligned}"
    )
    kit.note(
        _("Training: {first:g} epochs for {name}, {second:g} for {plain}.").format(
            first=cache.record(vae_.model[0]).epochs_done, name=vae_.model[0],
            second=cache.record(plain.model[0]).epochs_done, plain=plain.model[0],
        )
    )  # fmt: skip
    done = kit.ask(
        13,
        _("The classifier of chapter 11 is sure of {share:.0%} of the draws of {name}. Of those of {plain}?").format(
            share=_sure(vae_, False), name=vae_.model[0], plain=plain.model[0]
        ),
        {"a": _("Of nearly none: less than a tenth of that"), "b": _("Of fewer"), "c": _("Of as many, or more")},
        lambda: _answer(vae_, plain),
    )
    for column, each in zip(st.columns(2, gap="medium"), pair, strict=True):
        with column:
            _side(each, done)
    if done:
        _judged(vae_, plain)
    kit.leads_to("explore/probe", _("Probe: what this classifier sees all over the latent plane"), "category")
    kit.words(_("**Next**: what the bound itself does not show."))
    kit.code((Autoencoder.__call__, classifier.confidences), generating.cell(plain))


def _pair(scene: kit.Scene) -> tuple[kit.Scene, kit.Scene] | None:
    """Returns a VAE and an autoencoder of the same images and J: of the VAE in use, else of mnist-2d."""
    own, shipped = scene, kit.of(cache.model_id(kit.PLANE))
    judged = cache.uses.can_be_judged(own.dataset.name)
    if not judged:
        kit.say_unjudged(own, _("What follows is of {plane}.").format(plane=kit.PLANE))
    for each in (own, shipped) if judged else (shipped,):
        for record in catalogue()[0]:
            same = record.model.latent == each.config.latent and record.model.likelihood == each.config.likelihood
            if record.autoencoder and same:
                plain = kit.of(cache.model_id(record.name))
                if plain.dataset.name == each.dataset.name:
                    if judged and each is not own:
                        kit.note(
                            _(
                                "No autoencoder has the J, likelihood and images of {name}; these are of {plane}."
                            ).format(name=own.model[0], plane=each.model[0])
                        )
                    return each, plain
    return None


def _sure(scene: kit.Scene, fitted: bool) -> float:
    return cache.uses.share_sure(cache.uses.sureness(scene.model, scene.dataset.name, fitted))


def _side(scene: kit.Scene, done: bool) -> None:
    """Shows a model's map, and what it makes of draws from N(0, I)."""
    record = cache.record(scene.model[0])
    kit.words(f"**{scene.model[0]}**")
    if scene.config.latent == 2:
        means = cache.codes(scene.model).mean[:SHOWN]
        kit.chart(
            figures.uses.codes_and_prior(
                means, scene.dataset.test.labels[:SHOWN].numpy(), words.classes(scene.dataset), ("z₁", "z₂"),
                _("95 % of N(0, I)"),
            ),
            f"autoencoder.{'plain' if record.autoencoder else 'vae'}",
            _("Codes of test images of {name}, and the ring that holds 95 % of N(0, I).").format(name=scene.model[0]),
        )  # fmt: skip
    decoded = cache.samples(scene.model, SIDE * SIDE, state.seed())
    caption = _("decoded draws from N(0, I)")
    if done:
        caption = _("decoded draws from N(0, I): sure of {share:.0%}").format(share=_sure(scene, False))
    pictures.strip(decoded.mean, caption, columns=SIDE, scale=2)


def _answer(vae_: kit.Scene, plain: kit.Scene) -> kit.Answer:
    """Counts the draws that the classifier is sure of."""
    first, second = _sure(vae_, False), _sure(plain, False)
    error = generating.standard_error(first, second)
    letter = "a" if second < first / 10 else "b" if second < first - 2 * error else "c"
    spread = cache.latent.training_codes(plain.model).mean.std(0).mean()
    says = _(
        "It is sure of {second:.1%} of {plain}'s draws, and of {first:.1%} of {name}'s (the standard error of the "
        "difference is {error:.1%}). The codes of {plain} have a deviation of {spread:.1f}: N(0, I) has 1."
    ).format(
        second=second, plain=plain.model[0], first=first, name=vae_.model[0], error=error, spread=spread
    )  # fmt: skip
    return kit.Answer(letter, says)


def _judged(vae_: kit.Scene, plain: kit.Scene) -> None:
    """Draws the share that the classifier is sure of, and gives the autoencoder its chance."""
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
            figures.uses.lines(curves, (_("probability above which it counts as sure"), _("share it is sure of"))),
            "autoencoder.sure", _("Share of images of which the classifier is sure, over the threshold."),
        )  # fmt: skip
    with text:
        fitted, own, fair = _sure(plain, True), _sure(plain, False), _sure(vae_, False)
        kit.words(
            _(
                "Is that fair? Nobody ever told the autoencoder of $\\mathcal{{N}}(0, I)$. Fit a Gaussian to its "
                "codes, and draw from that: now the classifier is sure of **{fitted:.0%}** instead of {own:.0%}. "
                "{verdict}"
            ).format(fitted=fitted, own=own, verdict=_verdict(fitted, fair, vae_.model[0]))
        )
        kit.note(
            _(
                "The classifier is no judge of all images: of averages of two images it is sure of {averages:.0%}, of "
                "mere noise of {noise:.0%}."
            ).format(averages=cache.uses.share_sure(real["averages"]), noise=cache.uses.share_sure(real["noise"]))
        )


def _verdict(fitted: float, fair: float, name: str) -> str:
    """Says what the fitted Gaussian means for the autoencoder."""
    noise = 2 * generating.standard_error(fitted, fair)
    if fitted > fair - noise:
        says = _("That is as much as {name} has under its own prior ({fair:.0%}), within the noise of the draws.")
        if fitted > fair + noise:
            says = _("That is more than {name} has under its own prior ({fair:.0%}).")
        reason = _(
            "So holes are not the autoencoder's trouble here. It lacks a distribution over $z$ that training made the "
            "right one: the fit was an afterthought, and there is still no $p(x)$ and no bound."
        )
        return says.format(name=name, fair=fair) + " " + reason
    return _(
        "{name} has {fair:.0%} under the prior that it was trained with: a distribution that was fitted afterwards "
        "does not fill the holes between the codes."
    ).format(name=name, fair=fair)
