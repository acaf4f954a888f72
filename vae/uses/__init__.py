"""What a trained model is good for.

The wing stands on all floors below it.

    variance    what the decoder's variance does: nats by pixel, calibration, floors
    classifier  a small classifier that says how sure it is of decoded draws, kept beside the models
    probe       what a classifier says of decoded means: planes, doubt, typical images, reconstructions
    flips       the nearest place that it sees as another class, and the way there
    features    accuracy of a linear probe and of nearest neighbours on codes, kept beside the model
    oddities    odd images, and how well a score tells them apart
"""

from vae.uses import classifier, features, flips, oddities, probe, variance

__all__ = ["classifier", "features", "flips", "oddities", "probe", "variance"]
