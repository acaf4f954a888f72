"""axe-core, the accessibility checker, from npm: fetched once a session, its contents checked."""

import base64
import hashlib
import io
import subprocess
import tarfile
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import Page

PACKAGE = "axe-core@4.14.1"
SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
SERIOUS = ("serious", "critical")
# The component that names the navigation's lists is loaded while the page already stands.
NAMED = "[...document.querySelectorAll('[data-testid=stSidebarNavItems] > div')].every(e => e.role === 'list')"


@cache
def _fetched() -> str | Exception:
    """Returns the script, or what kept it away."""
    try:
        with TemporaryDirectory() as folder:
            command = ["npm", "pack", PACKAGE, "--silent", "--pack-destination", folder]
            subprocess.run(command, check=True, capture_output=True, timeout=120, cwd=folder)
            content = next(Path(folder).glob("*.tgz")).read_bytes()
    except (OSError, subprocess.SubprocessError, StopIteration) as error:
        return error
    assert base64.b64encode(hashlib.sha512(content).digest()).decode() == SHA512, f"{PACKAGE} is not what it was"
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        file = archive.extractfile("package/axe.min.js")
        assert file is not None
        return file.read().decode()


def need_axe() -> None:
    """Skips a test, and says why, where npm or the network is missing; `violations` then finds none."""
    if isinstance(_fetched(), Exception):
        pytest.skip(f"{PACKAGE} from npm, so that no page was checked for accessibility")


def violations(page: Page) -> list[str]:
    """What axe finds on the page as it stands that is serious or worse, shadow roots included."""
    script = _fetched()
    if isinstance(script, Exception):
        return []
    page.wait_for_function(NAMED)
    page.evaluate(script)
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
    return [
        f"{each['impact']}: {each['help']} ({each['id']}) at {node['html'][:200]}: {node['failureSummary'][:300]}"
        for each in found
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]
