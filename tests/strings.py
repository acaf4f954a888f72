"""Brings the catalogues of locale/ up to date with the code, and compiles them: `make strings`.

A new language begins as an empty file, locale/<code>/LC_MESSAGES/app.po; this fills it with what is to be translated.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from pages.ui import language
from vae import errors

ROOT = Path(__file__).parents[1]
KEYWORDS = {"_": None, "gettext": None}


def in_code() -> Catalog:
    """All that a visitor may read, in English: what the pages say, and what errors of the library do."""
    catalog = Catalog()
    for path in sorted((ROOT / "vae").rglob("*.py")):
        if "cli" not in path.parts:  # which speak to a shell
            for line, template in sentences(ast.parse(path.read_text(encoding="utf-8"))):
                catalog.add(template, locations=[(path.relative_to(ROOT).as_posix(), line)], context=language.ERROR)
    for path in sorted((ROOT / "pages").rglob("*.py")):
        for line, text, _comments, context in extract_from_file("python", path, keywords=KEYWORDS):
            catalog.add(text, locations=[(path.relative_to(ROOT).as_posix(), line)], context=context)
    return catalog


def sentences(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Lines and sentences of the errors that a module raises, with numbers for what is filled in: "{0} is missing.".

    Also the `steps` of a draft, warnings about the `sameness` of its images, the `notes` of readers of images,
    descriptions of sizes, and sentences about a model from elsewhere.
    """
    for node in ast.walk(tree):
        says: list[ast.expr] = []
        if isinstance(node, ast.Call) and ast.unparse(node.func) in (*errors.__all__, "Implausible") and node.args:
            says = [node.args[0]]
        elif isinstance(node, ast.Assign) and "message" in ast.unparse(node.targets[0]):  # what a training ended with
            says = list(within(node.value))
        elif isinstance(node, ast.FunctionDef) and node.name in ("steps", "sameness", "said_size", "scored", "told_kl"):
            says = list(within(node))
        elif isinstance(node, ast.keyword) and node.arg == "notes":  # by way of names and functions: all of the module
            says = [each for each in within(tree) if ast.unparse(each)[:-1].endswith(".")]
        for each in says:
            parts = each.values if isinstance(each, ast.JoinedStr) else [each]
            text = template(parts) if all(isinstance(part, ast.Constant | ast.FormattedValue) for part in parts) else ""
            if " " in text.strip():
                yield each.lineno, text


def within(node: ast.AST) -> Iterator[ast.Constant | ast.JoinedStr]:
    """The texts in a piece of code: f-strings as a whole, and no docstrings."""
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        yield node
    elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        for each in ast.iter_child_nodes(node):
            yield from within(each)


def template(parts: list[ast.expr]) -> str:
    """Writes the parts of an f-string as `str.format` takes them."""
    text, count = "", 0
    for part in parts:
        if isinstance(part, ast.Constant):
            text += str(part.value).replace("{", "{{").replace("}", "}}")
        else:
            text += f"{{{count}}}"
            count += 1
    return text


def catalogues() -> list[Path]:
    """The file of each language."""
    return sorted((ROOT / "locale").glob("*/LC_MESSAGES/app.po"))


def read(path: Path) -> Catalog:
    """Reads a catalogue."""
    with path.open("rb") as file:
        return read_po(file, path.parts[-3])


def main() -> None:
    """Takes new texts into each catalogue, drops those that are gone, and compiles it."""
    for path in catalogues():
        catalog = read(path)
        begun = catalog.creation_date
        catalog.update(in_code(), no_fuzzy_matching=True, update_header_comment=False)
        catalog.creation_date = begun  # a date that changes each time would only make conflicts
        catalog.obsolete.clear()
        with path.open("wb") as file:
            write_po(file, catalog, width=110, include_lineno=False)
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalog)
        missing = sum(not message.string for message in catalog if message.id)
        print(f"{path.relative_to(ROOT)}: {len(catalog)} texts, {missing} without a translation")


if __name__ == "__main__":
    main()
