"""The two estimators compared: draws from the prior, and the bound, for more and more dimensions."""

import math

from pages import cache
from pages.learn import kit
from pages.ui import words
from pages.ui.language import _
from vae import evidence, figures
from vae.evidence import Comparison, closeness
from vae.figures import COLOURS

MANY = cache.uses.NAIVE[-1]
SHIPPED = (1000, 10_000, 100_000, 1_000_000)  # draws in the comparisons that are kept


def show(scene: kit.Scene) -> None:
    """Draws the chapter."""
    models = [cache.model_id(name) for name in cache.uses.FAMILY]
    if scene.model not in models:
        models.append(scene.model)
    scenes = [kit.of(model) for model in models]
    kit.words(
        _(
            "We now have two estimates of $\\log p(x)$. The **naive** one averages over draws from the prior and is "
            "right in the end, however long that takes. The **bound** asks the encoder where to look. It needs few "
            "draws, but it ends too low, by $\\mathrm{{KL}}[q(z|x)\\,\\|\\,p(z|x)]$. The lecture notes say that the "
            "bound is nearer. Is it? Here both meet {image} under models of 2, 5, 10 and 20 dimensions."
        ).format(image=_("the {label}").format(label=scene.label))
    )
    kit.formula(
        r"\begin{aligned} & \log \tfrac{1}{L} \textstyle\sum_l p(x|z_l), & z_l &\sim p(z) \\ "
        r"& \tfrac{1}{L} \textstyle\sum_l \log p(x|z_l) - \mathrm{KL}[q(z|x) \,\|\, p(z)], & z_l &\sim q(z|x) "
        r"\end{aligned}"
    )
    if scene.dataset.name != scenes[0].dataset.name:
        kit.note(
            _("{names} know {data} alone: for them it is test image {row} of that.").format(
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
                "Where is a naive average over {count:,} draws nearer to log p(x) than the bound, in the mean of "
                "{runs} runs?"
            ).format(count=MANY, runs=cache.uses.RUNS),
            {"a": _("Nowhere"), "b": _("For J = 2 alone"), "c": _("For J = 2 and 5"), "d": _("Elsewhere")},
            lambda: _answer(asked),
        )
        kit.note(_("The answer is of the shipped models named here; others may give another."))
    with picture:
        _draw_image(scenes, contests, done)
    if done:
        own = contests[models.index(scene.model)]
        kit.words(
            _("{name}: naive {naive:,.2f} nats in the first run, bound {bound:,.2f}, {truth} {nats:,.2f}.").format(
                name=scene.model[0], naive=own.naive[MANY], bound=own.bound, nats=own.truth,
                truth=_("log p(x)") if own.exact else _("best lower bound"),
            )
        )  # fmt: skip
        _draw_all(models, scenes)
    kit.words(_("**Next**: the model is trained. Make new images with it."))
    kit.code(
        (evidence.naive_monte_carlo_path, evidence.elbo, closeness.closeness, Comparison.reference),
        _cell(scene),
    )


def _answer(contests: list[cache.uses.Contest]) -> kit.Answer:
    """Compares the family's estimates of this image."""
    patterns: dict[tuple[bool, ...], str] = {
        (False,) * 4: "a", (True, False, False, False): "b", (True, True, False, False): "c",
    }  # fmt: skip
    nearer, says = [], []
    for size, each in zip((2, 5, 10, 20), contests, strict=True):
        naive, bound = each.away[MANY], abs(each.bound - each.truth)
        nearer.append(naive < bound)
        says.append(
            _("J\u00a0=\u00a0{size}: naive {naive:,.1f} nats off, bound {bound:,.1f}").format(
                size=size, naive=naive, bound=bound
            )
        )
        if abs(naive - bound) < 2 * math.hypot(each.away_error, each.bound_error):
            says[-1] += " " + _("(within the noise of the draws)")
    return kit.Answer(patterns.get(tuple(nearer), "d"), "; ".join(says) + ".")


def _label(scene: kit.Scene) -> str:
    """Names a model by its dimensions; one that is not of the family by its name."""
    return f"J\u00a0=\u00a0{scene.config.latent}" if scene.model[0] in cache.uses.FAMILY else scene.model[0]


def _broken(name: str) -> str:
    """Lets a long name take two lines below a figure."""
    return name.replace("-", "-<br>", 1)


def _draw_image(scenes: list[kit.Scene], contests: list[cache.uses.Contest], whole: bool) -> None:
    """Draws how far both estimates of this image are from the truth; before the answer only the naive ones so far."""
    joined = len(cache.uses.FAMILY)
    counts = cache.uses.NAIVE if whole else cache.uses.NAIVE[:-1]
    series = [
        figures.uses.Estimates(
            _("naive, {count:,} draws").format(count=count), colour, [each.away[count] for each in contests]
        )
        for count, colour in zip(counts, figures.uses.shades(COLOURS["naive"], len(cache.uses.NAIVE)), strict=False)
    ]
    bounds = [abs(each.bound - each.truth) for each in contests]
    if whole:
        name = _("bound, {count} draws").format(count=cache.uses.BOUND)
        series.append(figures.uses.Estimates(name, COLOURS["elbo"], bounds, "diamond"))
    kit.chart(
        figures.uses.distances(
            series, [_broken(_label(each)) for each in scenes], _("nats away from log p(x)"), _("nats"), joined
        ),
        "race.image",
        _("Distance of the naive estimates and of the bound from log p(x) of this image, for each model."),
    )  # fmt: skip
    kit.note(
        _(
            "Lower is nearer; each line of the grid is ten times as far. Naive distances are means of {runs} runs. For "
            "J = 2 the truth is log p(x) by quadrature. For more dimensions nobody knows it: there the best of all "
            "lower bounds stands in, and what lies below that is in truth further away still."
        ).format(runs=cache.uses.RUNS)
    )


def _draw_all(models: list[cache.Model], scenes: list[kit.Scene]) -> None:
    """Draws the same over all images of the comparisons that are kept."""
    found = {
        _label(each): [cache.uses.closer(model, each.dataset.name, count) for count in SHIPPED]
        for model, each in zip(models, scenes, strict=True)
    }
    whole = {name: [each for each in row if each] for name, row in found.items() if all(row)}
    if not whole:
        return
    joined = sum(name in whole for name in [_label(each) for each in scenes[: len(cache.uses.FAMILY)]])
    images = min(row[0].images for row in whole.values())
    kit.words(_("**One image is no proof.** The mean distance over {count:,} test images:").format(count=images))
    series = [
        figures.uses.Estimates(
            _("naive, {count:,} draws").format(count=count), colour, [row[i].first for row in whole.values()]
        )
        for i, (count, colour) in enumerate(
            zip(SHIPPED, figures.uses.shades(COLOURS["naive"], len(SHIPPED)), strict=True)
        )
    ]
    bounds = [row[0].second for row in whole.values()]
    series.append(
        figures.uses.Estimates(
            _("bound, {count} draws").format(count=cache.uses.BOUND), COLOURS["elbo"], bounds, "diamond"
        )
    )
    text, picture = kit.two()
    with picture:
        kit.chart(
            figures.uses.distances(series, [_broken(name) for name in whole], _("mean nats away"), _("nats"), joined),
            "race.all",
            _("Mean distance of the naive estimates and of the bound from log p(x), for each model."),
        )  # fmt: skip
    with text:
        powers = (words.power_of_ten(len(str(count)) - 1) for count in SHIPPED)
        heads = [_("{count} draws").format(count=f"10{power}") for power in powers]
        lines = [
            f"| | {' | '.join(heads)} |",
            "|---|" + "---:|" * len(SHIPPED),
            *(f"| {name} | {' | '.join(f'{each.share:.0%}' for each in row)} |" for name, row in whole.items()),
        ]
        kit.words(
            _("Share of the images on which the **naive** estimate is the nearer one:") + "\n\n" + "\n".join(lines)
        )
        wins = ", ".join(name for name, row in whole.items() if row[-1].share > 0.5) or _("none of them")
        kit.words(
            _("With {count:,} draws the naive estimate is nearer on most images for: {names}.").format(
                count=SHIPPED[-1], names=wins
            )
        )
        kit.words(
            _(
                "The naive average needs about $e^{\\mathrm{KL}[p(z|x) \\,\\|\\, p(z)]}$ draws; the bound needs few, "
                "and pays for the encoder's mistakes."
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
