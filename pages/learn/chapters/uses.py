"""What a model is for: generation, a score for odd images, features."""

import math

import torch

from pages import cache
from pages.learn import features, kit
from pages.ui import pictures, words
from pages.ui.language import _
from vae import evidence, figures
from vae.uses import oddities


def show(scene: kit.Scene) -> None:
    """Draws the chapter."""
    kit.words(
        _(
            "Chapter 11 **generated** images. The same model is of use in two more ways. Its density $p(x)$, or the "
            "bound, **scores** an image: is it like those that were learned from? And its encoder makes **features**: "
            "a few numbers in place of {count}."
        ).format(count=words.size(scene.config))
    )
    if kit.steps("uses.part", [_("Is it odd?"), _("Features")]) == 0:
        _odd(scene)
    else:
        features.show(scene)
    kit.words(_("**Next**: what is left of all this without the regulariser?"))


def _names(scene: kit.Scene) -> dict[str, str]:
    """Words for the kinds of odd images."""
    names = {
        "black": _("black"), "dim": _("half as bright"), "mirrored": _("mirrored"), "upside_down": _("upside down"),
        "shifted": _("shifted by 3 pixels"), "noisy": _("noisy"), "scrambled": _("pixels scrambled"),
        "inverted": _("inverted"), "noise": _("noise alone"),
    }  # fmt: skip
    if other := cache.uses.other_data(scene.dataset.name):
        names["other"] = _("from {name}").format(name=other)
    return names


def _odd(scene: kit.Scene) -> None:
    """Scores images that are unlike those of the set."""
    odd, threshold = _("odd"), _("threshold")
    kit.formula(rf"\text{{{odd}}} \iff \log p(x) \approx \mathcal{{L}}(x) < \text{{{threshold}}}\ ?")
    kit.words(
        _(
            "It sounds right: what the model holds for improbable must be odd. Hold it against an image with nothing "
            "on it at all."
        )
    )
    done = kit.ask(
        12, _("By the bound, which score higher under {name}: test images, or black ones?").format(name=scene.model[0]),
        {"a": _("Nearly every test image scores higher"), "b": _("Most test images score higher"),
         "c": _("Most black images score higher"), "d": _("Nearly every black image scores higher")},
        lambda: _answer(scene),
    )  # fmt: skip
    names = _names(scene)
    image = scene.dataset.test.images[scene.row]
    pictures_of: dict[str, torch.Tensor] = {"ordinary": image}
    pictures_of |= {kind: oddities.odd(image[None], kind)[0] for kind in oddities.ODDITIES}
    shown = {}
    for kind, each in pictures_of.items():
        caption = names.get(kind, scene.name)
        if done:
            bound, truth = cache.uses.score(scene.model, scene.dataset.name, scene.row, kind)
            caption += ": " + _("bound {nats}").format(nats=words.number(bound, 0))
            caption += "" if truth is None else ", " + _("log p(x) {nats}").format(nats=words.number(truth, 0))
        shown[caption] = pictures.plain(each.numpy() / 255, 4)
    pictures.row(shown)
    if done:
        text, picture = kit.two()
        ordinary = cache.uses.bounds(scene.model, scene.dataset.name, "ordinary")
        areas = {
            kind: oddities.auroc(ordinary, cache.uses.bounds(scene.model, scene.dataset.name, kind)) for kind in names
        }
        with picture:
            kit.chart(
                figures.uses.warnings(list(names.values()), list(areas.values()), _("AUROC")),
                "uses.odd", _("How well the bound tells test images from odd ones, by kind."),
            )  # fmt: skip
        with text:
            high = [names[kind] for kind, area in areas.items() if area < 0.5]
            found = (
                _("Here the model takes these for more ordinary than test images: {kinds}.").format(
                    kinds=", ".join(high)
                )
                if high
                else _("Here each kind scores lower than test images, but not each kind by far.")
            )
            kit.words(
                _(
                    "How often the bound of a test image is higher than that of an odd one (AUROC), of {count} images "
                    "of each kind. At 1 the score is a perfect detector, at ½ it knows nothing, and below ½ it is "
                    "wrong more often than right. {found}\n\nA density is high where an image is **simple**: smooth, "
                    "mostly background. Models of many kinds share this failure (Nalisnick et al. 2019). So a score "
                    "far **above** the usual one is odd too."
                ).format(count=len(ordinary), found=found)
            )
    kit.code((oddities.odd, oddities.auroc, evidence.elbo), _odd_cell(scene))


def _answer(scene: kit.Scene) -> kit.Answer:
    """Holds the bound of test images against that of black ones."""
    ordinary, black = (cache.uses.bounds(scene.model, scene.dataset.name, kind) for kind in ("ordinary", "black"))
    area = oddities.auroc(ordinary, black)
    letter = next(letter for letter, least in (("a", 0.9), ("b", 0.5), ("c", 0.1), ("d", -1.0)) if area >= least)
    says = _(
        "A test image scores higher than a black one with probability {area:.3f}: on average {ordinary:,.0f} nats "
        "against {black:,.0f}."
    ).format(area=area, ordinary=ordinary.mean(), black=black.mean())
    bound, truth = cache.uses.score(scene.model, scene.dataset.name, scene.row, "black")
    if truth is not None and truth - bound > 10:
        own = cache.uses.score(scene.model, scene.dataset.name, scene.row, "ordinary")[1]
        says += " " + _(
            "These are bounds, though, and the encoder never saw a black image: its log p(x) is {truth:,.0f}, where "
            "{image} has {own:,.0f}."
        ).format(
            truth=truth, image=_("the {label}").format(label=scene.label), own=own if own is not None else math.nan
        )
    return kit.Answer(letter, says)


def _odd_cell(scene: kit.Scene) -> str:
    return f'''import vae
from vae.uses import oddities

model, data = vae.load("{scene.model[0]}"), vae.load_dataset("{scene.dataset.name}")
images = data.test.images[:{cache.uses.IMAGES}]
black = oddities.odd(images, "black")
scores = [
    vae.elbo(model, model.pixels(each, vae.generator(0)), 10, vae.generator(1)).value.numpy()
    for each in (images, black)
]
print(f"a test image scores higher than a black one with probability {{oddities.auroc(*scores):.3f}}")'''
