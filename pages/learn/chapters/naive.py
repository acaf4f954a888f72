"""Naive Monte Carlo: draw, decode, average; why hardly any sample counts, and how many are needed."""

import math

import numpy as np
import streamlit as st

from pages import cache
from pages.learn import kit
from pages.ui import state, words
from pages.ui.fragment import fragment
from pages.ui.language import _
from vae import evidence, figures
from vae.derivation import integrand

FEW = (1, 3, 10, 30, 100, 300, 1000)  # numbers of samples shown before the answer
MANY = (*FEW, 3000, 10_000, 30_000, cache.integral.DRAWS)
WITHIN = 1.0  # nats
BOUNDS = (1e3, 1e5, 1e7)  # limits between the options


def show(scene: kit.Scene) -> None:
    """Draws the chapter."""
    chosen, scene = scene, kit.flat(scene)
    text, picture = kit.two()
    with text:
        kit.words(
            _(
                r"Replace the grid by random $z$: **draw** $z_1, \dots, z_L$ from the prior, **decode** each of them, "
                r"and **average** the likelihoods $p_\theta(x|z_l)$ of your image:"
            )
        )
        kit.formula(r"p_\theta(x) \approx \frac{1}{L} \sum_{l=1}^{L} p_\theta(x|z_l), \qquad z_l \sim p(z)")
        kit.words(
            _(
                "This estimate of $p(x)$ is unbiased for every $L$. But an image has {pixels}, and all of them must "
                "fit: $p(x|z)$ is **highly skewed**, large in a tiny region of the plane and negligible elsewhere. "
                "The few samples that hit this region dominate the average; until one does, the estimate is far too "
                "low."
            ).format(pixels=words.size(scene.config))
        )
        told = kit.ask(
            3,
            _("How many samples does it take to come within {within:g} nat of log p(x)?").format(within=WITHIN),
            {
                "a": _("Fewer than 1,000"), "b": _("1,000 to 100,000"), "c": _("100,000 to 10 million"),
                "d": _("More than 10 million"),
            },
            lambda: answer(scene),
        )  # fmt: skip
    with picture:
        draws(scene, told)
    if told and chosen.config.latent > 2:
        kl = cache.needed(chosen.model, chosen.dataset.name, chosen.row)
        kit.words(
            _(
                "What about {name}, with J = {size}? There the KL divergence of the posterior from the prior is "
                "unknown, but that of its Gaussian approximation $q$, the subject of chapter 4, is {kl:.1f} nats. "
                "This suggests about **{needed}** samples."
            ).format(name=chosen.model[0], size=chosen.config.latent, kl=kl, needed=words.power(kl))
        )
    kit.words(
        _(
            "The gradient of this average is dominated by the same few samples, so training with it would be just as "
            "slow.\n\n**Next**: the image is known. Could a second network look at it and tell us where to sample?"
        )
    )
    kit.code([evidence.naive_monte_carlo_path, integrand.running, integrand.enough], cell(scene))


def draws(scene: kit.Scene, told: bool) -> None:
    """Shows the first samples on the plane, and the estimate from them."""
    sizes = MANY if told else FEW
    view = cache.integral.plane(scene.model, scene.dataset.name, scene.row)
    found = cache.integral.posterior(scene.model, scene.dataset.name, scene.row)
    run = cache.integral.stream(scene.model, scene.dataset.name, scene.row, 0, sizes[-1])

    def draw_on() -> None:
        st.session_state["naive.draws"] = next(
            (size for size in sizes if size > st.session_state["naive.draws"]), sizes[0]
        )

    @fragment()
    def shown() -> None:
        state.begin("naive.draws", lambda text: min(sizes, key=lambda size: abs(size - int(text))), 100)
        if st.session_state["naive.draws"] not in sizes:
            st.session_state["naive.draws"] = sizes[-1]
        with st.container(horizontal=True, vertical_alignment="bottom"):
            count = st.select_slider(
                _("Samples L"), sizes, key="naive.draws", format_func=lambda n: f"{n:,}", width=300,
                persist_state="session",
            )  # fmt: skip
            st.button(_("More samples"), icon=":material/casino:", on_click=draw_on, key="naive.on")
        state.write_link(naive__draws=None if count == 100 else str(count))
        prior = -0.5 * (run.z[:count] ** 2).sum(1) - math.log(2 * math.pi)
        hits = run.log_likelihood[:count] + prior - found.log_p > view.levels[0]
        estimate = integrand.running(run.log_likelihood[:count])
        kit.chart(
            figures.integral.scattered(
                view, run.z[:count], hits, (words.coordinate(0), words.coordinate(1)),
                (_("samples that miss"), _("samples that hit")),
            ),
            "naive.plane", _("Samples from the prior on the latent plane; those that hit the posterior are circled"),
            height=380,
        )  # fmt: skip
        said = _("**{hits}** of {count:,} samples hit the region that contains 99% of the posterior.")
        total = np.exp(run.log_likelihood[:count].astype(np.float64) - run.log_likelihood[:count].max())
        said += " " + _("The largest single term makes up {share:.0%} of the sum.")
        kit.words(said.format(hits=int(hits.sum()), count=count, share=1 / total.sum()))
        kit.chart(
            figures.integral.creep(
                estimate, found.log_p if told else None, (_("number of samples L"), _("estimate of log p(x), nats")),
                (_("naive Monte Carlo"), _("log p(x), exact")),
            ),
            "naive.creep", _("The running estimate of log p(x) against the number of samples"), height=260,
        )  # fmt: skip
        line = _("The current estimate is **{value:,.1f} nats**.")
        if told:
            line = _("The current estimate is **{value:,.1f} nats**, an error of {off}.")
        kit.words(line.format(value=estimate[-1], off=words.number(estimate[-1] - found.log_p, sign=True)))

    shown()


def answer(scene: kit.Scene) -> kit.Answer:
    """Compares the number of samples that KL[p(z|x) || p(z)] suggests with what a few runs took, which decides."""
    kl = cache.integral.posterior(scene.model, scene.dataset.name, scene.row).kl_prior
    measured = cache.integral.enough(scene.model, scene.dataset.name, scene.row, WITHIN)
    says = _(
        r"The KL divergence $\mathrm{{KL}}[p(z|x)\,\|\,p(z)]$, the average of $\log\,[p(z|x)/p(z)]$ over the "
        r"posterior, measures how far the posterior is from the prior. About $e^{{\mathrm{{KL}}[p(z|x)\,\|\,p(z)]}} = "
        "e^{{{kl:.2f}}}$ ≈ **{needed}** samples are needed (Chatterjee & Diaconis 2018), roughly the factor by which "
        "the posterior is narrower than the prior."
    ).format(kl=kl, needed=words.power(kl))
    if measured is None:
        took = _("In practice, most of {runs} runs were still off by more than {within:g} nat after {most:,} samples.")
    else:
        took = _(
            "In practice, the estimate stayed within {within:g} nat of log p(x) after **{measured:,}** samples "
            "(median of {runs} runs)."
        )
    took = took.format(runs=cache.integral.RUNS, most=cache.integral.DRAWS, within=WITHIN, measured=measured)
    needed = math.log(measured) if measured else max(kl, math.log(cache.integral.DRAWS))
    return kit.Answer("abcd"[sum(needed >= math.log(bound) for bound in BOUNDS)], says + " " + took)


def cell(scene: kit.Scene) -> str:
    return f"""import math
import vae

model = vae.load({scene.model[0]!r})
images = vae.load_dataset({scene.dataset.name!r}).test.images
x = model.pixels(images, vae.generator(0))[[{scene.row}]]
p = vae.posterior(model, x)
for estimate in vae.naive_monte_carlo_path(model, x, (10, 100, 1000, 10_000), vae.generator(0)):
    print(f"{{estimate.samples:,}} samples: {{estimate.value[0]:,.1f}} nats")
print(f"log p(x) = {{p.log_p:,.1f}} nats; exp(KL) = exp({{p.kl_prior:.2f}}) = {{math.exp(p.kl_prior):,.0f}} samples")"""
