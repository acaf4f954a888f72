"""Two estimators compared: naive Monte Carlo and the bound, for increasing numbers of dimensions."""

import math

from pages import cache
from pages.learn import kit
from pages.ui import words
from pages.ui.language import _
from vae import evidence, figures
from vae.evidence import Comparison, closeness
from vae.figures import COLOURS

MANY = cache.uses.NAIVE[-1]
SHIPPED = (1000, 10_000, 100_000, 1_000_000)  # numbers of samples in the stored comparisons


def show(scene: kit.Scene) -> None:
    """Draws the chapter."""
    models = [cache.model_id(name) for name in cache.uses.FAMILY]
    if scene.model not in models:
        models.append(scene.model)
    scenes = [kit.of(model) for model in models]
    kit.words(
        _(
            r"We now have two estimators of $\log p(x)$. The **naive** estimator averages over samples from the "
            "prior. It converges to the right value, but this may take very many samples. The **bound** uses the "
            "encoder to find the $z$ that matter. It needs few samples, but it converges to a value that is too low "
            r"by $\mathrm{{KL}}[q(z|x)\,\|\,p(z|x)]$. The lecture notes that this lesson follows say that the bound "
            "is closer. Is it? We compare both on {image} under models of 2, 5, 10 and 20 dimensions."
        ).format(image=_("this {label}").format(label=scene.label))
    )
    kit.formula(
        r"\begin{aligned} & \log \tfrac{1}{L} \textstyle\sum_l p(x|z_l), & z_l &\sim p(z) \\ "
        r"& \tfrac{1}{L} \textstyle\sum_l \log p(x|z_l) - \mathrm{KL}[q(z|x) \,\|\, p(z)], & z_l &\sim q(z|x) "
        r"\end{aligned}"
    )
    if scene.dataset.name != scenes[0].dataset.name:
        kit.note(
            _("{names} were trained on {data}, so for them the image is test image {row} of that data set.").format(
                names=", ".join(cache.uses.FAMILY), data=scenes[0].dataset.name, row=scenes[0].row
            )
        )
    contests = [cache.uses.contest(each.model, each.dataset.name, each.row) for each in scenes]
    asked = contests[: len(cache.uses.FAMILY)]
    text, picture = kit.two()
    with text:
        done = kit.ask(
            10,
            _(
                "For which of these models is the naive estimate from {count:,} samples closer to log p(x) than the "
                "bound, on average over {runs} runs?"
            ).format(count=MANY, runs=cache.uses.RUNS),
            {
                "a": _("For none of them"),
                "b": _("Only for J = 2"),
                "c": _("Only for J = 2 and J = 5"),
                "d": _("For some other combination"),
            },
            lambda: _answer(asked),
        )
        kit.note(_("The answer refers to the models that come with the explorer; with others it may be different."))
    with picture:
        _draw_image(scenes, contests, done)
    if done:
        own = contests[models.index(scene.model)]
        kit.words(
            _("{name}: the naive estimate is {naive:,.2f} nats in the first run, the bound is {bound:,.2f}, {truth} "
              "is {nats:,.2f}.").format(
                name=scene.model[0], naive=own.naive[MANY], bound=own.bound, nats=own.truth,
                truth=_("log p(x)") if own.exact else _("the best lower bound"),
            )
        )  # fmt: skip
        _draw_all(models, scenes)
    kit.words(_("**Next**: the model is trained, and we use it to generate new images."))
    kit.code(
        (evidence.naive_monte_carlo_path, evidence.elbo, closeness.closeness, Comparison.reference),
        _cell(scene),
    )


def _answer(contests: list[cache.uses.Contest]) -> kit.Answer:
    """Compares the estimates for this image under the models of 2, 5, 10 and 20 dimensions."""
    patterns: dict[tuple[bool, ...], str] = {
        (False,) * 4: "a", (True, False, False, False): "b", (True, True, False, False): "c",
    }  # fmt: skip
    nearer, says = [], []
    for size, each in zip((2, 5, 10, 20), contests, strict=True):
        naive, bound = each.away[MANY], abs(each.bound - each.truth)
        nearer.append(naive < bound)
        says.append(
            _("J\u00a0=\u00a0{size}: the naive estimate is off by {naive:,.1f} nats, the bound by {bound:,.1f}").format(
                size=size, naive=naive, bound=bound
            )
        )
        if abs(naive - bound) < 2 * math.hypot(each.away_error, each.bound_error):
            says[-1] += " " + _("(the difference is within the sampling error)")
    return kit.Answer(patterns.get(tuple(nearer), "d"), "; ".join(says) + ".")


def _label(scene: kit.Scene) -> str:
    """Names a model of the family by its J, and any other by its name."""
    return f"J\u00a0=\u00a0{scene.config.latent}" if scene.model[0] in cache.uses.FAMILY else scene.model[0]


def _broken(name: str) -> str:
    """Breaks a long name into two lines for the axis of a figure."""
    return name.replace("-", "-<br>", 1)


def _draw_image(scenes: list[kit.Scene], contests: list[cache.uses.Contest], whole: bool) -> None:
    """Draws the distances of the estimates from log p(x) of this image; before the answer only some naive ones."""
    joined = len(cache.uses.FAMILY)
    counts = cache.uses.NAIVE if whole else cache.uses.NAIVE[:-1]
    series = [
        figures.uses.Estimates(
            _("naive, {count:,} samples").format(count=count), colour, [each.away[count] for each in contests]
        )
        for count, colour in zip(counts, figures.uses.shades(COLOURS["naive"], len(cache.uses.NAIVE)), strict=False)
    ]
    bounds = [abs(each.bound - each.truth) for each in contests]
    if whole:
        name = _("bound, {count} samples").format(count=cache.uses.BOUND)
        series.append(figures.uses.Estimates(name, COLOURS["elbo"], bounds, "diamond"))
    kit.chart(
        figures.uses.distances(
            series, [_broken(_label(each)) for each in scenes], _("distance from log p(x), nats"), _("nats"), joined
        ),
        "race.image",
        _("Distance of the naive estimates and of the bound from log p(x) of this image, for each model."),
    )  # fmt: skip
    kit.note(
        _(
            "Lower is better; the axis is logarithmic. The distances of the naive estimates are means over {runs} "
            "runs. For J = 2 the exact log p(x) is computed by quadrature. In more dimensions it is unknown, and the "
            "best of all lower bounds takes its place: estimates below it are in truth even further away."
        ).format(runs=cache.uses.RUNS)
    )


def _draw_all(models: list[cache.Model], scenes: list[kit.Scene]) -> None:
    """Draws the same for all images of the stored comparisons."""
    found = {
        _label(each): [cache.uses.closer(model, each.dataset.name, count) for count in SHIPPED]
        for model, each in zip(models, scenes, strict=True)
    }
    whole = {name: [each for each in row if each] for name, row in found.items() if all(row)}
    if not whole:
        return
    joined = sum(name in whole for name in [_label(each) for each in scenes[: len(cache.uses.FAMILY)]])
    images = min(row[0].images for row in whole.values())
    kit.words(_("**One image proves nothing.** The mean distance over {count:,} test images:").format(count=images))
    series = [
        figures.uses.Estimates(
            _("naive, {count:,} samples").format(count=count), colour, [row[i].first for row in whole.values()]
        )
        for i, (count, colour) in enumerate(
            zip(SHIPPED, figures.uses.shades(COLOURS["naive"], len(SHIPPED)), strict=True)
        )
    ]
    bounds = [row[0].second for row in whole.values()]
    series.append(
        figures.uses.Estimates(
            _("bound, {count} samples").format(count=cache.uses.BOUND), COLOURS["elbo"], bounds, "diamond"
        )
    )
    text, picture = kit.two()
    with picture:
        kit.chart(
            figures.uses.distances(
                series, [_broken(name) for name in whole], _("mean distance, nats"), _("nats"), joined
            ),
            "race.all",
            _("Mean distance of the naive estimates and of the bound from log p(x), for each model."),
        )  # fmt: skip
    with text:
        powers = (words.power_of_ten(len(str(count)) - 1) for count in SHIPPED)
        heads = [_("number of samples"), *(f"10{power}" for power in powers)]
        lines = [
            f"| {' | '.join(heads)} |",
            "|---|" + "---:|" * len(SHIPPED),
            *(f"| {name} | {' | '.join(f'{each.share:.0%}' for each in row)} |" for name, row in whole.items()),
        ]
        kit.words(_("Share of images for which the **naive** estimate is closer:") + "\n\n" + "\n".join(lines))
        wins = ", ".join(name for name, row in whole.items() if row[-1].share > 0.5) or _("none")
        kit.words(
            _(
                "With {count:,} samples, the naive estimate is closer for most images under these models: {names}."
            ).format(count=SHIPPED[-1], names=wins)
        )
        kit.words(
            _(
                r"The naive estimator needs about $e^{\mathrm{KL}[p(z|x) \,\|\, p(z)]}$ samples. The bound needs few, "
                "but remains too low where the encoder's $q$ differs from the posterior."
            )
        )


def _cell(scene: kit.Scene) -> str:
    return f'''import vae

model, data = vae.load("{scene.model[0]}"), vae.load_dataset("{scene.dataset.name}")
x = model.pixels(data.test.images, vae.generator(0))[[{scene.row}]]
bound = vae.elbo(model, x, {cache.uses.BOUND}, vae.generator(0))
for seed in range({cache.uses.RUNS}):
    *_, naive = vae.naive_monte_carlo_path(model, x, {cache.uses.NAIVE}, vae.generator(seed))
    print(f"naive {{naive.value[0]:,.2f}} nats, bound {{bound.value[0]:,.2f}} nats")
if model.config.latent <= 2:
    print(f"log p(x) {{vae.exact_evidence(model, x).value[0]:,.2f}} nats")'''
