"""Reports as one HTML file: it opens from disk, needs no network, and can be printed."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import escape

from plotly.offline import get_plotlyjs

from vae.report.parts import Part
from vae.report.reports import Report

__all__ = ["page"]

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2530; --ground: #fff; --line: #d5dce4; --soft: #5b6775; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4eaf1; --ground: #0e1318; --line: #2b3743; --soft: #9aa7b5; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); margin: 0 auto;
       max-width: 1100px; padding: 1rem 1.2rem 4rem; }
h1 { font-size: 1.7rem; }
h2 { font-size: 1.25rem; margin: 2.4rem 0 0.4rem; border-top: 1px solid var(--line); padding-top: 1.2rem; }
.models { display: grid; gap: 2rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); }
.models > div { min-width: 0; } p { max-width: 46rem; }
table { border-collapse: collapse; margin: 0.6rem 0; display: block; overflow-x: auto;
        font-variant-numeric: tabular-nums; }
td, th { padding: 0.25rem 0.8rem 0.25rem 0; text-align: left; border-bottom: 1px solid var(--line);
         vertical-align: top; }
figure { margin: 0.8rem 0; } figcaption { color: var(--soft); font-size: 0.9rem; }
img { max-width: 100%; image-rendering: pixelated; border-radius: 4px; }
@media print { body { max-width: none; } h2 { break-after: avoid; } figure, table { break-inside: avoid; } }
"""
# in the colours of the page, so that a picture that is saved has a background too, and can be read anywhere
_DRAW = """
function draw() {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const [ground, ink, line] = ["--ground", "--ink", "--line"].map(colour);
  const axis = (given) => ({ ...given, gridcolor: line, zerolinecolor: line, linecolor: line });
  for (const place of document.querySelectorAll("[data-figure]")) {
    const figure = JSON.parse(document.getElementById(place.dataset.figure).textContent);
    const { layout, ...rest } = figure.layout.template ?? {};
    const own = { ...layout, paper_bgcolor: ground, plot_bgcolor: ground, font: { ...layout?.font, color: ink } };
    const template = { ...rest, layout: { ...own, xaxis: axis(own.xaxis), yaxis: axis(own.yaxis) } };
    const toImageButtonOptions = { filename: place.dataset.file };
    Plotly.react(place, figure.data, { ...figure.layout, template, autosize: true },
      { displaylogo: false, responsive: true, toImageButtonOptions });
  }
}
draw();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
"""


def page(reports: Sequence[Report], made: str = "") -> str:
    """Returns reports as HTML, several side by side.

    Arguments:
        reports: at least one; the main one comes first.
        made: a line for the foot of the page: when and by what it was made.
    """
    titles = list(dict.fromkeys(part.title for report in reports for part in report.parts))
    names = ", ".join(report.name for report in reports)
    pieces, figures = [f"<h1>Inside {escape(names)}</h1>"], 0
    for title in titles:
        pieces.append(f"<h2>{escape(title)}</h2><div class='models'>")
        for report in reports:
            pieces.append("<div>" + (f"<h3>{escape(report.name)}</h3>" if len(reports) > 1 else ""))
            part = next((each for each in report.parts if each.title == title), None)
            if part is None:
                pieces.append("<p>Does not apply to this model.</p></div>")
                continue
            pieces += [f"<p>{escape(sentence)}</p>" for sentence in part.says]
            if part.table:
                pieces.append(_table(part.table))
            for uri, caption in part.pictures:
                alt = escape(caption, quote=True)
                pieces.append(
                    f"<figure><img src='{escape(uri, quote=True)}' alt='{alt}'><figcaption>{alt}</figcaption></figure>"
                )
            for figure, shows in part.figures:
                figures += 1
                data = json.dumps(json.loads(figure)).replace("<", "\\u003c")
                pieces.append(
                    f"<figure><div data-figure='figure{figures}' data-file='{_file(report, part)}' role='img' "
                    f"aria-label='{escape(shows, quote=True)}'></div>"
                    f"<figcaption>{escape(shows)}</figcaption></figure>"
                    f"<script type='application/json' id='figure{figures}'>{data}</script>"
                )
            pieces.append("</div>")
        pieces.append("</div>")
    script = f"<script>{get_plotlyjs()}</script><script>{_DRAW}</script>" if figures else ""
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>Inside {escape(names)}</title><style>{_STYLE}</style></head><body>{''.join(pieces)}"
        f"<p><small>{escape(made)}</small></p>{script}</body></html>"
    )


def _table(rows: list[list[str]]) -> str:
    head, *body = ([escape(cell) for cell in row] for row in rows)
    top = "".join(f"<th scope='col'>{cell}</th>" for cell in head)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in body)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table>"


def _file(report: Report, part: Part) -> str:
    """Returns the file name of a figure."""
    return re.sub(r"[^a-z0-9]+", "-", f"{report.name} {part.title}".lower()).strip("-")
