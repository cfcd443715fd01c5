"""Builds the wheel, checks that it holds exactly our packages, and runs it without development tools.

Run by `make wheel-check`; exits 1 with a sentence when something is wrong.
"""

import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path
from zipfile import ZipFile

_ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Build, look inside, install, run."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        wheel = _build(work)
        _check_content(wheel)
        _check_runs(wheel, work / "environment")
    print("wheel: holds exactly our packages, and runs bare")


def _build(work: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(work), str(_ROOT)]
    subprocess.run(pip, check=True)
    (wheel,) = work.glob("*.whl")
    return wheel


def _check_content(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    metadata = {name for name in names if name.split("/")[0].endswith(".dist-info")}
    wanted = _package_files()
    if surplus := sorted(names - metadata - wanted):
        sys.exit(f"wheel: holds files that are not ours to install: {surplus}")
    if missing := sorted(wanted - names):
        sys.exit(f"wheel: lacks files of the source tree: {missing}")


def _package_files() -> set[str]:
    configuration = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    roots = [_ROOT / name for name in configuration["tool"]["hatch"]["build"]["dev-mode-dirs"]]
    own = {
        path.relative_to(root).as_posix()
        for root in roots
        for path in (root / "edca").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return own | {f"edca/diagnostics/pages/{path.name}" for path in (_ROOT / "docs" / "errors").glob("*.md")}


def _check_runs(wheel: Path, environment: Path) -> None:
    venv.create(environment, with_pip=True)
    scripts = environment / ("Scripts" if sys.platform == "win32" else "bin")
    subprocess.run([scripts / "python", "-m", "pip", "install", "--quiet", wheel], check=True)
    # Run from an empty folder, so that nothing of the checkout can be imported by accident.
    for arguments, wanted in (("--help",), "Commands"), (("explain", "T003"), "## Write instead"):
        command = [scripts / "edca", *arguments]
        done = subprocess.run(command, cwd=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0 or wanted not in done.stdout:
            shown = f"edca {' '.join(arguments)}"
            sys.exit(f"wheel: `{shown}` fails where only the wheel is installed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    main()
