"""The part of chapter 12 on features: how well a few numbers still separate the classes."""

import streamlit as st

from pages import cache
from pages.learn import kit
from pages.ui import state, words
from pages.ui.language import _, said
from vae import figures
from vae.errors import VAEError
from vae.figures import COLOURS
from vae.uses import features

_CODES, _COMPONENTS, _PIXELS = COLOURS["elbo"], COLOURS["ais"], COLOURS["exact"]


def show(scene: kit.Scene) -> None:
    """Compares codes with principal components and pixels."""
    if not scene.dataset.labelled:
        st.info(
            _(
                "Labels are needed to measure how well features separate classes, and the images of {name} have none. "
                "Choose another model on the left."
            ).format(name=scene.model[0]),
            icon=":material/info:",
        )
        return
    models = [cache.model_id(name) for name in cache.uses.FAMILY]
    if scene.model not in models:
        models.append(scene.model)
    found = {}
    for model in models:
        if cache.images(model).name == scene.dataset.name and (
            kept := cache.uses.kept_features(model, scene.dataset.name)
        ):
            found[model[0]] = kept
    if scene.model[0] not in found:
        kit.note(_("The features of {name} have not been evaluated yet.").format(name=scene.model[0]))
        if st.button(_("Evaluate them (about a minute)"), key="lesson.measure"):
            try:
                with st.spinner(_("Training the classifiers ...")):
                    found[scene.model[0]] = cache.uses.measure_features(scene.model, scene.dataset.name)
            except VAEError as error:
                st.error(said(error), icon=":material/error:")
    if not found:
        return
    text, picture = kit.two()
    with text:
        kit.words(
            _(
                "Two simple classifiers see nothing but the features: a **linear** one (logistic regression), and "
                r"the 5 **nearest neighbours**. The features are the codes $\mu_z(x)$, the same number of principal "
                "components (PCA), or all pixels. The more the features tell about the class of an image, the more "
                "test images are classified correctly."
            )
        )
        counts = next(iter(found.values())).labels
        probes: dict[features.Probe, str] = {"linear": _("Linear"), "neighbours": _("Nearest neighbours")}
        state.begin("uses.classifier", state.one_of(probes), "neighbours")
        state.begin("uses.labels", lambda text: min(counts, key=lambda count: abs(count - int(text))), counts[-1])
        with st.container(horizontal=True):
            probe = st.segmented_control(
                _("Classifier"), list(probes), required=True, format_func=probes.__getitem__, key="uses.classifier",
                persist_state="session",
            ) or "neighbours"  # fmt: skip
            labels = st.segmented_control(
                _("Labelled training images"), counts, required=True, format_func=lambda n: f"{n:,}", key="uses.labels",
                persist_state="session",
            ) or counts[-1]  # fmt: skip
        state.write_link(
            uses__classifier=None if probe == "neighbours" else probe,
            uses__labels=None if labels == counts[-1] else str(labels),
        )
    names = [
        name.replace("-", "-<br>", 1) if name not in cache.uses.FAMILY else f"J = {cache.record(name).model.latent}"
        for name in found
    ]
    joined = sum(name in cache.uses.FAMILY for name in found)
    kinds: tuple[tuple[features.Kind, str, str, str], ...] = (
        ("codes", _("codes"), _CODES, "solid"), ("components", _("PCA, same dimension"), _COMPONENTS, "dot"),
        ("pixels", _("all pixels"), _PIXELS, "dash"),
    )  # fmt: skip
    curves = [
        figures.uses.Curve(
            title, colour, range(len(found)), [each.share(kind, probe, labels) for each in found.values()], dash
        )
        for kind, title, colour, dash in kinds
    ]  # fmt: skip
    with picture:
        kit.chart(
            figures.uses.lines(curves, ("", _("test accuracy")), categories=names, joined=joined), "uses.features",
            _("Test accuracy with codes, with principal components and with pixels, for each model."),
        )  # fmt: skip
    own = found.get(scene.model[0])
    if own:
        codes, components, pixels = (own.share(kind, probe, labels) for kind in ("codes", "components", "pixels"))
        with text:
            kit.words(
                _(
                    "{name}: {codes:.1%} correct from {size} numbers, compared with {components:.1%} from as many "
                    "principal components and {pixels:.1%} from {count} (standard error {error:.1%}). {better}"
                ).format(
                    name=scene.model[0], codes=codes, size=scene.config.latent, components=components, pixels=pixels,
                    count=words.size(scene.config), error=own.standard_error(codes),
                    better=_better(found, probe, labels),
                )
            )  # fmt: skip
    kit.code((features.linear_accuracy, features.neighbour_accuracy, features.principal_components), _cell(scene))


def _better(found: dict[str, features.Features], probe: features.Probe, labels: int) -> str:
    """Names the models whose codes do better than all pixels."""
    ahead = [
        name for name, each in found.items() if each.share("codes", probe, labels) > each.share("pixels", probe, labels)
    ]
    if not ahead:
        return _("With this many labels, no model's codes do better than all pixels.")
    return _("With this many labels, the codes of these models do better than all pixels: {names}.").format(
        names=", ".join(ahead)
    )


def _cell(scene: kit.Scene) -> str:
    count = min(1000, len(scene.dataset.train))
    return f'''import vae
from vae.uses import features

model, data = vae.load("{scene.model[0]}"), vae.load_dataset("{scene.dataset.name}")
train, test = (vae.encode(model, images).mean for images in (data.train.images[:{count}], data.test.images))
labels, test_labels = data.train.labels[:{count}].numpy(), data.test.labels.numpy()
for measure in (features.linear_accuracy, features.neighbour_accuracy):
    print(measure.__name__, f"{{measure(train, labels, test, test_labels):.2%}} from {count} labels")'''
