"""The bound, line by line: each step of its derivation with the numbers on both sides."""

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
_BASE = "5.q"  # part of the link
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
            r"We want to maximise $\log p(x)$, whose integral is intractable, and we have $q(z|x)$, which tells us "
            "where to look. To connect the two we need a measure of how far one distribution is from another: the "
            "**Kullback-Leibler divergence** (KL divergence), the average of the logarithm of their ratio, shown "
            "below for continuous and for discrete distributions. Drag $p$ and $q$: the divergence is never negative, "
            r"it is 0 only if $p$ and $q$ are equal, and it is not symmetric. $\mathbb{E}_q$ denotes the average over "
            "samples from $q$."
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
            "We now derive a lower bound on log p(x) that holds for any q, good or bad. If we take the prior p(z) "
            "itself as q, how far below log p(x) is the bound for this {label}?"
        ).format(label=scene.label),
        {
            "a": _("Up to 10 nats"), "b": _("10 to 100 nats"), "c": _("100 to 1,000 nats"),
            "d": _("More than 1,000 nats"),
        },
        lambda: _answer(scene),
    )  # fmt: skip
    if committed:
        _lines(scene)
    kit.words(_("**Next**: the two terms of the bound, and what each of them does."))
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
        "log p(x) is {log_p} nats. With the prior as q the bound is {bad} nats, which is {far} lower; with the "
        "encoder's q it is {good} nats, which is {near} lower. The gap is KL[q ‖ p(z|x)], the divergence of q from "
        "the posterior."
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
    """Shows the steps of the derivation, one at a time, for a good or a bad q."""
    at = kit.steps(
        "5.line",
        [_("Integral"), _("Average over q"), _("Bayes' rule"), _("Multiply by q / q"), _("The bound"),
         _("Its two terms")],
    )  # fmt: skip
    kit.formula(LINES[at])
    state.begin(_BASE, state.one_of(BASES), BASES[0])
    titles = {"encoder": _("the encoder's q(z|x)"), "prior": _("the prior p(z)")}
    text, picture = kit.two()
    with text:
        chosen = st.segmented_control(
            _("Distribution used as q"), BASES, required=True, key=_BASE, format_func=titles.__getitem__,
            persist_state="session",
        )  # fmt: skip
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
            alt = _("The two terms of the bound and the KL divergence from the posterior, which add up to log p(x)")
        else:
            figure, alt = _split(found, at), _("Both sides of the equation at forty samples from q(z|x)")
        kit.chart(figure, f"5.line{at}", alt)


def _split(found: derivation.Derivation, at: int) -> go.Figure:
    """Draws a step of the derivation at forty samples."""
    titles = (_("sample from q(z|x)"), _("nats"))
    if at < 2:
        return figures.bound.split(found.log_p.value, None, ("elbo", "kl"), ("log p(x)", "", "", ""), titles)
    if at == 2:
        names = ("log p(x)", "log p(x, z)", "− log p(z|x)", "")
        return figures.bound.split(found.log_p.value, found.log_joint, ("reconstruction", "exact"), names, titles)
    mean = _("mean: the ELBO from these samples") if at == 4 else ""
    names = ("log p(x)", "log p(x, z) / q(z|x)", "log q(z|x) / p(z|x)", mean)
    return figures.bound.split(found.log_p.value, found.log_joint - found.log_q, ("elbo", "kl"), names, titles)


def _why(at: int) -> str:
    return [
        _("For a given image, log p(x) is a single number. Here it was integrated numerically over the whole latent "
          "space, to within {error:.2g} nats. The second row is the same integral on a different grid. The later "
          "steps compute p(z|x) with that grid, so they do not presuppose the value of log p(x) that they are to "
          "confirm."),
        _("log p(x) does not depend on z, and q integrates to 1. So the average of log p(x) over any q is log p(x) "
          "itself."),
        _("Bayes' rule, p(z|x) = p(x, z) / p(x), holds at every z: both terms vary from sample to sample, but "
          "together they always give log p(x)."),
        _("Multiply by q / q inside the logarithm and split it into two terms. The first now differs from log p(x) by "
          "a different amount at each sample, and may be larger than log p(x)."),
        _("The first average is the **variational lower bound**, also called the evidence lower bound (ELBO); we can "
          "compute it. The second is a KL divergence and never negative: since log t ≤ t − 1, we have −KL = E[log "
          "p/q] ≤ E[p/q] − 1 = 0. So the bound never exceeds log p(x)."),
        _("Factorise p(x, z) = p(x|z) p(z): the bound is the expected log-likelihood of x minus the KL divergence of "
          "q from the prior. The next chapter examines these two terms."),
    ][at]  # fmt: skip


def _sides(found: derivation.Derivation, at: int) -> list[tuple[str, str]]:
    """Returns the numbers on both sides of a step, with their errors."""

    def sure(value: float, error: float) -> str:
        digits = 3 if error < 0.05 else 1
        return f"{words.number(value, digits)}\u00a0±\u00a0{max(error, 1e-3):.{digits}f}"

    log_p = (r"$\log p(x)$", sure(*found.log_p))
    error = found.bound.error + found.gap.error
    total = found.bound.value + found.gap.value
    rows = [
        [log_p, (_("from another grid"), sure(*found.normaliser))],
        [log_p, (r"$\int q(z \vert x)\,dz$", f"{found.mass.value:.6f}"),
         (r"$\mathbb{E}_q[\log p(x)]$", sure(found.mass.value * found.log_p.value, found.log_p.error))],
        [log_p, (_(r"$\log p(x, z)$ at the first sample"), words.number(found.log_joint[0], 3)),
         (_(r"$\log p(z \vert x)$ at the same sample"), words.number(found.log_posterior[0], 3)),
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
