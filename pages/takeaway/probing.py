"""The notebook of the page Probe."""

from pages import cache
from pages.takeaway import cells
from pages.takeaway.view import View
from vae.uses import classifier

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
