"""One step of the optimiser in slow motion: encode, sample, decode, the losses, and the gradients back."""

from typing import Any

import numpy as np

from pages.ui import words
from pages.ui.browser.mount import component
from pages.ui.language import _
from vae import figures
from vae.training import SlowStep

MOST_DRAWS = 16  # samples shown in the plane, at most


def show(step: SlowStep, key: str = "slow") -> None:
    """Shows a training step in five stages, which the user can step through or play.

    Arguments:
        step: of `vae.training.slowmotion.slow_step`, or `vae.jobs.processes.last_step`.
        key: of the widget.
    """
    component("slow")(key=key, data={**numbers(step), "words": _words(step)})


def numbers(step: SlowStep) -> dict[str, Any]:
    """Returns the numbers that the browser draws: the terms of the loss, and the plane of two coordinates."""
    latent = len(step.mean)
    beta, kl = float(step.beta), float(step.kl)
    losses = [-float(step.reconstruction), beta * kl, -float(step.objective)]
    first, second = np.argsort(-step.kl_by_dimension, kind="stable")[[0, min(1, latent - 1)]].tolist()
    ink = {"encoder": figures.COLOURS["elbo"], "prior": figures.latent.PRIOR, "gradient": figures.GRADIENT}
    return {
        "id": f"{int(step.step)} {losses}", "height": step.x.shape[0], "width": step.x.shape[1],
        "x": _list(step.x), "mean": _list(step.mean), "deviation": _list(step.deviation),
        "noise": [_list(draw) for draw in step.noise[:MOST_DRAWS]], "z": [_list(draw) for draw in step.z[:MOST_DRAWS]],
        "draws": len(step.z), "drawn": bool(step.noise.any()), "axes": sorted((first, second)),
        "decoded_mean": _list(step.decoded_mean[0]),
        "decoded_deviation": _list(figures.over_colours(step.decoded_deviation[0])),
        "losses": losses, "kl_by_dimension": _list(step.kl_by_dimension),
        # with free bits, or an IWAE bound, the objective is not the sum of the two terms
        "plain": bool(np.isclose(losses[2], losses[0] + losses[1], rtol=1e-3, atol=1e-2)),
        "mean_gradient": _list(step.mean_gradient), "deviation_gradient": _list(step.deviation_gradient),
        "weights": np.stack([step.weights, step.weights_change], 1).tolist(), "images": int(step.images),
        "learning_rate": float(step.learning_rate), "names": [words.coordinate(j) for j in range(latent)],
        "colours": {**figures.COLOURS, **ink},
        "sigma_colours": figures.SIGMA_COLOURS.ravel().tolist(),
    }  # fmt: skip


def _list(values: np.ndarray) -> list[float]:
    """Returns numbers rounded to six significant digits."""
    return [float(f"{value:.6g}") for value in values.ravel()]


def _words(step: SlowStep) -> dict[str, Any]:
    drawn = bool(step.noise.any())
    beta = float(step.beta)
    return {
        "flow": _("The five stages of a training step"), "back": _("Back"), "next": _("Next"), "play": _("Play"),
        "pause": _("Pause"), "names": [_("Encode"), _("Sample"), _("Decode"), _("Losses"), _("Backward")],
        "arrows": [_("encoder"), "ε" if drawn else "", _("decoder"), "log p", "∇"],
        "equations": [
            "q(z|x) = N(μ, σ²)", "z = μ + σ · ε,  ε ~ N(0, I)" if drawn else "z = μ", "p(x|z)",
            "−log p(x|z) + β · KL[q(z|x) ‖ p(z)]" if drawn else "−log p(x|z)",
            "∂/∂μ,  ∂/∂σ" if drawn else "∂/∂μ",
        ],
        "says": [
            _("The encoder maps the image to a mean μ and a standard deviation σ for each dimension of z."),
            _("Noise ε is sampled, and z = μ + σ · ε. This is differentiable in μ and σ, so gradients can flow back.")
            if drawn else _("An autoencoder does not sample: z = μ."),
            _("The decoder maps z to p(x|z): a mean and a standard deviation for each pixel."),
            _("The loss in nats: the reconstruction error −log p(x|z) plus the KL of q(z|x) from the prior.")
            if drawn else _("The loss in nats: the reconstruction error −log p(x|z). An autoencoder has no KL term."),
            _("Gradients flow back from the loss to z, to μ and σ, and to the weights, which the optimiser updates."),
        ],
        "x": _("the image x"), "encoded": _("μ ± σ of each dimension") if drawn else _("μ of each dimension"),
        "plane": _("prior, q(z|x) and the sample; circles at one and two standard deviations")
        if drawn else _("z = μ; circles at one and two standard deviations of the prior"),
        "draw": "= {mean} + {deviation} × {noise} = {z}" if drawn else "= {mean}",
        "draws": _("One of {count} samples; the others are shown in pale colours."),
        "decoded_mean": _("mean of p(x|z)"), "decoded_deviation": _("σ of p(x|z), up to {top}") if step.x.ndim == 2
        else _("σ of p(x|z), averaged over the colour channels, up to {top}"),
        "losses": _("loss for this image, nats"), "reconstruction": "−log p(x|z)",
        "kl": "KL" if beta == 1 else f"β · KL, β = {beta:g}", "loss": _("loss"),
        "other": _("For this objective, the loss is not the sum of the two terms."),
        "by_dimension": _("KL of each dimension, nats"),
        "mean_gradient": _("∂loss/∂μ of each dimension, nats per unit"),
        "deviation_gradient": _("∂loss/∂σ of each dimension, nats per unit"), "parts": [_("encoder"), _("decoder")],
        "moved": _("the weights change by {change}, {percent}% of their norm {norm}"),
        "rate": _(
            "Learning rate {rate}. The weights are updated with the mean gradient over a batch of {images} images that "
            "includes this one."
        ),
    }  # fmt: skip
