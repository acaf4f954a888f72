"""Made data/pythae/ and data/pythae.json, with pythae 0.1.2 itself.

    python3.11 -m venv pythae-environment
    pythae-environment/bin/pip install torch pythae==0.1.2
    pythae-environment/bin/python tests/interchange/make_pythae.py

`data/pythae` is a folder as pythae saves it, of a VAE trained for a few steps on images of 2 x 3. `data/pythae.json`
says what pythae's models give for `images` and `codes` where their weights are those of `weights`: the convolutional
networks have millions, which a formula keeps out of the repository.
"""

import json
import math
import shutil
import tempfile
from pathlib import Path

import torch
from torch import Tensor

DATA = Path(__file__).parent / "data"
SHAPES = {"mnist": (1, 28, 28), "cifar": (3, 32, 32), "celeba": (3, 64, 64)}
KEPT = 40  # numbers of a reconstruction, spread over it


def images(count: int, shape: tuple[int, ...]) -> Tensor:
    """Images (count, C, H, W) in (0, 1)."""
    return (
        (torch.arange(count * math.prod(shape), dtype=torch.float64).mul(0.37).sin() * 0.5 + 0.5)
        .float()
        .reshape(count, *shape)
    )


def codes(count: int, latent: int) -> Tensor:
    """Codes (count, latent)."""
    return torch.arange(count * latent, dtype=torch.float64).add(1).mul(1.7).sin().float().reshape(count, latent)


def weights(shapes: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Weights by a formula, such that no activation dies or grows."""
    state = {}
    for place, (name, shape) in enumerate(sorted(shapes.items())):
        values = torch.arange(math.prod(shape), dtype=torch.float64).add(place).mul(0.7).sin()
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(1)
        elif name.endswith("running_var"):
            state[name] = (values * 0.4 + 1).float().reshape(shape)
        else:
            state[name] = (
                (values * (1.5 / math.sqrt(math.prod(shape[1:])) if len(shape) > 1 else 0.3)).float().reshape(shape)
            )
    return state


def spread(x: Tensor) -> Tensor:
    """Some numbers of each row."""
    rows = x.reshape(len(x), -1)
    return rows[:, :: max(1, rows.shape[1] // KEPT)]


def main() -> None:
    from pythae.models import IWAE, VAE, VAMP, BetaVAE, BetaVAEConfig, IWAEConfig, VAEConfig, VAMPConfig
    from pythae.models.nn.benchmarks import celeba, cifar, mnist

    kinds = {"VAE": (VAE, VAEConfig), "BetaVAE": (BetaVAE, BetaVAEConfig), "IWAE": (IWAE, IWAEConfig)}
    found = []
    for kind, loss, networks in [
        ("VAE", "bce", None),
        ("VAE", "mse", None),
        ("BetaVAE", "mse", None),
        ("IWAE", "bce", None),
        ("VAE", "bce", "mnist"),
        ("BetaVAE", "mse", "cifar"),
        ("VAE", "mse", "celeba"),
    ]:
        shape = SHAPES.get(networks, (3, 4, 5))
        make, config_of = kinds[kind]
        config, parts = config_of(input_dim=shape, latent_dim=2, reconstruction_loss=loss), {}
        if networks:
            module = {"mnist": mnist, "cifar": cifar, "celeba": celeba}[networks]
            parts = {
                "encoder": getattr(module, f"Encoder_Conv_VAE_{networks.upper()}")(config),
                "decoder": getattr(module, f"Decoder_Conv_AE_{networks.upper()}")(config),
            }
        model = make(config, **parts).eval()
        shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
        model.load_state_dict(weights(shapes))
        x, z = images(2, shape), codes(2, 2)
        with torch.inference_mode():
            q, p = model.encoder(x), model.decoder(z).reconstruction.reshape(2, *shape)
            _, recon, kl = VAE.loss_function(model, p, x, q.embedding, q.log_covariance, z)
        found.append(
            {
                "config": json.loads(config.to_json_string()),
                "shapes": shapes,
                "mean": q.embedding.tolist(),
                "log_variance": q.log_covariance.tolist(),
                "reconstruction": spread(p).tolist(),
                "reconstruction_loss": recon.item(),
                "kl": kl.item(),
            }
        )
    other = VAMP(VAMPConfig(input_dim=(1, 2, 3), latent_dim=2))
    refused = {"config": json.loads(other.model_config.to_json_string())}
    (DATA / "pythae.json").write_text(json.dumps({"models": found, "vamp": refused}, separators=(",", ":")) + "\n")

    torch.manual_seed(0)
    model = VAE(VAEConfig(input_dim=(1, 2, 3), latent_dim=2, reconstruction_loss="bce"))
    optimiser, x = torch.optim.Adam(model.parameters(), 1e-2), images(16, (1, 2, 3))
    for _ in range(50):
        optimiser.zero_grad()
        model({"data": x}).loss.backward()
        optimiser.step()
    folder = DATA / "pythae"
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as place:
        model.save(place)
        shutil.copytree(place, folder)
    model.eval()
    with torch.inference_mode():
        q, p = model.encoder(x[:3]), model.decoder(codes(3, 2)).reconstruction
    said = {"mean": q.embedding.tolist(), "log_variance": q.log_covariance.tolist(), "reconstruction": p.tolist()}
    (DATA / "pythae_trained.json").write_text(json.dumps(said) + "\n")


if __name__ == "__main__":
    main()
