"""Steps of the page Likelihood, each one idea: a title, and a function that draws it for the model and image in use.

chosen     the model and the images that the steps are about
race       the estimators against their number of samples; verdicts: log p(x), and which estimators reach it
mass       log p(x|z) and the posterior on the plane
gap        the ELBO's distance from log p(x), in two parts
sides      naive Monte Carlo for more and more dimensions
area       log p(x) as the area under the thermodynamic curve
cases      which estimator is closest, over many images
"""
