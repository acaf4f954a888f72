"""Steps of the page Decoder variance, each one idea: a title, and a function that draws it for each exhibit.

scene      the models side by side, the image in use, and what the steps share
score      their held-out ELBO, and the ceiling that 8-bit images set
maps       the mean standard deviation over the latent plane, and a decoded z
nats       log p(x|z) pixel by pixel
residuals  residuals against their predicted standard deviation
distance   both, as functions of the distance from the data
floors     log p(x|z) for other floors of the variance
"""
