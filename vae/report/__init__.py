"""What is inside a trained VAE, as one file that a practitioner sends to a colleague.

The wing stands on all floors below it.

    parts      one part of the report: sentences, numbers, a table, pictures, figures
    evidence   what the model says of held-out images: bounds, log p(x), where the nats go
    latent     what lies in the latent space: dimensions, q(z) against the prior, probes
    images     what the model makes: reconstructions, traversals, draws and the training images nearest to them
    reports    all parts of a model, kept beside it
    page       one or several reports as one HTML file that needs no network
    notebooks  cells as a Jupyter notebook
"""

from vae.report.notebooks import Cell, notebook
from vae.report.page import page
from vae.report.parts import Part
from vae.report.reports import Report, is_report_on, kept_report, make_report, report_file, write_report

__all__ = [
    "Cell", "Part", "Report", "is_report_on", "kept_report", "make_report", "notebook", "page", "report_file",
    "write_report",
]  # fmt: skip
