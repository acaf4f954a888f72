"""Networks of other programs: read from their files, which stay data, and written for other programs.

The wing stands on `vae.model`, `vae.data` and `vae.latent`.

    found        Found: an encoder and a decoder that fit each other, checked
    layouts      the orders in which programs lay images out
    bring        a VAE of networks and of what their owner says of pixels and likelihood
    inspection   inspect: a VAE from a script or a notebook, kept as a model
"""

from vae.interchange.bring import Pixels, bring
from vae.interchange.found import GIVES, Found, Gives, found
from vae.interchange.inspection import inspect

__all__ = ["GIVES", "Found", "Gives", "Pixels", "bring", "found", "inspect"]
