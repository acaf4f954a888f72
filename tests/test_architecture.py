"""The house rules that a reader can rely on: who imports whom, what is public, what an import leaves alone."""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "vae"
PAGES = ROOT / "pages"

# A wing of vae/ imports only from wings on the floors below its own. `errors` and `paths` lie under all of
# them, `__init__`, `__main__` and `former` stand above.
FLOORS = [
    ("settings", "data"),
    ("model",),
    ("evidence", "training"),
    ("latent", "derivation", "distributed"),
    ("jobs", "uses", "interchange"),
    ("figures",),
    ("report",),
    ("cli",),
]
WINGS = [wing for floor in FLOORS for wing in floor]
LONGEST = 300  # lines of a file

UNSAFE_MODULES = {"pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
UNSAFE_CALLS = {"eval", "exec", "torch.load", "torch.save"}
CACHES = {"cache_data", "cache_resource"}

IMPORT_EVERYTHING = """
import importlib, logging, os, random, sys
import numpy, torch

def state():
    loggers = [logging.root, *map(logging.getLogger, sorted(logging.root.manager.loggerDict))]
    loggers = [logger for logger in loggers if logger.name.partition(".")[0] in ("root", "vae")]
    return {
        "torch's generator": torch.get_rng_state().tolist(),
        "numpy's generator": numpy.random.get_state()[1].tolist(),
        "random's generator": random.getstate(),
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "torch's defaults": (torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_float32_matmul_precision()),
        "logging": [(each.name, each.level, each.handlers[:]) for each in loggers if each.handlers or each.level],
        "files": sorted(os.walk(".")),
    }

before = state()
for name in sys.argv[1:]:
    importlib.import_module(name)
after = state()
print("changed:", [name for name in before if before[name] != after[name]])
print("imported:", [name for name in ("streamlit", "torchvision") if name in sys.modules])
"""


@cache
def library() -> dict[str, ast.Module]:
    """Syntax trees of the modules of vae/ by name; one in a folder of its own is "folder/name"."""
    return {path.relative_to(LIBRARY).with_suffix("").as_posix(): parse(path) for path in sorted(LIBRARY.rglob("*.py"))}


def product() -> list[Path]:
    return [*sorted(LIBRARY.rglob("*.py")), *sorted(PAGES.rglob("*.py")), *ROOT.glob("app.py")]


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and dotted name of all that import statements bring in, at any depth; relative ones as of package vae."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = ".".join(filter(None, ("vae" if node.level else "", node.module)))
            yield from ((node.lineno, f"{package}.{alias.name}") for alias in node.names)


def declared(tree: ast.Module) -> list[str]:
    """The names in `__all__`, none where it is missing."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value)
    return []


def in_ruffs_order(names: list[str]) -> list[str]:
    """CONSTANTS, then Classes, then functions."""
    return sorted(names, key=lambda name: (not name.isupper(), name[0].islower(), name))


def test_the_library_is_its_wings() -> None:
    names = sorted(path.name for path in LIBRARY.iterdir() if path.name != "__pycache__")
    assert names == sorted([*WINGS, "__init__.py", "__main__.py", "errors.py", "former.py", "paths.py"])


def test_a_wing_imports_only_from_lower_floors() -> None:
    slips = []
    for name, tree in library().items():
        wing = name.partition("/")[0]
        if wing not in (*WINGS, "errors", "paths"):
            continue
        floor = next((i for i, wings in enumerate(FLOORS) if wing in wings), 0)
        allowed = {"errors", "paths", wing, *(other for wings in FLOORS[:floor] for other in wings)}
        for line, dotted in imports(tree):
            package, inner, *_ = [*dotted.split("."), ""]
            if wing == "cli" and dotted == "vae":  # which has the wings that stand on PyTorch when they are asked for
                continue
            if package == "vae" and inner not in allowed:
                slips.append(f"vae/{name}.py:{line} imports {dotted}")
    assert not slips, "\n".join(slips)


def test_within_a_wing_imports_form_no_circle() -> None:
    for wing in WINGS:
        modules = {name.partition("/")[2]: tree for name, tree in library().items() if name.startswith(f"{wing}/")}
        stands_on = {}
        for name, tree in modules.items():
            if name != "__init__":
                dotted = [
                    f"{each}.".split(".") for _line, each in imports(tree) if f"{each}.".startswith(f"vae.{wing}.")
                ]
                stands_on[name] = {path[2] for path in dotted}
                strangers = stands_on[name] - modules.keys()
                assert not strangers, f"vae/{wing}/{name}.py takes {strangers} from its own wing's surface"
        try:
            tuple(TopologicalSorter(stands_on).static_order())
        except CycleError as circle:
            raise AssertionError(f"vae/{wing}: {' -> '.join(circle.args[1])}") from None


def test_wings_are_entered_by_their_surface() -> None:
    surfaces = {wing: set(declared(parse(LIBRARY / wing / "__init__.py"))) for wing in WINGS}
    modules = {name.replace("/", "."): set(declared(tree)) for name, tree in library().items()}
    slips = []
    for path in [*product(), *sorted((ROOT / "benchmarks").glob("*.py"))]:
        home = path.relative_to(LIBRARY).parts[0] if path.is_relative_to(LIBRARY) else ""
        tree = parse(path)
        known = {"vae": ""}  # what a name in this file is: the library, a wing, or a module of one
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                deep = [
                    alias.name for alias in node.names if alias.name.startswith("vae.") and alias.name.count(".") > 1
                ]
                slips += [f"{path.relative_to(ROOT)}:{node.lineno} imports {name}" for name in deep]
                known |= {alias.asname: alias.name.removeprefix("vae.") for alias in node.names if alias.asname}
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "vae":
                inner = (node.module or "").removeprefix("vae").removeprefix(".")
                wing, _, deeper = inner.partition(".")
                for alias in node.names:
                    if wing in surfaces and wing != home and (deeper or alias.name not in surfaces[wing]):
                        slips.append(f"{path.relative_to(ROOT)}:{node.lineno} takes {alias.name} from {node.module}")
                    known[alias.asname or alias.name] = f"{inner}.{alias.name}".strip(".")
        for node in ast.walk(tree):
            if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Load):
                continue
            first, *rest = ast.unparse(node).split(".")
            if first not in known or not all(part.isidentifier() for part in rest):
                continue
            place = known[first]
            for part in rest:
                names = surfaces.get(place) or modules.get(place)
                if names is None or place.partition(".")[0] == home:
                    break
                if part not in names:
                    slips.append(f"{path.relative_to(ROOT)}:{node.lineno} takes {part} from vae.{place}")
                place = f"{place}.{part}"
    assert not slips, "\n".join(sorted(set(slips)))


def test_the_library_knows_nothing_of_the_app() -> None:
    slips = [
        f"vae/{name}.py:{line} imports {dotted}"
        for name, tree in library().items()
        for line, dotted in imports(tree)
        if dotted.partition(".")[0] in ("streamlit", "pages", "app")
    ]
    assert not slips, "\n".join(slips)


def test_what_pages_change_on_the_disk_is_asked_for_where_rights_are_checked() -> None:
    changes = {f"jobs.{name}" for name in ("start", "start_seeds", "resume", "stop", "pause", "step", "change", "run")}
    changes |= {f"shelf.{name}" for name in ("copy", "rename", "discard", "bring_back")}
    changes |= {"stored.remove", "imports.keep", "imports.write"}
    slips = []
    for path in sorted(PAGES.rglob("*.py")):
        if path != PAGES / "classroom" / "acts.py":
            called = [node for node in ast.walk(parse(path)) if isinstance(node, ast.Call)]
            slips += [f"{path.relative_to(ROOT)}:{node.lineno}" for node in called if ast.unparse(node.func) in changes]
    assert not slips, f"{slips} change something; that is for pages/classroom/acts.py"


def test_pages_lie_in_section_folders() -> None:
    # With pages/x.py, a deep link as a fresh server's first request runs Streamlit's old discovery, never app.py.
    slips = [path.name for path in PAGES.glob("*.py") if path.name != "__init__.py"]
    assert not slips, f"Directly in pages/: {slips}"


def test_each_wing_has_a_line_on_each_of_its_modules() -> None:
    for wing in WINGS:
        about = ast.get_docstring(parse(LIBRARY / wing / "__init__.py")) or ""
        lines = {line.split()[0] for line in about.splitlines() if line.startswith("    ") and line.strip()}
        assert lines == {path.stem for path in (LIBRARY / wing).glob("*.py")} - {"__init__"}, wing


def test_every_library_module_declares_its_public_names_in_order() -> None:
    slips = []
    for name, tree in library().items():
        names = declared(tree)
        if name != "__main__" and (not names or names != in_ruffs_order(list(set(names)))):
            slips.append(f"vae/{name}.py: __all__ is missing, not sorted, or says a name twice: {names}")
    assert not slips, "\n".join(slips)


def test_what_the_package_declares_is_what_it_has() -> None:
    import vae

    names = getattr(vae, "__all__", [])
    assert [name for name in names if not hasattr(vae, name)] == []
    public = {name for name, value in vars(vae).items() if name[0] != "_" and not isinstance(value, ModuleType)}
    assert public - set(names) == set()


def test_no_file_can_make_the_app_run_foreign_code() -> None:
    slips = []
    for path in product():
        tree = parse(path)
        for line, dotted in imports(tree):
            if dotted.partition(".")[0] in UNSAFE_MODULES or dotted in UNSAFE_CALLS:
                slips.append(f"{path.relative_to(ROOT)}:{line} imports {dotted}")
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            pickles = any(word.arg == "allow_pickle" and ast.unparse(word.value) != "False" for word in node.keywords)
            weights = any(word.arg == "weights_only" and ast.unparse(word.value) == "True" for word in node.keywords)
            unsafe = ast.unparse(node.func) in UNSAFE_CALLS and not (weights and ast.unparse(node.func) == "torch.load")
            if unsafe or pickles:
                slips.append(f"{path.relative_to(ROOT)}:{node.lineno} calls {ast.unparse(node)}")
    assert not slips, "\n".join(slips)


def test_importing_the_library_leaves_everything_else_alone(tmp_path: Path) -> None:
    copy = tmp_path / "vae"
    shutil.copytree(LIBRARY, copy, ignore=shutil.ignore_patterns("__pycache__"))
    modules = ["vae", *(f"vae.{name.replace('/', '.')}" for name in library() if not name.endswith("__"))]
    # Home and working directory are the copy's own, so that whatever an import were to write shows up among its files.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("VAE_", "PYTHON"))}
    environment |= {"HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", IMPORT_EVERYTHING, *modules]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout == "changed: []\nimported: []\n"


def test_files_are_short_enough_to_read() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in product()}
    slips = [f"{path.relative_to(ROOT)}: {lines} lines" for path, lines in lengths.items() if lines > LONGEST]
    assert not slips, "\n".join(slips)


def test_caches_are_made_in_one_place() -> None:
    slips = []
    for path in product():
        if path.parent == PAGES / "cache":
            continue
        for node in ast.walk(parse(path)):
            names = {getattr(node, field, None) for field in ("id", "attr", "name")}  # a name, an attribute, an import
            if names & CACHES:
                slips.append(f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}")
    assert not slips, f"{slips} use Streamlit's caches; that is for pages/cache/"


def test_no_string_is_stuck_in_the_language_of_whoever_came_first() -> None:
    frame = PAGES / "ui" / "frame.py"
    scripts = {node.value for node in ast.walk(parse(frame)) if isinstance(node, ast.Constant)} | {"ui/frame"}
    slips = []
    for path in sorted(PAGES.rglob("*.py")):
        tree = parse(path)
        script = path.relative_to(PAGES).with_suffix("").as_posix() in scripts  # which runs for each visitor
        once = [] if script else list(at_import(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and any(
                word in ast.unparse(each) for each in node.decorator_list for word in ("cache", "kept")
            ):
                once += ast.walk(node)
        slips += [f"{path.relative_to(ROOT)}:{node.lineno}" for node in once if translates(node)]
    assert not slips, f"{slips} translate once, at import or in a cache, for all visitors: call _() for each"


def at_import(node: ast.AST) -> Iterator[ast.AST]:
    """All that runs when a module is imported: what stands in no function, and the defaults of those."""
    yield node
    for name, inner in ast.iter_fields(node):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and name == "body":
            continue
        for each in inner if isinstance(inner, list) else [inner]:
            if isinstance(each, ast.AST):
                yield from at_import(each)


def translates(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("_", "language._")
