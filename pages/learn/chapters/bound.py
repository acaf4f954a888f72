"""The bound, line by line: each equality of its derivation with the numbers on both sides."""

from typing import Literal

import plotly.graph_objects as go
import streamlit as st

from pages import cache
from pages.learn import kit
from pages.ui import state, words
from pages.ui.browser import divergence
from pages.ui.language import _
from vae import derivation, figures

BASES: tuple[Literal["encoder"], Literal["prior"]] = ("encoder", "prior")
_BASE = "5.q"  # in the link too
LINES = (
    r"\log p(x) = \log \int p(x|z)\, p(z)\, dz",
    r"\log p(x) = \mathbb{E}_{q}\big[\log p(x)\big]",
    r"\log p(x) = \mathbb{E}_{q}\left[\log \frac{p(x, z)}{p(z|x)}\right]",
    r"\log p(x) = \mathbb{E}_{q}\left[\log \frac{p(x, z)}{q(z|x)}\right]"
    r" + \mathbb{E}_{q}\left[\log \frac{q(z|x)}{p(z|x)}\right]",
    r"\begin{aligned} \log p(x) &= \mathcal{L}(x, \theta, \phi) + \mathrm{KL}[q(z|x) \,\|\, p(z|x)] \\"
    r"&\ge \mathcal{L}(x, \theta, \phi) \end{aligned}",
    r"\begin{aligned} \log p(x) &= \mathbb{E}_{q}[\log p(x|z)] - \mathrm{KL}[q(z|x) \,\|\, p(z)] \\"
    r"&\quad + \mathrm{KL}[q(z|x) \,\|\, p(z|x)] \end{aligned}",
)


def show(scene: kit.Scene) -> None:
    """Draws the chapter."""
    kit.words(
        _(
            "We want to raise $\\log p(x)$, whose integral we cannot do, and we have $q(z|x)$, which knows where to "
            "look. To tie the two together we need to say how far one distribution is from another: the "
            "**Kullback-Leibler divergence**, the average of the logarithm of their ratio. Drag $p$ and $q$: it is 0 "
            "only where both are the same, never below, and not the same both ways. $\\mathbb{E}_q$ is the average "
            "over draws from $q$."
        )
    )
    left, right = st.columns(2)
    with left:
        kit.formula(r"\mathrm{KL}[q \,\|\, p] = \int q(z) \log \frac{q(z)}{p(z)}\, dz \;\ge\; 0")
    with right:
        kit.formula(
            r"\mathrm{KL}[q \,\|\, p] = \sum_i q_i \log \frac{q_i}{p_i} = \mathbb{E}_q[\log q] - \mathbb{E}_q[\log p]"
        )
    divergence.show()
    scene = kit.plane_scene(scene)
    committed = kit.ask(
        5,
        _(
            "We now derive a bound below log p(x) that holds for any q, good or bad. Take the prior p(z) itself as "
            "q: how far below log p(x) is its bound for this {label}?"
        ).format(label=scene.label),
        {
            "a": _("Up to 10 nats"), "b": _("10 to 100 nats"), "c": _("100 to 1,000 nats"),
            "d": _("More than 1,000 nats"),
        },
        lambda: _answer(scene),
    )  # fmt: skip
    if committed:
        _lines(scene)
    kit.words(_("**Next**: the two parts of the bound, and what each is good for."))
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
    good, bad = (_derived(scene, base) for base in BASES)
    gap = bad.gap.value
    right = "a" if gap < 10 else "b" if gap < 100 else "c" if gap < 1000 else "d"
    says = _(
        "log p(x) is {log_p} nats. With the prior as q the bound is {bad}, which is {far} below; with the encoder's "
        "q it is {good}, {near} below. What lies between is KL[q ‖ p(z|x)]: how far q is from the posterior."
    )
    return kit.Answer(
        right,
        says.format(
            log_p=words.number(good.log_p.value, 2), bad=words.number(bad.bound.value), far=words.number(gap),
            good=words.number(good.bound.value, 2), near=words.number(good.gap.value, 2),
        ),
    )  # fmt: skip


def _derived(scene: kit.Scene, base: Literal["encoder", "prior"]) -> derivation.Derivation:
    return cache.bound.derived(scene.model, scene.dataset.name, scene.row, base)


def _lines(scene: kit.Scene) -> None:
    """Shows the lines of the derivation, one at a time, for a good q or a bad one."""
    at = kit.steps(
        "5.line", [_("Integral"), _("Average"), _("Bayes"), _("Times q / q"), _("The bound"), _("Its parts")]
    )
    kit.formula(LINES[at])
    state.begin(_BASE, state.one_of(BASES), BASES[0])
    titles = {"encoder": _("the encoder's q(z|x)"), "prior": _("the prior p(z)")}
    text, picture = kit.two()
    with text:
        chosen = st.segmented_control(
            _("Taken as q"), BASES, required=True, key=_BASE, format_func=titles.__getitem__, persist_state="session"
        )
        base = BASES[chosen == "prior"]
        state.write_link(**{_BASE.replace(".", "__"): None if base == "encoder" else base})
        found = _derived(scene, base)
        kit.words(_why(at).format(error=found.log_p.error))
        sides = _sides(found, at)
        st.markdown(
            "\n".join(["| | " + _("nats") + " |", "|:--|--:|", *(f"| {name} | {value} |" for name, value in sides)])
        )
    with picture:
        if at == 5:
            names = ["E[log p(x|z)]", "− KL[q ‖ p(z)]", "ELBO", "+ KL[q ‖ p(z|x)]", "log p(x)"]
            figure = figures.bound.waterfall(
                found.reconstruction.value, found.regulariser, found.gap.value, names, _("nats")
            )
        else:
            figure = _split(found, at)
        kit.chart(figure, f"5.line{at}", alt=_("Both sides of the line at forty draws from q(z|x)"))


def _split(found: derivation.Derivation, at: int) -> go.Figure:
    """Draws a line of the derivation at forty draws."""
    titles = (_("draw from q(z|x)"), _("nats"))
    if at < 2:
        return figures.bound.split(found.log_p.value, None, ("elbo", "kl"), ("log p(x)", "", "", ""), titles)
    if at == 2:
        names = ("log p(x)", "log p(x, z)", "− log p(z|x)", "")
        return figures.bound.split(found.log_p.value, found.log_joint, ("reconstruction", "exact"), names, titles)
    mean = _("its mean, the ELBO of these draws") if at == 4 else ""
    names = ("log p(x)", "log p(x, z) / q(z|x)", "log q(z|x) / p(z|x)", mean)
    return figures.bound.split(found.log_p.value, found.log_joint - found.log_q, ("elbo", "kl"), names, titles)


def _why(at: int) -> str:
    return [
        _("This image has one number log p(x). Here it is integrated over the whole plane, good to {error:.2g} nats. "
          "The sum below it is over other places; it makes p(z|x), so that the lines to come do not put log p(x) in."),
        _("log p(x) does not depend on z, so its average over draws from any q is log p(x) itself: q sums to 1."),
        _("Bayes' rule, p(z|x) = p(x, z) / p(x), holds at every z: the two parts differ from draw to draw, and "
          "together they always give the same."),
        _("Multiply by q / q, split the logarithm. Now each draw misses log p(x) by its own amount, and may lie "
          "above."),
        _("The first average is the **variational lower bound** (ELBO, evidence lower bound); we can compute it. The "
          "second is a KL divergence, never below 0: log t ≤ t − 1, so −KL = E[log p/q] ≤ E[p/q] − 1 = 0. So the bound "
          "never lies above log p(x)."),
        _("Split p(x, z) = p(x|z) p(z): the bound is how well x is decoded, less how far q is from the prior. "
          "The next chapter looks at these two."),
    ][at]  # fmt: skip


def _sides(found: derivation.Derivation, at: int) -> list[tuple[str, str]]:
    """Returns the numbers on both sides of a line, with what they may be off by."""

    def sure(value: float, error: float) -> str:
        digits = 3 if error < 0.05 else 1
        return f"{words.number(value, digits)}\u00a0±\u00a0{max(error, 1e-3):.{digits}f}"

    log_p = (r"$\log p(x)$", sure(*found.log_p))
    error = found.bound.error + found.gap.error
    total = found.bound.value + found.gap.value
    rows = [
        [log_p, (_("summed on another grid"), sure(*found.normaliser))],
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
