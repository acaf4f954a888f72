"""Uses of a trained model.

The wing depends on all floors below it.

    variance    the variance of the decoder: nats by pixel, calibration, floors
    classifier  a small classifier and its confidence in decoded samples, stored with the models
    features    accuracy of a linear probe and of nearest neighbours on codes, stored with the model
    oddities    unusual images, and how well a score detects them
"""

from vae.uses import classifier, features, oddities, variance

__all__ = ["classifier", "features", "oddities", "variance"]
