"""Quantities are "per" something: nats per image, images per second, and never "nats an image"."""

import re

from tests.test_architecture import ROOT

UNITS = "image|pixel|second|step|side|epoch|line|row|unit|axis|dimension|class|folder"
COUNTED = "nats|bits|images|draws|values|numbers?|pixels|steps|nodes|samples?|labels?|rows?|bytes|decodes"
CLIPPED = re.compile(rf"\b(?:{COUNTED}) an? (?:{UNITS})\b")
RIGHT = re.compile(r"\b(?:how many|same) (?:numbers|pixels) an? image has")


def test_quantities_are_per_something() -> None:
    files = [*ROOT.glob("vae/**/*.py"), *ROOT.glob("pages/**/*.py"), *ROOT.glob("pages/**/*.js"), ROOT / "README.md"]
    assert len(files) > 200 and CLIPPED.search("1.5 nats an image") and not CLIPPED.search("images a visitor drew")
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in files
        for match in CLIPPED.finditer(RIGHT.sub("", path.read_text(encoding="utf-8")))
    ]
    assert not found
