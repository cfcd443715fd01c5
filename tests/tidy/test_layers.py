"""Goal: the import contracts of pyproject.toml hold, and each of them is really able to fail."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_SOURCE_ROOTS = ("kernel", "dsl", "semantic", "routing", "surfaces")

# Runs the linter on a copy; the checkout must leave the import path, or the namespace would hold both.
_LINT = """
import sys
from pathlib import Path
from importlinter.cli import lint_imports

checkout, copy, *roots = sys.argv[1:]
ours = {str(Path(checkout, root)) for root in roots}
sys.path[:] = [str(Path(copy, root)) for root in roots] + [path for path in sys.path if path not in ours]
sys.exit(lint_imports(cache_dir=None, no_logo=True))
"""


def _lint(repository: Path, copy: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _LINT, str(repository), str(copy), *_SOURCE_ROOTS]
    return subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(repository: Path, tmp_path: Path) -> Path:
    """A copy of the packages and their contracts."""
    shutil.copy(repository / "pyproject.toml", tmp_path)
    for root in _SOURCE_ROOTS:
        shutil.copytree(repository / root, tmp_path / root, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_contracts_hold(repository: Path, copy: Path) -> None:
    done = _lint(repository, copy)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "text", "broken"),
    [
        ("kernel/edca/kernel/_wrong.py", "import edca.ledger\n", "One way down BROKEN"),
        ("kernel/edca/diagnostics/_wrong.py", "import edca.kernel\n", "One way down BROKEN"),
        ("surfaces/edca/unlisted/__init__.py", "", "One way down BROKEN"),
        ("kernel/edca/kernel/_wrong.py", "from time import time\n", "The trusted base is pure BROKEN"),
        (
            "kernel/edca/diagnostics/_wrong.py",
            "import rich\n",
            "The bottom layer needs no library but msgpack BROKEN",
        ),
    ],
    ids=["upwards", "sideways", "unlisted", "clock", "library"],
)
def test_contracts_can_fail(repository: Path, copy: Path, file: str, text: str, broken: str) -> None:
    path = copy / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    done = _lint(repository, copy)
    assert done.returncode == 1, done.stdout + done.stderr
    assert broken in done.stdout
