"""Applications of a model: generation, outlier detection, features."""

import math

from numpy.typing import NDArray

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
            "In chapter 11 the model **generated** images. It has two more uses. Its density $p(x)$, or the bound on "
            "it, **scores** an image: is it like the images that the model was trained on? And its encoder computes "
            "**features**: a few numbers in place of {count}."
        ).format(count=words.size(scene.config))
    )
    if kit.steps("uses.part", [_("Outlier detection"), _("Features")]) == 0:
        _odd(scene)
    else:
        features.show(scene)
    kit.words(_("**Next**: what remains of all this without the regulariser?"))


def _names(scene: kit.Scene) -> dict[str, str]:
    """Names the kinds of outliers."""
    names = {
        "black": _("black"), "dim": _("half as bright"), "mirrored": _("mirrored"), "upside_down": _("upside down"),
        "shifted": _("shifted by 3 pixels"), "noisy": _("noisy"), "scrambled": _("pixels shuffled"),
        "inverted": _("inverted"), "noise": _("pure noise"),
    }  # fmt: skip
    if other := cache.uses.other_data(scene.dataset.name):
        names["other"] = _("from {name}").format(name=other)
    return names


def _odd(scene: kit.Scene) -> None:
    """Scores images that are unlike those of the data set."""
    odd, threshold = _("outlier"), _("threshold")
    text, picture = kit.two()
    with text:
        kit.formula(rf"\text{{{odd}}} \iff \log p(x) \approx \mathcal{{L}}(x) < \text{{{threshold}}}\ ?")
        kit.words(
            _(
                "This sounds plausible: an image that is improbable under the model should be an outlier. Let us test "
                "it on an image that is entirely black."
            )
        )
        done = kit.ask(
            12,
            _("Which images have the higher bound under {name}: test images or black ones?").format(
                name=scene.model[0]
            ),
            {"a": _("Test images, nearly always"), "b": _("Test images, more often than not"),
             "c": _("Black images, more often than not"), "d": _("Black images, nearly always")},
            lambda: _answer(scene),
        )  # fmt: skip
    names = _names(scene)
    with picture:
        pictures.row(_captioned(scene, names, done), 84)
    if done:
        text, picture = kit.two()
        ordinary = cache.uses.bounds(scene.model, scene.dataset.name, "ordinary")
        areas = {
            kind: oddities.auroc(ordinary, cache.uses.bounds(scene.model, scene.dataset.name, kind)) for kind in names
        }
        with picture:
            kit.chart(
                figures.uses.warnings(list(names.values()), list(areas.values()), _("AUROC")),
                "uses.odd", _("How well the bound separates test images from outliers of each kind."),
            )  # fmt: skip
        with text:
            high = [names[kind] for kind, area in areas.items() if area < 0.5]
            found = (
                _("Here outliers of these kinds usually score higher than test images: {kinds}.").format(
                    kinds=", ".join(high)
                )
                if high
                else _("Here every kind usually scores lower than test images, though not always by much.")
            )
            kit.words(
                _(
                    "The chart shows how often the bound of a test image is higher than that of an outlier (the area "
                    "under the ROC curve, AUROC), over {count} images of each kind. At 1 the score is a perfect "
                    "detector, at ½ it is no better than chance, and below ½ it is wrong more often than right. "
                    "{found}\n\nThe density is high for **simple** images: smooth, and mostly background. Models of "
                    "many kinds fail in this way (Nalisnick et al. 2019). So a score far **above** the usual one is "
                    "suspicious too."
                ).format(count=len(ordinary), found=found)
            )
    kit.code((oddities.odd, oddities.auroc, evidence.elbo), _odd_cell(scene))


def _captioned(scene: kit.Scene, names: dict[str, str], done: bool) -> dict[str, NDArray]:
    """Returns the image and an outlier of each kind made from it by their captions, with the scores once answered."""
    image = scene.dataset.test.images[scene.row]
    images = {"ordinary": image} | {kind: oddities.odd(image[None], kind)[0] for kind in oddities.ODDITIES}
    shown = {}
    for kind, each in images.items():
        caption = names.get(kind, scene.name)
        if done:
            bound, truth = cache.uses.score(scene.model, scene.dataset.name, scene.row, kind)
            caption += ": " + _("bound {nats}").format(nats=words.number(bound, 0))
            caption += "" if truth is None else ", " + _("log p(x) {nats}").format(nats=words.number(truth, 0))
        shown[caption] = pictures.plain(each.numpy() / 255, 4)
    return shown


def _answer(scene: kit.Scene) -> kit.Answer:
    """Compares the bounds of test images with those of black ones."""
    ordinary, black = (cache.uses.bounds(scene.model, scene.dataset.name, kind) for kind in ("ordinary", "black"))
    area = oddities.auroc(ordinary, black)
    letter = next(letter for letter, least in (("a", 0.9), ("b", 0.5), ("c", 0.1), ("d", -1.0)) if area >= least)
    says = _(
        "A test image scores higher than a black one with probability {area:.3f}; the mean bounds are {ordinary:,.0f} "
        "and {black:,.0f} nats."
    ).format(area=area, ordinary=ordinary.mean(), black=black.mean())
    bound, truth = cache.uses.score(scene.model, scene.dataset.name, scene.row, "black")
    if truth is not None and truth - bound > 10:
        own = cache.uses.score(scene.model, scene.dataset.name, scene.row, "ordinary")[1]
        says += " " + _(
            "But these are only bounds, and the encoder has never seen a black image: the exact log p(x) is "
            "{truth:,.0f} nats for the black image and {own:,.0f} nats for {image}."
        ).format(
            truth=truth, image=_("this {label}").format(label=scene.label), own=own if own is not None else math.nan
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
