"""What a class waits for: from the click on Train to the first picture of the forming map, and to one with classes.

    python -m benchmarks.click      # some minutes; needs Chromium, as the browser tests do

Page Train in a real browser, preset `quick-2d`, with and without the process that waits for a training (`jobs.prepare`)
in turn. A map has classes once the nearest neighbour of a test image, by its code, has the label of the image for 60 %
of the 1,000 that are kept.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from playwright.sync_api import Page, sync_playwright

import vae
from benchmarks.beside import launched
from benchmarks.measure import machine, say, spread, table
from tests.browser.conftest import running_app, settle
from vae import jobs
from vae.errors import CheckpointError

AGREE = 0.6
HANG = 600_000  # milliseconds
TARGETS = {"first picture": 3.0, "map with classes": 10.0}
DRAWN = "root => Boolean(root.latentReplay?.data?.live && root.latentReplay.codes)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="how often each runs (%(default)s)")
    chosen = parser.parse_args()
    print(f"# {machine()}")
    seconds: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        os.environ["VAE_CHECKPOINTS"] = str(Path(name) / "checkpoints")
        with running_app(Path(name)) as url:
            browser = launched(playwright)
            for number in range(chosen.rounds):
                for variant in ("one process waits", "none waits"):
                    say(f"round {number + 1} of {chosen.rounds}: {variant}")
                    found = seconds.setdefault(variant, {what: [] for what in TARGETS})
                    page = browser.new_page()
                    page.set_default_timeout(HANG)
                    for what, took in measured(url, page, variant == "one process waits").items():
                        found[what].append(took)
                    page.close()
            browser.close()
    rows = [[variant, *(spread(found[what]) for what in TARGETS)] for variant, found in seconds.items()]
    head = ["`quick-2d`", *(f"{what}, s (target {most:g})" for what, most in TARGETS.items())]
    table("From the click on Train", head, rows)


def measured(url: str, page: Page, waits: bool) -> dict[str, float]:
    """Trains from the page, and returns the seconds to each."""
    page.goto(f"{url}/train")
    settle(page)
    page.get_by_text(re.compile(r"about .+ on this machine")).first.wait_for()
    time.sleep(5)  # so that the process waits, with all that it loads
    if not waits:
        for process in psutil.process_iter(["cmdline"]):
            if "spares.wait()" in " ".join(process.info["cmdline"] or []):
                process.kill()
    name = page.get_by_label("Name", exact=True).input_value()
    began = time.perf_counter()
    page.get_by_role("button", name="Train", exact=True).click()
    while not page.locator(".replay").evaluate(DRAWN):  # it lies in a shadow tree, which only locators enter
        time.sleep(0.02)
    first = time.perf_counter() - began
    second = math.nan
    while math.isnan(second) and jobs.running():
        time.sleep(0.1)
        if agreement(name) >= AGREE:
            second = time.perf_counter() - began
    if math.isnan(second):
        say(f"the training ended with {agreement(name):.0%} of the images beside one of their class")
    jobs.stop(name)
    while jobs.running():
        time.sleep(0.2)
    return dict(zip(TARGETS, (first, second), strict=True))


def agreement(name: str) -> float:
    """The share of images whose nearest neighbour by the newest codes has their label."""
    try:
        kept = jobs.replay.replay(vae.model.folders()[0] / name)
    except CheckpointError:
        return 0.0
    if kept is None or not len(kept.codes):  # the training has not saved one yet
        return 0.0
    labels = vae.load_dataset("mnist-sample" if not vae.data.available("mnist") else "mnist").test.labels[kept.rows]
    codes = kept.codes[-1]
    squares = (codes**2).sum(1)
    apart = squares[:, None] + squares - 2 * codes @ codes.T
    np.fill_diagonal(apart, np.inf)
    return float((labels.numpy()[apart.argmin(1)] == labels.numpy()).mean())


if __name__ == "__main__":
    main()
