"""The files of the page Probe: its notebook, and the class probabilities on its plane."""

from functools import partial

import numpy as np
import streamlit as st

from pages import cache
from pages.explore.panels import judges
from pages.takeaway import cells
from pages.takeaway.offers import Offer
from pages.takeaway.view import View
from pages.ui import planes
from pages.ui.language import _
from vae.uses import classifier
from vae.uses import probe as probing

EXHIBIT = "mnist-2d"  # where no classifier can be trained on the images of the model in use


def with_classes(view: View) -> tuple[View, str]:
    """Returns the view of a model whose images have a classifier, and why it is another one, or ""."""
    if cache.uses.can_be_judged(view.data):
        return view, ""
    return view.of(cache.model_id(EXHIBIT))._replace(
        plane=(0, 1)
    ), "was trained on images for which there is no classifier"


def probe(view: View) -> tuple[str, str, list[str]]:
    says = "A classifier is applied to decoded latents: its classes over the plane, the fraction of images whose "
    says += "reconstruction keeps its class, and the nearest point of another class, found with the gradient in z."
    there = classifier.classifier_file(view.data).is_file()
    loaded = f'load_classifier(classifier.classifier_file("{view.data}"))' if there else "train_classifier(dataset)"
    judged = f"""from vae.uses import classifier, flips, probe

judge = classifier.{loaded}
of_images = probe.log_probabilities(judge, dataset.test.images)
of_decoded = probe.decoded_log_probabilities(model, judge, codes.mean)
found = probe.agreement(of_images, of_decoded, dataset.test.labels.numpy())
print(f"right on {{found.accuracy:.1%}} of the images, on {{found.accuracy_decoded:.1%}} of their reconstructions")"""
    regions = f"""{cells.axes(view.plane)}
steps = np.linspace(-4, 4, 161)
plane = probe.lattice(model, judge, axes, steps, steps)
colours = figures.group_colours(of_images.shape[1])
inks = np.array([[int(each[i : i + 2], 16) for i in (1, 3, 5)] for each in colours], np.uint8)
Image.fromarray(inks[plane.winner[::-1]]).resize((483, 483), Image.Resampling.NEAREST)  # up is up"""
    flip = """flip = flips.by_gradient(model, judge, z[0])
if flip is None:
    print("no point of another class was found")
else:
    first, last = dataset.classes[flip.start], dataset.classes[flip.end]
    print(f"from {first} to {last}, at a distance of {flip.distance:.2f} in z")
path = z if flip is None else flip.path
Image.fromarray(figures.contact_sheet(vae.decode(model, path).mean, len(path), 4))"""
    return f"Probe: {view.model[0]}", says, [cells.load(view), cells.CODES, judged, regions, cells.decoded(view), flip]


def regions(view: View) -> Offer | None:
    """Offers the class probabilities on the plane, if there is a classifier; call it while a session runs."""
    own = judges.own(view.model)
    if own is None and not cache.uses.can_be_judged(view.data):
        return None
    flip = st.session_state.get(judges.PART) == "flip"
    return Offer(
        _("Class probabilities on the plane (CSV)"), f"{view.model[0]}-probe.csv", "text/csv", ":material/grid_on:",
        partial(table, view, own, flip, st.session_state.get(judges.TO)),
    )  # fmt: skip


def table(view: View, own: cache.probe.Judge | None, flip: bool, to: int | None) -> bytes:
    """Makes a table of the points of the plane that the page shows.

    Arguments:
        view: the state of the session.
        own: the classifier uploaded in it; None for that of the images.
        flip: whether the page shows the paths to another class, which for J > 2 have a plane of their own.
        to: their target class; None for any.
    """
    model, data = view.model, cache.dataset(view.data)
    judge = own or cache.probe.shipped(model)
    assert judge is not None
    z = cache.codes(model).mean[view.row] if view.z is None else np.array(view.z, np.float32)
    if flip:
        found = cache.flips.ways(model, data.name, judge, tuple(z.tolist()), to)
        plane, log_q = found.plane, found.log_q
    else:
        plane = cache.probe.through(model, data.name, planes.shown(model, view.plane).axes, judge, z)
        log_q = cache.probe.log_q(model, data.name, plane)
    names = data.classes if len(data.classes) == judge.classes else [str(k) for k in range(judge.classes)]
    prior = not cache.record(model[0]).autoencoder
    return probing.lattice_csv(plane.lattice, plane.axes, names, log_q, prior=prior)
