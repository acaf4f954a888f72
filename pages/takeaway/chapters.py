"""The notebook of a chapter of the lesson: the computation that the chapter is about."""

from pages import cache
from pages.learn import kit
from pages.takeaway import cells
from pages.takeaway.view import View

TERMS = """bound = vae.elbo(model, x, 2000, vae.generator(1))
kl = float(torch.distributions.kl_divergence(model.encoder(x), model.prior))
value = float(bound.value[0])
print(f"reconstruction {value + kl:,.2f} - KL {kl:.2f} = ELBO {value:,.2f} nats")"""
SPREAD = """from vae.uses import variance

decoded = vae.decode(model, vae.encode(model, dataset.test.images).mean[[row]])
background, edges, ink = variance.deviation_by_level(decoded.mean[0], decoded.deviation[0])
print(f"mean standard deviation: {background:.3f} in the background, {edges:.3f} at edges, {ink:.3f} inside strokes")"""
POSTERIOR = """posterior = vae.posterior(model, x)
print(f"log p(x) = {posterior.log_p:,.2f} nats, KL[p(z|x) || p(z)] = {posterior.kl_prior:.2f} nats")"""
NAIVE = """for estimate in vae.naive_monte_carlo_path(model, x, (10, 100, 1000, 10_000), vae.generator(0)):
    print(f"{estimate.samples:,} samples: {float(estimate.value[0]):,.1f} nats")
print(f"log p(x) = {vae.posterior(model, x).log_p:,.1f} nats")"""
GAP = """from vae.evidence import gaps

log_p = vae.posterior(model, x).log_p
first, *_, best = gaps.refine(model, x, generator=vae.generator(0))
print(f"KL[q || p(z|x)] = {log_p - float(first.elbo[0]):.3f} nats for the encoder's q,")
print(f"{log_p - float(best.elbo[0]):.3f} nats for the best Gaussian")"""
DERIVATION = """from vae.derivation import derive

found = derive(model, x, generator=vae.generator(0))
print(f"ELBO {found.bound.value:,.2f} + KL[q || p(z|x)] {found.gap.value:.3f} = {found.log_p.value:,.2f} nats")"""
GRADIENTS = """from vae.derivation import gradient_draws

found = gradient_draws(model, x, 4000, vae.generator(0))
for name in found._fields:
    print(f"{name}: {found.ratio(name):,.1f} times the variance of the reparameterised gradient")"""
REGULARISER = """from vae.derivation import regulariser

q = model.encoder(x).base_dist
mean, deviation = q.loc[0].numpy(), q.scale[0].numpy()
found = regulariser.running_estimate(mean, deviation, np.array([100_000]), vae.generator(0))
print(f"closed form {-sum(part.sum() for part in regulariser.paid(mean, deviation)):.4f} nats,")
print(f"100,000 samples {found.value[0]:.4f}, standard error {found.error[0]:.4f}")"""
ODD = """from vae.uses import oddities

images = dataset.test.images[:300]
scores = [
    vae.elbo(model, model.pixels(each, vae.generator(0)), 10, vae.generator(1)).value.numpy()
    for each in (images, oddities.odd(images, "black"))
]
print(f"a test image scores higher than a black one with probability {oddities.auroc(*scores):.3f}")"""
SURGERY = """from vae.latent import surgery

found = surgery.surgery(vae.encode(model, dataset.train.images))
print(f"mean KL {found.mean_kl:.3f} nats = {found.mutual_information:.2f} + {found.marginal_kl:.2f}")"""

# What a chapter computes and the values of J that this requires; the other chapters compute the terms of the bound.
COMPUTED: dict[str, tuple[str, tuple[int, ...]]] = {
    "1": (SPREAD, ()),
    "2": (POSTERIOR, (2,)),
    "3": (NAIVE, (2,)),
    "4": (GAP, (2,)),
    "5": (DERIVATION, (1, 2)),
    "7": (GRADIENTS, ()),
    "8": (REGULARISER, ()),
    "12": (ODD, ()),
    "14": (SURGERY, ()),
}


def suited(view: View) -> tuple[View, str]:
    """Returns the view with a model that suits the open chapter, and why it is another one, or ""."""
    _cell, sizes = COMPUTED.get(view.chapter, (TERMS, ()))
    record = cache.record(view.model[0])
    if record.autoencoder:
        why = "is a plain autoencoder, which has no p(x)"
    elif sizes and record.model.latent not in sizes:
        why = f"has J = {record.model.latent}, and this chapter needs J = {' or '.join(map(str, sizes))}"
    else:
        return view, ""
    return view.of(cache.model_id(kit.PLANE)), why


def lesson(view: View) -> tuple[str, str, list[str]]:
    """Returns title, description and cells for the open chapter, with a model that suits it."""
    cell, _sizes = COMPUTED.get(view.chapter, (TERMS, ()))
    says = f"This notebook repeats the main computation of the chapter for test image {view.row}, the one on the page."
    return f"Lesson, chapter {view.chapter}: {view.model[0]}", says, [cells.load(view), cells.pixels(view), cell]
