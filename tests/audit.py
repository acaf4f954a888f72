"""Asks osv.dev which packages of requirements.lock have known weaknesses: a part of `make check`.

One request for all of them, given up after five seconds: where its data cannot be had, one line says so.
"""

import json
import re
import sys
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parents[1] / "requirements.lock"
SERVICE = "https://api.osv.dev/v1/querybatch"
PATIENCE = 5  # seconds


def locked(text: str) -> dict[str, str]:
    """The versions of packages in a lock file, by their names."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))


def weaknesses(packages: dict[str, str], service: str = SERVICE) -> dict[str, list[str]]:
    """The known weaknesses of packages, by name and version.

    Raises:
        OSError, ValueError, KeyError, TypeError: the service cannot be reached, or answers something else.
    """
    queries = [
        {"package": {"name": name, "ecosystem": "PyPI"}, "version": version} for name, version in packages.items()
    ]
    request = urllib.request.Request(service, json.dumps({"queries": queries}).encode())

    def ask() -> Any:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.loads(answer.read())["results"]

    results = within(PATIENCE, ask)
    if len(results) != len(packages):
        raise ValueError(f"{len(results)} answers to {len(packages)} questions")
    found = zip(packages.items(), results, strict=True)
    return {
        f"{name} {version}": [each["id"] for each in result["vulns"]]
        for (name, version), result in found
        if result.get("vulns")
    }


def within(seconds: float, work: Callable[[], Any]) -> Any:
    """Returns what work gives, left behind after so many seconds: the look-up of a name knows no limit."""
    ended: list[tuple[Any, Exception | None]] = []

    def run() -> None:
        try:
            ended.append((work(), None))
        except Exception as error:
            ended.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not ended:
        raise TimeoutError(f"no answer within {seconds:g} s")
    value, error = ended[0]
    if error:
        raise error
    return value


def main(service: str = SERVICE) -> int:
    """Prints what is known; returns 1 where a package has a weakness."""
    packages = locked(LOCK.read_text())
    try:
        found = weaknesses(packages, service)
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"Dependencies were not audited: {service} does not answer as it should ({error}).")
        return 0
    for package, names in found.items():
        print(f"{package} has known weaknesses: {', '.join(names)}. See https://osv.dev/{names[0]}")
    if not found:
        print(f"None of the {len(packages)} packages in {LOCK.name} has a known weakness.")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
