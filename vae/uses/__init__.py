"""Uses of a trained model.

The wing depends on all floors below it.

    variance    the variance of the decoder: nats by pixel, calibration, floors
    classifier  a small classifier and its confidence in decoded samples, stored with the models
    probe       a classifier on decoded means: planes, doubt, typical images, reconstructions
    flips       the nearest latent that is classified differently, and the path to it
    features    accuracy of a linear probe and of nearest neighbours on codes, stored with the model
    oddities    unusual images, and how well a score detects them
"""

from vae.uses import classifier, features, flips, oddities, probe, variance

__all__ = ["classifier", "features", "flips", "oddities", "probe", "variance"]
