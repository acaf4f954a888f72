"""Finds a Chromium for the tests; run as a script, also installs one where there is none, and prints its path."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PLAYWRIGHTS_OWN = """
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
"""
MISSING = (
    "No Chromium was found for the browser tests: install chromium or google-chrome, "
    "or set CHROMIUM to the path of one that starts."
)


def find() -> str | None:
    """Return the path of a Chromium that starts: CHROMIUM, one on the PATH, or Playwright's own; None without one."""
    if named := os.environ.get("CHROMIUM"):
        return named if starts(named) else None
    for path in filter(None, map(shutil.which, NAMES)):
        if starts(path):
            return path
    own = subprocess.run([sys.executable, "-c", PLAYWRIGHTS_OWN], capture_output=True, text=True).stdout.strip()
    return own if own and starts(own) else None


def starts(path: str) -> bool:
    # A file alone says little: Ubuntu's chromium-browser only points to a snap, Playwright's own may lack libraries.
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def install() -> str | None:
    """Install Debian's Chromium when root, else Playwright's own, and return its path; None when neither starts."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Debian's chromium for the browser tests.", file=sys.stderr)
        if quiet("apt-get", "update"):
            quiet("apt-get", "install", "-y", "--no-install-recommends", "chromium")
        if path := find():
            return path
    print("Installing Playwright's Chromium for the browser tests.", file=sys.stderr)
    quiet(sys.executable, "-m", "playwright", "install", "chromium")
    return find()


def quiet(*command: str) -> bool:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0


if __name__ == "__main__":
    chromium = find()
    if chromium is None and "CHROMIUM" not in os.environ:
        chromium = install()
    print(chromium) if chromium else sys.exit(MISSING)
