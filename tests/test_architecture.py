"""The house rules that can be read from the code: floors, light imports, lengths, docstrings, no print."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "scripts"
ENGINE = SCRIPTS / "wan_engine"

FLOORS = (
    *(
        "errors",
        "words",
        "home",
        "setting_spec",
        "settings_shared",
        "settings_film",
        "settings_model",
        "settings",
        "settings_split",
        "settings_outpaint_canvas",
        "settings_outpaint",
        "settings_pictures",
        "settings_planning",
        "settings_check",
        "families",
    ),
    *("schedule", "plan", "storage", "media", "seams", "models", "tiny", "backends", "render", "tools", "executors"),
    *("film", "keyframes", "storyboard", "chains", "outpaint", "doctor", "service", "cli", "__main__"),
)
"""A module imports only from its own folder and from what stands before it here."""

STANDARD_LIBRARY_ONLY = FLOORS[: FLOORS.index("families") + 1]
HEAVY = ("torch", "diffusers", "transformers", "av", "cv2")
HOST = ("gradio", "modules", "launch", "wan_webui")
COMMAND_LINE = ("cli", "__main__")
MAX_LINES, MAX_TEST_LINES, MAX_FUNCTION_LINES = 400, 600, 60

ENGINE_FILES = sorted(ENGINE.rglob("*.py"))
WEBUI_FILES = [*sorted((SCRIPTS / "wan_webui").rglob("*.py")), *SCRIPTS.glob("*.py")]
HOST_MODULES = ("modules", "backend", "ldm_patched")
EVERY_HOST_HAS = ("fastapi", "gradio", "httpx", "starlette", "uvicorn")
ALL_FILES = [
    *sorted(ROOT.glob("*.py")),
    *sorted(SCRIPTS.rglob("*.py")),
    *sorted((ROOT / "tests").rglob("*.py")),
]


@dataclass(frozen=True)
class Import:
    """One import: its module, its line, and whether it runs when the file is imported."""

    name: str
    line: int
    at_import: bool


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def is_type_checking(test: ast.expr) -> bool:
    return ast.unparse(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def imports_of(path: Path) -> list[Import]:
    return list(_imports(tree_of(path), _package(path), at_import=True))


def _package(path: Path) -> list[str]:
    return list(path.relative_to(SCRIPTS).parent.parts)


def _imports(node: ast.AST, package: list[str], at_import: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, at_import) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from (Import(name, child.lineno, at_import) for name in _from_names(child, package))
        elif isinstance(child, ast.If) and is_type_checking(child.test):
            for inner in child.body:
                yield from _imports(ast.Module([inner], []), package, at_import=False)
            for inner in child.orelse:
                yield from _imports(ast.Module([inner], []), package, at_import)
        else:
            in_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(child, package, at_import and not in_function)


def _from_names(node: ast.ImportFrom, package: list[str]) -> list[str]:
    base = package[: len(package) - node.level + 1] if node.level else []
    module = ".".join([*base, *([node.module] if node.module else [])])
    # `from wan_engine import film` names a module, `from wan_engine.film import render` does not need its last part.
    return [f"{module}.{alias.name}" for alias in node.names] if module == "wan_engine" else [module]


def floor_name(path: Path) -> str:
    return path.relative_to(ENGINE).parts[0].removesuffix(".py")


def place(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def test_there_is_something_to_read() -> None:
    assert len(ENGINE_FILES) > 9
    assert len([found for path in ENGINE_FILES for found in imports_of(path)]) > 40


def test_every_module_has_its_floor() -> None:
    names = {floor_name(path) for path in ENGINE_FILES} - {"__init__"}
    assert names == set(FLOORS), f"enter in FLOORS, where its imports allow: {sorted(names ^ set(FLOORS))}"


def test_the_page_on_architecture_names_every_floor() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\|(.+?)\|", page.split("## Floors")[1].split("## The WebUI side")[0], re.MULTILINE)
    named = {re.split(r"[./]", name)[0] for row in rows for name in re.findall(r"`([a-z_]+(?:\.py|/)?)[a-z/]*`", row)}
    lacking = [name for name in FLOORS if name not in named and not name.startswith("setting")]
    assert not lacking, lacking


def test_imports_point_down() -> None:
    wrong = []
    for path in ENGINE_FILES:
        own = floor_name(path)
        height = FLOORS.index(own) if own != "__init__" else -1
        for found in imports_of(path):
            parts = found.name.split(".")
            if parts[0] != "wan_engine" or len(parts) < 2 or parts[1] == own:
                continue
            # `from wan_engine import __version__`: a name of the package itself stands below all floors.
            if parts[1] in FLOORS and FLOORS.index(parts[1]) >= height:
                wrong.append(f"{place(path, found.line)}: {own} imports {parts[1]}, which stands above it")
    assert not wrong, "\n".join(wrong)


def test_floor_0_is_standard_library_only() -> None:
    wrong = [
        f"{place(path, found.line)}: {found.name}"
        for path in (ENGINE / f"{name}.py" for name in STANDARD_LIBRARY_ONLY)
        for found in imports_of(path)
        if found.name.split(".")[0] not in {*sys.stdlib_module_names, "wan_engine"}
    ]
    assert not wrong, "\n".join(wrong)


def test_engine_knows_no_host() -> None:
    wrong = [
        f"{place(path, found.line)}: {found.name}"
        for path in ENGINE_FILES
        for found in imports_of(path)
        if found.name.split(".")[0] in HOST
    ]
    assert not wrong, "\n".join(wrong)


def test_the_webui_side_knows_floor_0_and_what_every_host_has() -> None:
    """Host modules are asked for in hosts.py alone, so that every difference between hosts stands in one file."""
    allowed = {*sys.stdlib_module_names, *EVERY_HOST_HAS, "wan_webui"}
    wrong = []
    for path in WEBUI_FILES:
        for found in imports_of(path):
            parts = found.name.split(".")
            floor_0 = parts[0] == "wan_engine" and (
                len(parts) < 2 or parts[1] in (*STANDARD_LIBRARY_ONLY, "__version__")
            )
            host = parts[0] in HOST_MODULES and path.name == "hosts.py"
            if not (floor_0 or host or parts[0] in allowed):
                wrong.append(f"{place(path, found.line)}: {found.name}")
    assert not wrong, "\n".join(wrong)


def test_heavy_packages_are_imported_inside_functions() -> None:
    wrong = [
        f"{place(path, found.line)}: {found.name}"
        for path in ENGINE_FILES
        for found in imports_of(path)
        if found.at_import and found.name.split(".")[0] in HEAVY
    ]
    assert not wrong, "\n".join(wrong)


def test_what_a_host_runs_needs_the_standard_library_only() -> None:
    for path in ROOT.glob("*.py"):
        found = {name.name.split(".")[0] for name in _imports(tree_of(path), [], at_import=True)}
        assert found <= set(sys.stdlib_module_names), path.name


def test_scripts_folder_holds_the_entry_only() -> None:
    """A WebUI runs every .py file that lies directly in scripts/."""
    assert {path.name for path in SCRIPTS.glob("*.py")} <= {"wan_tab.py"}


@pytest.mark.parametrize("path", ALL_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_lengths_and_docstring(path: Path) -> None:
    in_tests = path.is_relative_to(ROOT / "tests")
    tree = tree_of(path)
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= (MAX_TEST_LINES if in_tests else MAX_LINES)
    assert ast.get_docstring(tree), "the first line says what the file owns"
    too_long = [
        f"{place(path, node.lineno)}: {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > MAX_FUNCTION_LINES
    ]
    assert not too_long, "\n".join(too_long)


def test_only_the_command_line_prints() -> None:
    wrong = [
        place(path, node.lineno)
        for path in ENGINE_FILES
        if floor_name(path) not in COMMAND_LINE
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", ["schedule", "plan", "__main__"])
def test_planning_starts_light(name: str) -> None:
    """Whole packages are imported, file by file, in a process of their own."""
    target = ENGINE / name
    files = sorted(target.rglob("*.py")) if target.is_dir() else [target.with_suffix(".py")]
    if not files or not files[0].exists():
        pytest.skip(f"there is no {name} yet")
    modules = [".".join(path.relative_to(SCRIPTS).with_suffix("").parts) for path in files]
    code = (
        "import importlib, json, sys\n"
        f"sys.path.insert(0, {str(SCRIPTS)!r})\n"
        f"for name in {modules!r}: importlib.import_module(name.removesuffix('.__init__'))\n"
        f"print(*sorted(set({HEAVY!r}) & set(sys.modules)))\n"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.split() == []
