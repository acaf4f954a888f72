"""The text and code of each page's notebook: a few cells of plain Python for the public library."""

from collections.abc import Callable
from dataclasses import fields

from pages import cache
from pages.explore.panels import interpolation
from pages.takeaway import cells
from pages.takeaway.chapters import lesson, suited
from pages.takeaway.probing import probe, with_classes
from pages.takeaway.view import View
from vae.evidence import is_known
from vae.jobs import arguments
from vae.model import ModelConfig, TrainConfig

Template = tuple[str, str, list[str]]  # a title, what the notebook shows, and its cells of code
EXHIBIT = "mnist-2d"  # the model of the page Decoder variance if the current model has no variance
ELBO = """bound = vae.elbo(model, x, 100, vae.generator(1))
kl = float(torch.distributions.kl_divergence(model.encoder(x), model.prior))
print(f"ELBO {float(bound.value[0]):,.2f} +- {float(bound.standard_error[0]):.2f} nats, KL {kl:.2f} nats")"""


def latent_map(view: View) -> Template:
    says = "Each point is a test image at the mean of its q(z|x). Below, the current z is decoded: mean and sample."
    shown = [cells.load(view), cells.CODES, cells.points(view, view.plane), cells.decoded(view)]
    return f"Latent map: {view.model[0]}", says, shown


def decode(view: View) -> Template:
    says = (
        "The decoder returns a distribution for each pixel: here are its mean, a sample, and its standard deviation. "
    )
    says += "Below are a linear and a spherical interpolation from the current z to the code of another test image."
    end = interpolation.another(view.model, view.row) if view.to is None else view.to
    deviation = """deviation = decoded.deviation[0]
print(f"standard deviations from {deviation.min():.3f} to {deviation.max():.3f}")
Image.fromarray(figures.picture(deviation, 4, top=deviation.max()))"""
    walk = f"""import io

end = codes.mean[{end}]
walks = [vae.straight(z[0], end, 13), vae.spherical(z[0], end, 13)]
strips = np.stack([vae.decode(model, walk).mean for walk in walks])
Image.open(io.BytesIO(figures.latent.sheet(strips, ["straight", "spherical"], scale=4)))"""
    return f"Decode: {view.model[0]}", says, [cells.load(view), cells.CODES, cells.decoded(view), deviation, walk]


def draw(view: View) -> Template:
    says = (
        "An image is encoded, and the mean of its q(z|x) is decoded. The image is on the left, and its reconstruction "
    )
    says += "is on the right."
    drawn = view.drawing is not None
    pixels = cells.drawing(view) if drawn else cells.pixels(view)
    reconstruction = """q = model.encoder(x).base_dist
mean = vae.decode(model, q.loc.numpy()).mean[0]
Image.fromarray(figures.contact_sheet(np.stack([image / 255, mean]), 2, 4))"""
    score = []
    if not cache.record(view.model[0]).autoencoder:
        says += " The ELBO is a lower bound on its log-likelihood."
        score = [ELBO]
    return f"Draw: {view.model[0]}", says, [cells.load(view, not drawn), pixels, reconstruction, *score]


def samples(view: View) -> Template:
    says = "Latents are sampled from the prior N(0, I) and decoded: first the means of p(x|z), then samples from it."
    means = f"""z = np.random.default_rng({view.seed}).standard_normal((64, model.config.latent), np.float32)
decoded = vae.decode(model, z, seed={view.seed})
Image.fromarray(figures.contact_sheet(decoded.mean, 8))"""
    draws = "Image.fromarray(figures.contact_sheet(decoded.sample, 8))"
    return f"Samples: {view.model[0]}", says, [cells.load(view, False), means, draws]


def views(view: View) -> Template:
    size, autoencoder = cache.record(view.model[0]).model.latent, cache.record(view.model[0]).autoencoder
    says = (
        "The codes of the test images are projected onto the plane that captures most of their variance. The bars show "
        "the information in each latent dimension; those of inactive units are pale."
    )
    plane = None if size > 1 else (0, 0)
    kl = "None" if autoencoder else "codes.kl.mean(0)[order]"
    bars = f"""carried = {"codes.mean.var(0)" if autoencoder else "codes.kl.mean(0)"}
order = np.argsort(-carried, kind="stable")
active = vae.active_units(codes.mean)
print(f"{{active.sum()}} of {{len(active)}} units are active")
names = [f"z{{j + 1}}" for j in order]
figures.latent.dimension_bars(
    names, {kl}, codes.mean.var(0)[order], latent.aggregate.ACTIVE, ("KL, nats", "variance of means")
).show()"""
    return f"Views: {view.model[0]}", says, [cells.load(view), cells.CODES, cells.points(view, plane), bars]


def train(view: View) -> Template:
    assert view.plan is not None
    says = "A model is trained with the settings of the page. The held-out ELBO is printed after each epoch."
    model, training = view.plan
    begin = f"""config = vae.{_changed(model)}
training = vae.{_changed(training)}
dataset = vae.load_dataset("{training.data}")"""
    words = " ".join(["vae", *arguments("my-model", model, training)])
    learn = f"""# On the command line: {words}
model = vae.build(config, training.seed)
reports = []
for report in vae.fit(model, dataset, training):
    reports.append(report)
    if report.held_out_kl is not None:
        print(f"epoch {{report.epoch:.0f}}: {{report.held_out_reconstruction - report.held_out_kl:,.1f}} nats")"""
    show = 'figures.training(reports, "reconstruction", ("epoch", "nats"), ("training", "held out")).show()'
    return "Train", says, [begin, learn, show]


def _changed(config: ModelConfig | TrainConfig) -> str:
    """Writes a config as Python, with only the settings that differ from the defaults."""
    default = type(config)()
    words = (f"{f.name}={getattr(config, f.name)!r}" for f in fields(config))
    kept = [
        word
        for word, f in zip(words, fields(config), strict=True)
        if getattr(config, f.name) != getattr(default, f.name)
    ]
    return f"{type(config).__name__}({', '.join(kept)})"


def data(view: View) -> Template:
    says = "These are the data sets available by name. Below are training images of the current one."
    listed = """for name in vae.data.names():
    print(f"{name:16}", "on disk" if vae.data.available(name) else "not fetched")"""
    sheet = """print(dataset.describe())
rows = np.linspace(0, len(dataset.train) - 1, 24).astype(int)
Image.fromarray(figures.contact_sheet(dataset.train.images[rows].numpy() / 255, 12))"""
    return "Data sets", says, [cells.load(view), listed, sheet]


def models(view: View) -> Template:
    says = "These are all models with their held-out ELBOs. Below is the record of the current model."
    listed = """records, troubles = vae.catalogue()
for record in records:
    elbo = record.held_out.get("elbo")
    figure = "" if elbo is None else f"{elbo:,.1f} nats"
    print(f"{record.name:28} J = {record.model.latent:<4} {record.model.likelihood:16} {figure}")"""
    record = f"""record = vae.read_record("{view.model[0]}")
for part in (record.model, record.training, record.held_out):
    print(part)"""
    return f"Models: {view.model[0]}", says, [listed, record]


def likelihood(view: View) -> Template:
    says = (
        "Several estimators are applied to log p(x) of one image. Then they race with increasing numbers of samples, "
        "in five replicates each, and three for AIS."
    )
    pixels = cells.drawing(view) if view.drawing_asked else cells.pixels(view)
    load = cells.load(view, not view.drawing_asked)
    known = is_known(cache.record(view.model[0]).model)
    exact = '\nestimates["exact"] = vae.exact_evidence(model, x)' if known else ""
    one = f"""from vae.evidence import annealing

estimates = {{
    "naive Monte Carlo, 10,000 samples": vae.naive_monte_carlo(model, x, 10_000, vae.generator(0)),
    "ELBO, 100 samples": vae.elbo(model, x, 100, vae.generator(1)),
    "importance sampling, 1,000 samples": vae.importance_sampling(model, x, 1000, vae.generator(0)),
    "AIS, 4 chains of 60 temperatures": annealing.annealed_importance_sampling(
        model, x, chains=4, steps=60, start="encoder", generator=vae.generator(0)
    ),
}}{exact}
for name, estimate in estimates.items():
    print(f"{{name}}: {{float(estimate.value[0]):,.2f}} nats")"""
    run = """from vae.evidence import races

runners = ["naive", "elbo", "importance", "ais"]
steps = list(races.race(model, x, runners, 1000, replicates=5))
curves = []
for runner in runners:
    mine = [step for step in steps if step.runner == runner]
    samples = np.unique([step.samples for step in mine])
    nats = [[float(s.value[0]) for s in mine if s.replicate == r] for r in range(1 + max(s.replicate for s in mine))]
    curves.append(figures.evidence.Curve(runner, runner, samples, np.array(nats)))"""
    lines = '{"log p(x), exact": ("exact", float(estimates["exact"].value[0]))}' if known else "{}"
    show = f"""lines = {lines}
lowest = max(float(curve.y.max()) for curve in curves) - 100
figures.evidence.race(curves, lines, ("samples (AIS: decoder evaluations)", "nats"), lowest).show()"""
    return f"Likelihood: {view.model[0]}", says, [load, pixels, one, run, show]


def with_variance(view: View) -> tuple[View, str]:
    """Returns the view of a model that the page Decoder variance can show, and why it is another one, or ""."""
    record = cache.record(view.model[0])
    if record.autoencoder:
        why = "is a plain autoencoder, which learns no variance"
    elif record.model.likelihood == "bernoulli":
        why = "has a Bernoulli decoder, which has no variance of its own"
    elif not isinstance(record.model, ModelConfig):
        why = "comes from another program, so its variance has no adjustable floor"
    else:
        return view, ""
    return view.of(cache.model_id(EXHIBIT)), why


def variance(view: View) -> Template:
    says = (
        "The mean standard deviation of p(x|z) is shown over the latent plane, with the codes of test images as dots "
    )
    says += "and the current one as a cross. Then log p(x|z) of this image is shown by pixel, and for other floors."
    size = cache.record(view.model[0]).model.latent
    plane = (0, size - 1) if size < 3 else None
    drawn = f"""from vae.uses import variance

{cells.axes(plane)}
points = axes.project(codes.mean)
reach = np.ceil(1.1 * max(1, np.abs(points).max()))
steps = np.linspace(-reach, reach, 41, dtype=np.float32)
grid = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
deviation = variance.mean_deviation(model, axes.lift(grid)).reshape(41, 41)
limits = figures.variance.SHOWN_DEVIATIONS
figures.variance.deviation_map(
    (steps, steps), deviation, points[:800], points[row], limits, {cells.titles(plane)}
).show()"""
    nats = """nats = variance.nats_by_pixel(model, codes.mean[[row]], x)
border = variance.border(dataset.test.images)
print(f"border {nats[border].sum():,.1f} + the rest {nats[~border].sum():,.1f} = {nats.sum():,.1f} nats")
ceiling = model.config.pixels * np.log(256) / border.size  # nats per pixel
figures.variance.nats_picture(nats, border, ceiling, ("pixel across", "pixel down")).show()"""
    floors = """floors = np.arange(-16, 0.5, 0.5)
path = variance.floor_path(model, codes.mean[[row]], x, floors)[:, 0]
print(f"the best floor of log sigma^2 for this image is {floors[path.argmax()]:g}, with {path.max():,.1f} nats")"""
    shown = [cells.load(view), cells.CODES, cells.pixels(view), drawn, nats, floors]
    return f"Decoder variance: {view.model[0]}", says, shown


def report(view: View) -> Template:
    says = (
        "The report on the model is made, which takes a minute or two, and saved beside it. Its numbers are printed, "
    )
    says += "and the report is written as one HTML file."
    made = f"""import json
from pathlib import Path

from vae.report import make_report, page

made = make_report("{view.model[0]}", dataset)
print(json.dumps(made.numbers(), indent=1))
Path("{view.model[0]}-report.html").write_text(page([made]), encoding="utf-8")"""
    return f"Report: {view.model[0]}", says, [cells.load(view), made]


PAGES: dict[str, Callable[[View], Template]] = {
    "learn/lesson": lesson,
    "explore/latent_map": latent_map,
    "explore/decode": decode,
    "explore/draw": draw,
    "explore/samples": samples,
    "explore/views": views,
    "explore/probe": probe,
    "train/train": train,
    "train/data": data,
    "train/models": models,
    "measure/likelihood": likelihood,
    "measure/variance": variance,
    "measure/report": report,
}

_SUITED: dict[str, Callable[[View], tuple[View, str]]] = {
    "learn/lesson": suited, "explore/probe": with_classes, "measure/variance": with_variance,
}  # fmt: skip


def taken(page: str, view: View) -> tuple[View, str]:
    """Returns the view for the notebook of a page.

    Returns:
        The view, with another model if the page cannot show the current one, and the reason, as a phrase that follows
        the name of the current model; "" if it is shown.
    """
    return _SUITED[page](view) if page in _SUITED else (view, "")
