"""The model on held-out images: the bound, log p(x), the gap between them, and the calibration of its noise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go
import torch

from vae.evidence import Estimate, evaluation, is_known, part_of
from vae.evidence import gaps as gaps_of
from vae.figures import COLOURS
from vae.model import ModelConfig, bits_per_dimension, generator
from vae.report.parts import ELBO_SAMPLES, Array, Part, Subject, drawn, signed
from vae.uses import oddities, variance

__all__ = ["calibration", "gap", "odd_images", "scores"]

MANY, FEW, VERY_FEW = 200, 50, 6  # images for importance sampling, for exact evidence, for the gap
SAMPLES, GAP_SAMPLES = 500, 2000  # for importance sampling
ODD_SAMPLES = 5  # for the ELBO of odd images
_NOISE, _STEPS = 5, 150  # seed of the noise of odd images; steps of the fit of the best Gaussian


def scores(of: Subject) -> Part:
    """The ELBO, importance sampling with k-hat, exact evidence if it can be computed, and bits per dimension."""
    config, count = of.model.config, len(of.x)
    error = of.elbo.std() / math.sqrt(count)
    rows = [["method", "nats per image", "above the ELBO of the same images", "images", "accuracy"]]
    rows.append(
        [f"ELBO, {ELBO_SAMPLES} samples", signed(of.elbo.mean(), error), "", f"{count:,}", "a lower bound on log p(x)"]
    )
    numbers: dict[str, Any] = {
        "images": count, "elbo": float(of.elbo.mean()), "elbo_standard_error": float(error),
        "elbo_samples": ELBO_SAMPLES,
    }  # fmt: skip
    known = is_known(config)
    found = evaluation.evaluate(
        of.model, of.x[:MANY], "importance", samples=SAMPLES, generator=generator(1),
        progress=part_of(of.tell, 0, 0.2 if known else 1),
    )  # fmt: skip
    numbers |= {"importance": evaluation.figures(found), "importance_samples": SAMPLES}
    above = numbers["importance"]["k_hat_above_0.7"]
    sure = "k-hat unknown" if above is None else f"k-hat above 0.7 (unreliable) on {above:.0%} of the images"
    rows.append(_row(of, f"importance sampling, {SAMPLES} samples", found[0].value.numpy(), sure))
    if known:
        found = evaluation.evaluate(of.model, of.x[:FEW], "exact", progress=part_of(of.tell, 0.2, 0.8))
        numbers["exact"] = evaluation.figures(found)
        bound = numbers["exact"].get("error_bound_nats")
        sure = "in closed form" if bound is None else f"error at most {bound:.2g} nats"
        rows.append(_row(of, "exact log p(x)", found[0].value.numpy(), sure))
    says = [f"On held-out images of {of.dataset.title}; ± is the standard error of the mean over images."]
    if isinstance(config, ModelConfig) or config.dequantised:
        bits = bits_per_dimension(float(of.elbo.mean()), config.likelihood, config.pixels)
        numbers["bits_per_dimension"] = bits
        if not of.gaussian:
            bounded, same = "", "the same binary pixels"
        else:
            floor = config.log_variance_floor
            bounded = "" if floor is None else f", with log σ² bounded below by {floor:g}"
            same = "the same pixels and the same bound on the variance"
        says.append(f"The ELBO is {bits:.3f} bits per dimension{bounded}. Compare it only with models of {same}.")
    return Part(title="Evidence", says=says, numbers=numbers, table=rows)


def _row(of: Subject, name: str, values: Array, sure: str) -> list[str]:
    """Returns a row of the table: the mean of the estimates, and of their differences from the ELBO of each image."""
    known = np.isfinite(values)
    above = (values - of.elbo[: len(values)])[known]
    values, count = values[known], int(known.sum())
    if count < 2:
        return [name, signed(float(values.mean())) if count else "unknown", "", str(count), sure]
    errors = [each.std(ddof=1) / math.sqrt(count) for each in (values, above)]
    return [name, signed(values.mean(), errors[0]), signed(above.mean(), errors[1], 2), f"{count:,}", sure]


def gap(of: Subject) -> Part:
    """Splits log p(x) minus the ELBO into the part due to the Gaussian family and the part due to the encoder."""
    x = of.x[:VERY_FEW]
    own = torch.zeros(0)
    for best in gaps_of.refine(of.model, x, steps=_STEPS, generator=generator(2)):
        own = (
            best.elbo if best.step == 0 else own
        )  # that of the encoder's q, from the same points as that of the best q
        if of.tell:
            of.tell(0.6 * best.step / _STEPS)
    exact, tell = is_known(of.model.config), part_of(of.tell, 0.6, 0.4)
    if exact:
        (log_p,) = evaluation.evaluate(of.model, x, "exact", progress=tell)
    else:
        (log_p,) = evaluation.evaluate(
            of.model, x, "importance", samples=GAP_SAMPLES, generator=generator(3), progress=tell
        )
    split = gaps_of.Gap(own, best.elbo, log_p.value)
    rows = [["image", "ELBO", "best Gaussian", "log p(x)", "approximation gap", "amortisation gap"]]
    for i in range(len(x)):
        noise = None if exact else float(log_p.standard_error[i])
        cells = ((split.elbo, None), (split.best_elbo, None), (split.log_p, noise), (split.approximation, noise),
                 (split.amortisation, None))  # fmt: skip
        rows.append([str(i), *(signed(float(each[i]), error, 2) for each, error in cells)])
    known = split.log_p.isfinite()
    approximation = float(split.approximation[known].mean()) if bool(known.any()) else None
    numbers: dict[str, Any] = {
        "images": len(x), "approximation": approximation, "amortisation": float(split.amortisation.mean()),
        "log_p": "exact" if exact else "importance sampling",
    }  # fmt: skip
    says = [
        f"On {len(x)} images. log p(x) minus the ELBO is the Kullback–Leibler divergence of q(z|x) from the true "
        "posterior. One part is due to the family of diagonal Gaussians (approximation gap), the rest to the encoder "
        f"(amortisation gap), {signed(numbers['amortisation'], digits=2)} nats on average."
    ]
    if exact:
        found = "unknown, since the integrals did not converge"
        found = found if approximation is None else f"{signed(approximation, digits=2)} nats on average"
        says.append(f"log p(x) is exact; the approximation gap is {found}.")
    elif approximation is not None and log_p.k_hat is not None:
        numbers |= _sampled(log_p)
        for row, value in zip(rows, ["k-hat", *log_p.k_hat.tolist()], strict=True):
            row.append(value if isinstance(value, str) else "unknown" if math.isnan(value) else f"{value:.2f}")
        says += _said_of_sampling(approximation, numbers, int((log_p.k_hat > evaluation.UNRELIABLE).sum()))
    return Part(title="What the bound leaves out", numbers=numbers, table=rows, says=says)


def _sampled(log_p: Estimate) -> dict[str, Any]:
    """Returns how reliable importance sampling is for log p(x), and so for the gap."""
    found = evaluation.figures([log_p])
    return {name: found[name] for name in ("k_hat", "k_hat_above_0.7", "k_hat_unknown")} | {
        "samples": GAP_SAMPLES, "approximation_monte_carlo_error": found["monte_carlo_error_nats"],
    }  # fmt: skip


def _said_of_sampling(approximation: float, numbers: dict[str, Any], above: int) -> list[str]:
    """Explains how far to trust a gap whose log p(x) is estimated by importance sampling."""
    error, k_hat = numbers["approximation_monte_carlo_error"], numbers["k_hat"]
    tail = "k-hat is unknown" if k_hat is None else f"k-hat is at most {signed(k_hat, digits=2)}"
    says = [
        f"log p(x) is estimated by importance sampling with {GAP_SAMPLES:,} samples, and so is the approximation gap, "
        f"{signed(approximation, error, 2)} nats on average (± is the standard error of the sampling; {tail}). The "
        "estimate tends to be too small and may be negative, although the true gap never is."
    ]
    if above:
        says.append(
            f"k-hat, the shape of the tail of the importance weights, is above {evaluation.UNRELIABLE} on {above} of "
            "the images. For these neither the estimate nor its standard error is reliable, and the gap is likely to "
            "be larger."
        )
    return says


def calibration(of: Subject) -> Part | None:
    """Compares the standard deviation predicted by the decoder with the residuals; None for a Bernoulli."""
    if not of.gaussian:
        return None
    edges = np.exp(np.linspace(np.log(0.01), np.log(0.5), 12))
    found = variance.calibration(of.model, of.codes.mean, of.x, edges)
    figure = go.Figure([
        go.Scatter(x=found.predicted, y=found.observed, mode="lines+markers", marker_color=COLOURS["reconstruction"],
                   name="pixels", hovertemplate="σ %{x:.3f}, residuals %{y:.3f}<extra></extra>"),
        go.Scatter(x=[0.005, 0.6], y=[0.005, 0.6], mode="lines", line={"dash": "dot", "color": "#888"}, name="right"),
    ])  # fmt: skip
    figure.update_xaxes(type="log", title="predicted standard deviation")
    figure.update_yaxes(type="log", title="root mean square of the residuals")
    figure.update_layout(height=360, margin={"l": 60, "r": 10, "t": 10, "b": 50})
    ratio, error = variance.observed_over_predicted(of.model, of.codes.mean, of.x)
    numbers = {"images": len(of.x), "observed_over_predicted": ratio, "observed_over_predicted_standard_error": error}
    return Part(
        title="Calibration of the standard deviation", numbers=numbers,
        says=[
            f"On {len(of.x):,} images, each decoded at the mean of q(z|x). Over all pixels the residuals are "
            f"{signed(ratio, error, 3)} times as large as the σ predicted by the decoder; ± is the standard error over "
            "the images. Pixels are grouped by σ; on the dotted line σ is correct."
        ],
        figures=[drawn(figure, "Residuals against the predicted standard deviation, and the line where both agree")],
    )  # fmt: skip


def odd_images(of: Subject) -> Part:
    """How well the ELBO distinguishes odd images from ordinary ones."""
    images = of.dataset.test.images[:MANY]
    ordinary = of.elbo[: len(images)]
    rows = [["odd images", "AUROC of the ELBO"]]
    numbers: dict[str, Any] = {"images": len(images), "samples": ODD_SAMPLES}
    for kind in oddities.ODDITIES:
        x = of.model.pixels(oddities.odd(images, kind), generator(_NOISE))
        (bound,) = evaluation.evaluate(of.model, x, "elbo", samples=ODD_SAMPLES, generator=generator(_NOISE))
        scored = bound.value.numpy()
        value = oddities.auroc(ordinary, scored)
        error = oddities.auroc_error(ordinary, scored) if len(images) > 1 else None
        rows.append([kind.replace("_", " "), signed(value, error, 2)])
        numbers |= {kind: value, f"{kind}_standard_error": error}
    return Part(
        title="Odd images", numbers=numbers, table=rows,
        says=[
            f"{len(images)} held-out images, and odd versions of the same images. The area under the ROC curve is 1 if "
            "every odd image has a lower ELBO than every ordinary one, 0.5 for chance, and lower if odd images score "
            "higher, as very simple images often do. ± is its standard error over the images."
        ],
    )  # fmt: skip
