"""A report on a trained VAE, as one file that can be sent to a colleague.

The wing depends on all floors below it.

    parts      one part of the report: sentences, numbers, a table, pictures, figures
    evidence   the model on held-out images: bounds, log p(x), and the gap between them
    latent     the latent space: dimensions, q(z) compared with the prior, probes
    images     images by the model: reconstructions, traversals, samples and the training images nearest to them
    reports    all parts for a model, stored with it
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
