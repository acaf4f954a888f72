"""Gradient ascent: the complete objective, maximised one step at a time."""

import numpy as np
import streamlit as st

import vae
from pages import cache
from pages.learn import kit
from pages.train.panels import slow
from pages.ui import pictures, words
from pages.ui.language import _
from vae import figures
from vae.derivation import Climb
from vae.training import Trainer, slow_step

_CLIMB = "lesson.climb"  # key in the session state of the training of this chapter
SAMPLE, WIDTH, RATE = "mnist-sample", 128, 2e-3
AT_ONCE = 50  # steps taken by the second button


def show(scene: kit.Scene) -> None:
    """Draws the chapter."""
    kit.words(
        _(
            r"We now have both terms. For each image of a batch: encode it, draw one $\epsilon$, decode, and add the "
            r"closed form. Backpropagation computes the gradient of the result with respect to $\theta$ and $\phi$, "
            "so encoder and decoder learn together. **Gradient ascent** takes a small step **up**: in its plain form, "
            r"$\eta$ times the gradient of the batch mean $\overline{{\mathcal{{L}}}}$, where $\eta$ is the learning "
            "rate. We use Adam, which divides each component of the gradient by its typical size. (Optimisers "
            r"minimise, so they are given $-\overline{{\mathcal{{L}}}}$ as the loss.) Below is an untrained model of "
            "the same kind as the selected one, with one hidden layer of {width} units, to be trained on {images:,} "
            "images. Your image is not among them."
        ).format(width=WIDTH, images=len(_climb(scene).trainer.images))
    )
    left, right = st.columns([3, 2])
    with left:
        kit.formula(
            r"\begin{aligned} \mathcal{L}(x, \theta, \phi) \approx\; &"
            r"\log p_\theta(x \,|\, \mu + \sigma \odot \epsilon) \\"
            r"& + \tfrac{1}{2} \sum_{j} \left(1 + \log \sigma_j^2 - \mu_j^2 - \sigma_j^2\right) \end{aligned}"
        )
    with right:
        kit.formula(
            r"(\theta, \phi) \leftarrow (\theta, \phi) + \eta \, \nabla_{\theta, \phi}\, \overline{\mathcal{L}}"
        )
    committed = kit.ask(
        9,
        _("The first step uses a batch of 128 other images. How does it change the bound for this {label}?").format(
            label=scene.label
        ),
        {
            "a": _("It falls"), "b": _("It rises by less than 1 nat"), "c": _("It rises by 1 to 100 nats"),
            "d": _("It rises by more than 100 nats"),
        },
        lambda: _answer(scene),
    )  # fmt: skip
    if committed:
        _steps(scene)
    kit.words(_("**Next**: the bound compared with naive Monte Carlo. Which is closer to log p(x)?"))
    kit.code([Climb.go, slow_step, Trainer.advance], _cell(scene))


def _cell(scene: kit.Scene) -> str:
    trainer = _climb(scene).trainer
    return CELL.format(model=trainer.model.config, training=trainer.config, data=scene.dataset.name, row=scene.row)


CELL = """import vae
from vae import ModelConfig, TrainConfig
from vae.derivation import Climb

config = {model}
training = {training}
images = vae.load_dataset("{data}", fetch=False).test.images
x = vae.build(config).pixels(images, vae.generator(0))[{row} : {row} + 1]
climb = Climb(config, vae.load_dataset(training.data, fetch=False), training, x)
climb.go(1)
for look in climb.looks:
    print(f"step {{look.step}}: bound {{look.elbo:.1f}}, L1 {{look.reconstruction:.1f}}")
print(f"change {{climb.looks[1].elbo - climb.looks[0].elbo:,.1f}}")
"""


def _climb(scene: kit.Scene) -> Climb:
    """Returns the training of this session; another model or image starts a new one."""
    place = (scene.model, scene.dataset.name, scene.row)
    kept = st.session_state.get(_CLIMB)
    if kept is None or kept[0] != place:
        kept = st.session_state[_CLIMB] = (place, _begin(scene))
    climb: Climb = kept[1]
    return climb


def _begin(scene: kit.Scene) -> Climb:
    """Builds an untrained model of the selected kind; instead of MNIST it is trained on the sample of it."""
    name, kind = scene.dataset.name, scene.config
    dataset = cache.dataset(SAMPLE if name.startswith("mnist") else name)
    config = vae.ModelConfig(
        latent=kind.latent, likelihood=kind.likelihood, log_variance_floor=kind.log_variance_floor,
        encoder_layers=(WIDTH,), decoder_layers=(WIDTH,), image_shape=kind.image_shape,
    )  # fmt: skip
    training = vae.TrainConfig(
        data=dataset.name, epochs=100, learning_rate=RATE, schedule="constant", precision="float32"
    )
    return Climb(config, dataset, training, cache.pixels(scene.model, name, scene.rows))


def _answer(scene: kit.Scene) -> kit.Answer:
    climb = _climb(scene)
    if len(climb.looks) == 1:
        climb.go(1)
    before, after = climb.looks[0].elbo, climb.looks[1].elbo
    rise = after - before
    right = "a" if rise < 0 else "b" if rise < 1 else "c" if rise < 100 else "d"
    says = _(
        "Its bound goes from {before} to {after} nats, a change of {rise}, estimated with the same noise before and "
        "after. The model has never seen this image: the step can help only through what it has in common with the "
        "128 others."
    )
    return kit.Answer(
        right, says.format(before=words.number(before), after=words.number(after), rise=words.number(rise, 1, True))
    )


def _steps(scene: kit.Scene) -> None:
    """Shows the latest step in slow motion, and the bound so far."""
    climb = _climb(scene)
    if len(climb.looks) == 1:  # another model or image was selected since the answer
        climb.go(1)
    with st.container(horizontal=True, vertical_alignment="center"):
        step = climb.trainer.step
        st.button(_("Next step"), key="lesson.step", type="primary", icon=":material/skip_next:",
                  on_click=_go, args=(scene, 1))  # fmt: skip
        st.button(_("{count} steps").format(count=AT_ONCE), key="lesson.more", icon=":material/fast_forward:",
                  on_click=_go, args=(scene, AT_ONCE))  # fmt: skip
        st.button(_("Start over"), key="lesson.restart", icon=":material/restart_alt:", on_click=_restart)
        st.markdown(_("**Step {step}**, learning rate {rate:g}").format(step=step, rate=RATE))
    if climb.last is not None:
        slow.show(climb.last, "lesson.slow")
    text, picture = kit.two()
    with text:
        first, last = climb.looks[0], climb.looks[-1]
        kit.words(
            _(
                "Above is the first image of the batch. Below is your {label}, always evaluated with the same 16 "
                r"noise samples: its bound is **{elbo}** nats, with $\mathcal{{L}}_1$ = {reconstruction} and a KL "
                "divergence of {kl:.1f}. Before training, the bound was {begun}."
            ).format(
                label=scene.label, elbo=words.number(last.elbo),
                reconstruction=words.number(last.reconstruction),
                kl=last.reconstruction - last.elbo, begun=words.number(first.elbo),
            )
        )  # fmt: skip
        with st.container(horizontal=True):
            image = scene.dataset.test.images[scene.row].numpy() / 255
            for pixels, name in (
                (image, _("the image x")), (first.decoded, _("before training")),
                (last.decoded, _("after step {step}").format(step=last.step)),
            ):  # fmt: skip
                st.image(figures.png_uri(pictures.plain(pixels, 3)), caption=name, alt=name, width=84)
    with picture:
        steps, firsts, bounds = (
            np.array([getattr(look, part) for look in climb.looks]) for part in ("step", "reconstruction", "elbo")
        )
        names, titles = (
            (_("L₁, the reconstruction term"), _("bound; the gap is the KL divergence")),
            (_("step"), _("nats")),
        )
        kit.chart(
            figures.bound.climb(steps, firsts, bounds, names, titles), "9.climb",
            alt=_("The bound and the reconstruction term of the image against the number of steps"),
        )  # fmt: skip


def _go(scene: kit.Scene, steps: int) -> None:
    _climb(scene).go(steps)


def _restart() -> None:
    st.session_state.pop(_CLIMB, None)
