"""Gradient ascent: the objective put together, and climbed one step at a time."""

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

_CLIMB = "lesson.climb"  # session state: the training of this chapter
SAMPLE, WIDTH, RATE = "mnist-sample", 128, 2e-3
AT_ONCE = 50  # steps of the other button


def show(scene: kit.Scene) -> None:
    """Draws the chapter."""
    kit.words(
        _(
            "Both parts are in place. For each image of a batch: encode, draw one $\\epsilon$, decode, add the "
            "closed form. The result is a number whose gradient in $\\theta$ and $\\phi$ backpropagation gives, and "
            "the optimiser takes a small step **up** along the mean over the batch, $\\overline{{\\mathcal{{L}}}}$: "
            "plainly, $\\eta$ times its gradient. Ours is Adam, which divides each weight's part by its usual size. "
            "(It is told to lessen a loss, which is minus the bound.) Encoder and decoder learn together. Below is "
            "an untrained model of the kind in use, with one hidden layer of {width}, on {images:,} images. None of "
            "them is the image in use."
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
        _("The first step is taken on 128 other images. What does it do to the bound of this {label}?").format(
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
    kit.words(_("**Next**: the bound and naive Monte Carlo side by side. Which is closer to log p(x)?"))
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
print(f"it rose by {{climb.looks[1].elbo - climb.looks[0].elbo:,.1f}}")
"""


def _climb(scene: kit.Scene) -> Climb:
    """The training of this session, begun anew for another model or image."""
    place = (scene.model, scene.dataset.name, scene.row)
    kept = st.session_state.get(_CLIMB)
    if kept is None or kept[0] != place:
        kept = st.session_state[_CLIMB] = (place, _begin(scene))
    climb: Climb = kept[1]
    return climb


def _begin(scene: kit.Scene) -> Climb:
    """An untrained model of the kind in use; what learned from MNIST learns from the sample of it here."""
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
        "Its bound goes from {before} to {after} nats, {rise}, with the same noise before and after. The model has "
        "not seen it: the step can help only by what it has in common with the 128 others."
    )
    return kit.Answer(
        right, says.format(before=words.number(before), after=words.number(after), rise=words.number(rise, 1, True))
    )


def _steps(scene: kit.Scene) -> None:
    """Shows the newest step in slow motion, and the climb so far."""
    climb = _climb(scene)
    if len(climb.looks) == 1:  # another model or image than that of the commitment
        climb.go(1)
    with st.container(horizontal=True, vertical_alignment="center"):
        step = climb.trainer.step
        st.button(_("Next step"), key="lesson.step", type="primary", icon=":material/skip_next:",
                  on_click=_go, args=(scene, 1))  # fmt: skip
        st.button(_("{count} steps").format(count=AT_ONCE), key="lesson.more", icon=":material/fast_forward:",
                  on_click=_go, args=(scene, AT_ONCE))  # fmt: skip
        st.button(_("From the start"), key="lesson.restart", icon=":material/restart_alt:", on_click=_restart)
        st.markdown(_("**Step {step}**, learning rate {rate:g}").format(step=step, rate=RATE))
    if climb.last is not None:
        slow.show(climb.last, "lesson.slow")
    text, picture = kit.two()
    with text:
        first, last = climb.looks[0], climb.looks[-1]
        kit.words(
            _(
                "Above is the first image of the batch. Below is your {label}, seen with the same 16 draws each "
                "time: bound **{elbo}** nats, $\\mathcal{{L}}_1$ {reconstruction}, KL {kl:.1f}. It began at {begun}."
            ).format(
                label=scene.label, elbo=words.number(last.elbo),
                reconstruction=words.number(last.reconstruction),
                kl=last.reconstruction - last.elbo, begun=words.number(first.elbo),
            )
        )  # fmt: skip
        with st.container(horizontal=True):
            image = scene.dataset.test.images[scene.row].numpy() / 255
            for pixels, name in (
                (image, _("the image x")), (first.decoded, _("untrained")),
                (last.decoded, _("after step {step}").format(step=last.step)),
            ):  # fmt: skip
                st.image(figures.png_uri(pictures.plain(pixels, 3)), caption=name, alt=name, width=84)
    with picture:
        steps, firsts, bounds = (
            np.array([getattr(look, part) for look in climb.looks]) for part in ("step", "reconstruction", "elbo")
        )
        names, titles = (_("L₁, reconstruction"), _("bound: what lies between is the KL")), (_("step"), _("nats"))
        kit.chart(
            figures.bound.climb(steps, firsts, bounds, names, titles), "9.climb",
            alt=_("The bound of the image and its reconstruction over the steps"),
        )  # fmt: skip


def _go(scene: kit.Scene, steps: int) -> None:
    _climb(scene).go(steps)


def _restart() -> None:
    st.session_state.pop(_CLIMB, None)
