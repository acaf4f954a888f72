"""How quick the app stays while a model trains beside it: from a key press to the picture that the server made of it.

    python -m benchmarks.beside      # two minutes; needs Chromium, as the browser tests do

An arrow key on the map of a model whose decoder is so large that the server decodes, alternately with the training
paused and running.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

import vae
from benchmarks.measure import machine, say, table
from tests.browser import chromium
from tests.browser.conftest import QUIET, running_app
from tests.browser.test_map import MAP, open_map
from vae import jobs

PRESS_ON_MAP = f"""() => new Promise((done) => {{
    const map = {MAP}.latentMap, before = map.answer.z[0], start = performance.now()
    map.stage.dispatchEvent(new KeyboardEvent('keydown', {{ key: before < 0 ? 'ArrowRight' : 'ArrowLeft' }}))
    const look = () => (map.answer.z[0] !== before && !map.mean.figure.classList.contains('stale')
        ? done(performance.now() - start) : requestAnimationFrame(look))
    look() }})"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=4, help="how often each runs (%(default)s)")
    parser.add_argument("--presses", type=int, default=25, help="keys in a round (%(default)s)")
    chosen = parser.parse_args()
    print(f"# {machine()}")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        os.environ["VAE_CHECKPOINTS"] = str(Path(name) / "checkpoints")
        make_wide()
        with running_app(Path(name)) as url:
            browser = launched(playwright)
            measure(url, browser.new_page(), chosen.rounds, chosen.presses)
            browser.close()


def launched(playwright: Playwright) -> Browser:
    """Starts the Chromium that the browser tests take."""
    args = QUIET + ["--no-sandbox"] * (os.geteuid() == 0)
    return playwright.chromium.launch(executable_path=chromium.find(), args=args)


def make_wide() -> None:
    """Saves a model `wide` whose decoder is too large for the browser, so that the server decodes."""
    wide = vae.ModelConfig(encoder_layers=(8,), decoder_layers=(64, 10_000, 1600, 8))
    vae.save(vae.build(wide), vae.Record(name="wide", model=wide, training=vae.TrainConfig(data="mnist-sample")))


def measure(url: str, page: Page, rounds: int, presses: int) -> None:
    """Prints the table."""
    box = open_map(page, f"{url}/?model=wide").bounding_box()
    assert box
    page.mouse.move(box["x"] + 50, box["y"] + 60)
    page.wait_for_function(f"{MAP}.latentMap.answer", timeout=60_000)
    jobs.start("beside", vae.ModelConfig(), vae.TrainConfig(epochs=1000))
    until("running")
    times: dict[str, list[float]] = {"paused": [], "running": []}
    for number in range(rounds):
        for state, took in times.items():
            say(f"round {number + 1} of {rounds}: {state}")
            (jobs.pause if state == "paused" else jobs.resume)("beside")
            until("paused" if state == "paused" else "running")
            for _ in range(presses):
                took.append(float(page.evaluate(PRESS_ON_MAP)))
                page.wait_for_timeout(300)
    while not (reports := jobs.history("beside")):
        time.sleep(1)
    jobs.stop("beside")
    rows = [
        [name, f"{statistics.median(took):.0f}", f"{statistics.quantiles(took, n=20)[-1]:.0f}", f"{max(took):.0f}"]
        for name, took in times.items()
    ]
    head = ["state of the training", "median, ms", "95th percentile, ms", "largest, ms"]
    table(
        f"From a key to its picture beside a training, {rounds * presses} keys each",
        head,
        rows,
        f"The training: {reports[-1].images_per_second:,.0f} images per second.",
    )


def until(state: str) -> None:
    """Waits until the training is in a state."""
    while (job := jobs.status("beside")) is None or job.state != state:
        if job and not job.busy:
            raise SystemExit(f"The training ended: {job}.")
        time.sleep(0.2)


if __name__ == "__main__":
    main()
