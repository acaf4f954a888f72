"""The bound, line by line: each equality of its derivation with the numbers on both sides."""

import streamlit as st

from pages.learn import kit
from pages.ui import browser, cache_bound, words
from pages.ui.language import _
from vae import derivation, figures, figures_bound

LINES = (
    r"\log p(x) = \log \int p(x|z)\, p(z)\, dz",
    r"\log p(x) = \mathbb{E}_{q}\big[\log p(x)\big]",
    r"\log p(x) = \mathbb{E}_{q}\left[\log \frac{p(x, z)}{p(z|x)}\right]",
    r"\log p(x) = \mathbb{E}_{q}\left[\log \frac{p(x, z)}{q(z|x)}\right]"
    r" + \mathbb{E}_{q}\left[\log \frac{q(z|x)}{p(z|x)}\right]",
    r"\log p(x) = \mathcal{L}(x, \theta, \phi) + \mathrm{KL}\big[q(z|x) \,\|\, p(z|x)\big]"
    r" \;\ge\; \mathcal{L}(x, \theta, \phi)",
    r"\log p(x) = \mathbb{E}_{q}[\log p(x|z)] - \mathrm{KL}[q(z|x) \,\|\, p(z)] + \mathrm{KL}[q(z|x) \,\|\, p(z|x)]",
)


def show(scene: kit.Scene) -> None:
    """Draws the chapter."""
    kit.words(
        _(
            "We want to raise $\\log p(x)$, whose integral we cannot do, and we have $q(z|x)$, which knows where to "
            "look. To tie the two together we need to say how far one distribution is from another: the "
            "**Kullback-Leibler divergence**, the average of the logarithm of their ratio. Drag $p$ and $q$: it is 0 "
            "only where both are the same, never below, and not the same both ways."
        )
    )
    left, right = st.columns(2)
    with left:
        kit.formula(r"\mathrm{KL}[q \,\|\, p] = \int q(z) \log \frac{q(z)}{p(z)}\, dz \;\ge\; 0")
    with right:
        kit.formula(
            r"\mathrm{KL}[q \,\|\, p] = \sum_i q_i \log \frac{q_i}{p_i} = \mathbb{E}_q[\log q] - \mathbb{E}_q[\log p]"
        )
    _divergence()
    scene = kit.plane_scene(scene)
    committed = kit.ask(
        5,
        _("How far below log p(x) will the bound lie that we now derive, for this {label}?").format(label=scene.label),
        {
            "a": _("Less than 0.1 nats"), "b": _("0.1 to 1 nats"), "c": _("1 to 10 nats"), "d": _("More than 10 nats"),
        },
        lambda: _answer(scene),
    )  # fmt: skip
    if committed:
        _lines(scene, cache_bound.derived(scene.model, scene.dataset.name, scene.row))
    kit.code([derivation.derive], CELL.format(name=scene.model[0], data=scene.dataset.name, row=scene.row))


CELL = """import vae
from vae.derivation import derive

model = vae.load("{name}")
images = vae.load_dataset("{data}", fetch=False).test.images
x = model.pixels(images, vae.generator(0))[{row} : {row} + 1]
found = derive(model, x, generator=vae.generator(0))
print(f"log p(x), integrated: {{found.log_p.value:,.2f}}")
print(f"bound {{found.bound.value:,.2f}} + KL to the posterior {{found.gap.value:.3f}}")
print(f"= {{found.bound.value + found.gap.value:,.2f}}")
"""


def _answer(scene: kit.Scene) -> kit.Answer:
    found = cache_bound.derived(scene.model, scene.dataset.name, scene.row)
    gap = found.gap.value
    right = "a" if gap < 0.1 else "b" if gap < 1 else "c" if gap < 10 else "d"
    says = _(
        "KL[q(z|x) ‖ p(z|x)] is {gap} nats: log p(x) = {log_p}, the bound is {bound}. Had q been the posterior "
        "itself, they would be equal."
    )
    return kit.Answer(
        right,
        says.format(
            gap=words.number(gap, 3), log_p=words.number(found.log_p.value, 2), bound=words.number(found.bound.value, 2)
        ),
    )


def _divergence() -> None:
    """Shows the two distributions that can be dragged."""
    data = {
        "colours": {"p": figures.COLOURS["exact"], "q": figures.COLOURS["elbo"], "kl": figures.COLOURS["kl"]},
        "words": {
            "kind": _("Kind of distribution"), "normal": _("Continuous"), "discrete": _("Discrete"),
            "first": _("Which of the two"), "equal": _("Make q equal to p"), "again": _("Start again"),
            "picture": _("Two distributions p and q, and under them what is summed up to the KL divergence"),
            "hint": _(
                "Drag the dots: the top is the mean or a share, the side the width. Arrow keys work too, with shift "
                "in small steps. What lies above the line less what lies below is the divergence."
            ),
            "mean": _("mean of {name}"), "deviation": _("deviation of {name}"), "share": _("share {i} of {name}"),
            "mean_short": _("mean"), "nats": _("nats"), "integrand": "{a}(z) log {a}(z) / {b}(z)",
            "terms": "{a}ᵢ log {a}ᵢ / {b}ᵢ",
        },
    }  # fmt: skip
    browser.component("divergence", "dom", "svg", "divergence")(key="lesson.divergence", data=data)


def _lines(scene: kit.Scene, found: derivation.Derivation) -> None:
    """Shows the lines of the derivation, one at a time."""
    at = kit.steps(
        "5.line", [_("Integral"), _("Average"), _("Bayes"), _("Times q / q"), _("The bound"), _("Its parts")]
    )
    kit.formula(LINES[at])
    text, picture = kit.two()
    with text:
        kit.words(_why(at).format(error=found.log_p.error))
        sides = _sides(found, at)
        st.markdown(
            "\n".join(["| | " + _("nats") + " |", "|:--|--:|", *(f"| {name} | {value} |" for name, value in sides)])
        )
    with picture:
        if at == 5:
            names = ["E[log p(x|z)]", "− KL[q ‖ p(z)]", "ELBO", "+ KL[q ‖ p(z|x)]", "log p(x)"]
            figure = figures_bound.waterfall(
                found.reconstruction.value, found.regulariser, found.gap.value, names, _("nats")
            )
        else:
            figure = _split(found, at)
        kit.chart(figure, f"5.line{at}", alt=_("Both sides of the line at forty draws from q(z|x)"))


def _split(found: derivation.Derivation, at: int) -> figures_bound.go.Figure:
    """Draws a line of the derivation at forty draws."""
    titles = (_("draw from q(z|x)"), _("nats"))
    if at < 2:
        return figures_bound.split(found.log_p.value, None, ("elbo", "kl"), ("log p(x)", "", "", ""), titles)
    if at == 2:
        names = ("log p(x)", "log p(x, z)", "− log p(z|x)", "")
        return figures_bound.split(found.log_p.value, found.log_joint, ("reconstruction", "exact"), names, titles)
    mean = _("its mean, the ELBO of these draws") if at == 4 else ""
    names = ("log p(x)", "log p(x, z) / q(z|x)", "log q(z|x) / p(z|x)", mean)
    return figures_bound.split(found.log_p.value, found.log_joint - found.log_q, ("elbo", "kl"), names, titles)


def _why(at: int) -> str:
    return [
        _("This digit has one number log p(x). Here it is integrated over the whole plane, good to {error:.2g} nats."),
        _("log p(x) does not depend on z, so its average over draws from any q is log p(x) itself: q sums to 1."),
        _("Bayes' rule, p(z|x) = p(x, z) / p(x), holds at every z: the two parts differ from draw to draw, and "
          "together they always give the same."),
        _("Multiply by q / q, split the logarithm. Now each draw misses log p(x) by its own amount; some lie above."),
        _("The first average is the **bound** (ELBO); we can compute it. The second is a KL divergence, never below 0, "
          "so the bound never lies above log p(x)."),
        _("Split p(x, z) = p(x|z) p(z): the bound is how well x is decoded, less how far q is from the prior. "
          "The next chapter looks at these two."),
    ][at]  # fmt: skip


def _sides(found: derivation.Derivation, at: int) -> list[tuple[str, str]]:
    """Returns the numbers on both sides of a line, with what they may be off by."""

    def sure(value: float, error: float) -> str:
        return f"{words.number(value, 3)}\u00a0±\u00a0{max(error, 1e-3):.3f}"

    log_p = (r"$\log p(x)$", sure(*found.log_p))
    error = found.bound.error + found.gap.error
    total = found.bound.value + found.gap.value
    rows = [
        [log_p],
        [log_p, (r"$\int q(z \vert x)\,dz$", f"{found.mass.value:.6f}"),
         (r"$\mathbb{E}_q[\log p(x)]$", sure(found.mass.value * found.log_p.value, found.log_p.error))],
        [log_p, (_("$\\log p(x, z)$ at the first draw"), words.number(found.log_joint[0], 3)),
         (_("$\\log p(z \\vert x)$ there"), words.number(found.log_posterior[0], 3)),
         (_("their difference"), words.number(found.log_joint[0] - found.log_posterior[0], 3))],
        [log_p, (r"$\mathbb{E}_q[\log p(x, z) / q(z \vert x)]$", sure(*found.bound)),
         (r"$\mathbb{E}_q[\log q(z \vert x) / p(z \vert x)]$", sure(*found.gap)), (_("their sum"), sure(total, error))],
        [log_p, (r"$\mathcal{L}$", sure(*found.bound)), (r"$\mathrm{KL}[q(z \vert x) \,\Vert\, p(z \vert "
        "x)]$", sure(*found.gap)),
         (_("their sum"), sure(total, error))],
        [log_p, (r"$\mathbb{E}_q[\log p(x \vert z)]$", sure(*found.reconstruction)),
         (r"$-\mathrm{KL}[q(z \vert x) \,\Vert\, p(z)]$", words.number(-found.regulariser, 3)),
         (r"$+\mathrm{KL}[q(z \vert x) \,\Vert\, p(z \vert x)]$", sure(*found.gap)),
         (_("their sum"), sure(found.reconstruction.value - found.regulariser + found.gap.value,
                               found.reconstruction.error + found.gap.error))],
    ]  # fmt: skip
    return rows[at]
