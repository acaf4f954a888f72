"""The modules of pages/ui/browser/modules: what they import is there, and Python knows where each component begins.

`make check` has TypeScript's checker and Biome look at them too, where npm is.
"""

import re
from pathlib import Path

from tests.test_architecture import LONGEST

ROOT = Path(__file__).parents[1]
MODULES = ROOT / "pages" / "ui" / "browser" / "modules"
BEGINS = "\nexport default function"  # of a component
ALONE = "alone.js"  # with which a file begins that holds them itself
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in sorted(MODULES.glob("*.js"))}

IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([^"]+)";$', re.MULTILINE)
EXPORT = re.compile(r"^export (?:async )?(?:function\*?|class|const) (\w+)", re.MULTILINE)


def test_what_a_module_imports_is_exported() -> None:
    for name, text in TEXTS.items():
        statements = IMPORT.findall(text)
        assert len(statements) == len(re.findall(r"^import\b", text, re.MULTILINE)), f"{name} imports in another form"
        for names, source in statements:
            wanted = {each.strip().partition(" as ")[0] for each in names.split(",") if each.strip()}
            assert source in TEXTS, f"{name} imports from {source}"
            exported = {*EXPORT.findall(TEXTS[source]), *(["default"] if BEGINS in TEXTS[source] else [])}
            assert wanted <= exported, f"{name} imports {wanted} from {source}"


def test_components_begin_at_modules_with_a_default_export() -> None:
    python = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "pages").rglob("*.py"))
    components = {f"{name}.js" for name in re.findall(r'\bcomponent\("(\w+)"\)', python)}
    assert components == {name for name, text in TEXTS.items() if BEGINS in text}


def test_every_module_is_part_of_a_component_or_of_the_map_as_a_file() -> None:
    reached = {name for name, text in TEXTS.items() if BEGINS in text} | {ALONE}
    while more := {source for name in reached for _, source in IMPORT.findall(TEXTS[name])} - reached:
        reached |= more
    assert reached == set(TEXTS)


def test_the_folder_that_is_served_holds_nothing_else() -> None:
    assert {path.name for path in MODULES.rglob("*")} == set(TEXTS)


def test_modules_are_short_enough_to_read() -> None:
    lengths = {name: len(text.splitlines()) for name, text in TEXTS.items()}
    assert not [f"{name}: {lines} lines" for name, lines in lengths.items() if lines > LONGEST]
