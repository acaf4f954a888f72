"""Nothing that a visitor reads is missing in any language, and each says what the English says."""

import ast
import gettext
import re
import string
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message

from tests import strings

MARKUP = re.compile(r"`[^`]*`|\$[^$]*\$|:material/\w+:")  # code, formulas and icons, the same in all languages


def texts(catalog: Catalog) -> dict[tuple[str | None, str], Message]:
    return {(message.context, str(message.id)): message for message in catalog if message.id}


def placeholders(text: str) -> Counter[tuple[str, str | None, str | None]]:
    """The fields that `str.format` would fill, with how they are written."""
    return Counter(
        (name, form, conversion) for _, name, form, conversion in string.Formatter().parse(text) if name is not None
    )


@pytest.fixture(params=strings.catalogues(), ids=lambda path: path.parts[-3])
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_there_is_chinese() -> None:
    assert "zh" in [path.parts[-3] for path in strings.catalogues()]


def test_every_text_is_in_the_catalogue_and_no_other(path: Path) -> None:
    in_code, translated = texts(strings.in_code()), texts(strings.read(path))
    assert sorted(in_code.keys() - translated.keys(), key=str) == [], "not in the catalogue: make strings"
    assert sorted(translated.keys() - in_code.keys(), key=str) == [], "no longer in the code: make strings"


def test_every_text_is_translated(path: Path) -> None:
    catalog = strings.read(path)
    assert [message.id for message in texts(catalog).values() if not message.string] == []
    assert [message.id for message in texts(catalog).values() if message.fuzzy] == []


def test_translations_keep_placeholders_code_and_formulas(path: Path) -> None:
    slips = []
    for (_, english), message in texts(strings.read(path)).items():
        said = str(message.string)
        try:
            same = placeholders(english) == placeholders(said)
        except ValueError:  # braces of LaTeX, in a text that is never formatted
            same = True
        if not same or Counter(MARKUP.findall(english)) != Counter(MARKUP.findall(said)):
            slips.append(f"{english!r} is said as {said!r}")
    assert not slips, "\n".join(slips)


def test_what_the_app_reads_is_what_was_translated(path: Path) -> None:
    with path.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for (context, english), message in texts(strings.read(path)).items():
        said = compiled.gettext(english) if context is None else compiled.pgettext(context, english)
        assert said == message.string, f"{path.with_suffix('.mo')} is older than {path.name}: make strings"


# What a visitor reads: the first argument of these, and these arguments of anything.
SHOWING = {
    *(
        "ask",
        "button",
        "caption",
        "checkbox",
        "download_button",
        "error",
        "expander",
        "file_uploader",
        "header",
        "info",
    ),
    *("form_submit_button", "image", "link_button", "markdown", "metric", "multiselect", "note", "number_input"),
    *("page_link", "pills", "popover", "progress", "radio", "segmented_control", "select_slider", "selectbox", "show"),
    *("slider", "spinner", "status", "subheader", "success", "tabs", "text", "text_area", "text_input", "title"),
    *("toast", "toggle", "warning", "words", "write"),
}
READ = {"alt", "body", "caption", "captions", "help", "label", "name", "placeholder", "text", "title"}
ALLOWED = {"data:image/", ";base64,", "data:image/png;base64,"}
FORMULA = re.compile(r":material/\w+:|\$[^$]*\$|`[^`]*`|\\[A-Za-z]+|<[^>]*>")


def literals(node: ast.AST) -> Iterator[ast.Constant]:
    """The texts that an expression is made of, as far as no `_()` has translated them."""
    if isinstance(node, ast.Constant):
        yield node
    elif isinstance(node, ast.JoinedStr | ast.BinOp | ast.IfExp | ast.FormattedValue):
        for part in ast.iter_child_nodes(node):
            yield from literals(part)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("format", "join"):
        yield from literals(node.func.value)


def bypassing(tree: ast.AST) -> Iterator[ast.Constant]:
    """Texts with words in them that are shown as they are."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        shown = call.args[: 2 if name == "progress" else 1] if name in SHOWING else []
        for argument in [*shown, *(word.value for word in call.keywords if word.arg in READ)]:
            for each in literals(argument):
                text = each.value if isinstance(each.value, str) and each.value not in ALLOWED else ""
                if re.search(r"[A-Za-z]{3}", FORMULA.sub("", text)):
                    yield each


def test_the_search_for_bypasses_finds_them() -> None:
    for slip in ('st.caption("A word")', 'st.button(f"{n} words")', 'st.image(x, alt="A word " + y)', 'f(help="Help")'):
        assert list(bypassing(ast.parse(slip))), slip
    for fine in (
        'st.caption(_("A word"))',
        'st.markdown("$\\\\log p$")',
        'st.image(x, alt=_("{n} words").format(n=n))',
    ):
        assert not list(bypassing(ast.parse(fine))), fine


def test_no_text_bypasses_the_catalogue() -> None:
    slips = [
        f"{path.relative_to(strings.ROOT)}:{each.lineno}: {each.value!r}"
        for path in sorted((strings.ROOT / "pages").rglob("*.py"))
        for each in bypassing(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not slips, "\n".join(slips)
