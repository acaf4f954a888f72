"""Brings the catalogues of locale/ up to date with the code, and compiles them: `make strings`.

A new language begins as an empty file, locale/<code>/LC_MESSAGES/app.po; this fills it with what is to be translated.
"""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
KEYWORDS = {"_": None, "gettext": None}


def in_code() -> Catalog:
    """All that a visitor may read, in English: what the pages say."""
    catalog = Catalog()
    for path in sorted((ROOT / "pages").rglob("*.py")):
        for line, text, _comments, context in extract_from_file("python", path, keywords=KEYWORDS):
            catalog.add(text, locations=[(path.relative_to(ROOT).as_posix(), line)], context=context)
    return catalog


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
