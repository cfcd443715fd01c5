"""Goal: the rules of STYLE.md that a machine can check hold for every file of the tree."""

import ast
import importlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_SOURCE_ROOTS = ("kernel", "dsl", "semantic", "routing", "surfaces")
_FOLDERS = (*_SOURCE_ROOTS, "specs", "tests", "docs", "benchmarks", ".ci")
_LINE_COUNT_MAX = 400

# Files that may be longer, each with the reason.
_LONG_FILES: dict[str, str] = {
    "kernel/edca/kernel/generate.py": "one recursion over the expressions: split, it would be a circle of imports",
    "kernel/edca/kernel/machine.py": "the artefact's parts: dataclasses only, read as a list",
    "semantic/edca/semantic/notation.py": "one recursion over the expressions: split, it would be a circle of imports",
    "specs/airline/world.py": "loaded by its path, so it can't import siblings",
    "specs/retail/world.py": "loaded by its path, so it can't import siblings",
}

# Folders that exist on one person's machine only.
_MACHINE_PATH = re.compile(r"(?<![\w.])/(work|root|home|Users)/")
_BARE_SUPPRESSION = re.compile(r"#\s*(noqa(?!: [A-Z])|type: ignore(?!\[))")


def _files() -> Iterator[Path]:
    yield from (path for path in _ROOT.iterdir() if path.is_file())
    for folder in _FOLDERS:
        for path in (_ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def _python_files() -> list[Path]:
    return sorted(path for path in _files() if path.suffix == ".py")


def _packages() -> list[Path]:
    return sorted(
        path for root in _SOURCE_ROOTS for path in (_ROOT / root / "edca").iterdir() if path.name != "__pycache__"
    )


def _name(path: Path) -> str:
    return path.relative_to(_ROOT).as_posix()


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=_name(path))


def test_files_are_short() -> None:
    long = {
        _name(path) for path in _python_files() if len(path.read_text(encoding="utf-8").splitlines()) > _LINE_COUNT_MAX
    }
    assert long == set(_LONG_FILES), "split the file, or give the reason here; strike out what has become short"


def test_edca_is_a_namespace_package() -> None:
    assert not [root for root in _SOURCE_ROOTS if (_ROOT / root / "edca" / "__init__.py").exists()]


@pytest.mark.parametrize("package", _packages(), ids=_name)
def test_package_is_complete(package: Path) -> None:
    assert package.is_dir(), "only packages stand directly in the namespace"
    assert (package / "py.typed").is_file()
    assert ast.get_docstring(_tree(package / "__init__.py"))


@pytest.mark.parametrize("package", _packages(), ids=_name)
def test_public_names_exist_and_are_sorted(package: Path) -> None:
    module = importlib.import_module(f"edca.{package.name}")
    public = getattr(module, "__all__", [])
    assert [name for name in public if not hasattr(module, name)] == []
    assert len(set(public)) == len(public)


def test_imports_are_absolute() -> None:
    relative = [
        f"{_name(path)}:{node.lineno}"
        for path in _python_files()
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ImportFrom) and node.level > 0
    ]
    assert relative == []


def test_no_file_names_a_folder_of_one_machine() -> None:
    found = [
        _name(path) for path in _files() if _MACHINE_PATH.search(path.read_bytes().decode("utf-8", errors="replace"))
    ]
    assert found == []


def test_suppressions_name_what_they_suppress() -> None:
    found = [
        f"{_name(path)}:{number}"
        for path in _python_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if _BARE_SUPPRESSION.search(line)
    ]
    assert found == []


def test_the_kernel_has_no_float_and_no_unstable_builtin() -> None:
    """What import contracts can't see: division, float literals, built-ins that differ between runs."""
    found = [
        f"{_name(path)}:{node.lineno}"
        for path in sorted((_ROOT / "kernel" / "edca" / "kernel").rglob("*.py"))
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.expr | ast.stmt) and _is_impure(node)
    ]
    assert found == []


def _is_impure(node: ast.AST) -> bool:
    match node:
        case ast.Constant(value=float()) | ast.Constant(value=complex()):
            return True
        case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
            return True
        case ast.Call(func=ast.Name(id="float" | "hash" | "id" | "open" | "input" | "print")):
            return True
        case _:
            return False


def test_source_roots_are_listed_alike_everywhere() -> None:
    tool = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    roots = list(_SOURCE_ROOTS)
    wheel = tool["hatch"]["build"]["targets"]["wheel"]
    assert tool["hatch"]["build"]["dev-mode-dirs"] == roots
    # The pages of docs/errors are the only files from elsewhere: `edca explain` prints them.
    assert wheel["sources"] == {**dict.fromkeys(roots, ""), "docs/errors": "edca/diagnostics/pages"}
    assert wheel["only-include"] == [*(f"{root}/edca" for root in roots), "docs/errors"]
    assert tool["mypy"]["mypy_path"] == roots
    assert tool["ruff"]["src"] == roots
