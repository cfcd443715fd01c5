"""Goal: every spec in `specs/` is what its README says, without a warning, in canonical layout and wholly shown."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SPECS = ROOT / "specs"
WITH_README = sorted(path.parent.name for path in SPECS.glob("*/README.md"))


def edca(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the program in `folder`."""
    command = [sys.executable, "-m", "edca.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


def commands(readme: str) -> list[list[str]]:
    """Return the arguments of the commands that a README shows."""
    (block,) = re.findall(r"^```sh\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    lines = [shlex.split(line) for line in block.splitlines()]
    assert all(words[0] == "edca" for words in lines)
    return [words[1:] for words in lines]


@pytest.mark.parametrize("name", WITH_README)
def test_the_commands_of_the_readme_work(name: str, tmp_path: Path) -> None:
    shutil.copytree(SPECS / name, tmp_path / "specs" / name)
    for arguments in commands((SPECS / name / "README.md").read_text("utf-8")):
        done = edca(*arguments, folder=tmp_path)
        assert done.returncode == 0, " ".join(arguments) + "\n" + done.stdout + done.stderr


@pytest.mark.parametrize("routes", sorted(SPECS.glob("*/*.arp")), ids=lambda path: path.stem)
def test_a_spec_checks_with_its_routes_without_a_warning(routes: Path) -> None:
    spec = routes.with_name(f"{routes.parent.name}.edca")
    done = edca("check", spec, "--routes", routes, folder=ROOT)
    assert (done.returncode, done.stdout.endswith(": no mistakes\n")) == (0, True), done.stdout + done.stderr


@pytest.mark.parametrize("name", ["airline", "refund"])
def test_every_outcome_is_shown(name: str) -> None:
    folder = SPECS / name
    scenarios = [part for path in folder.glob("scenarios/*.edca") for part in ("--scenarios", path)]
    done = edca("test", folder / f"{name}.edca", *scenarios, "--fail-under", "100", folder=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_next_version_of_a_spec_is_as_good_and_its_map_leads_there() -> None:
    old, new = SPECS / "refund" / "refund.edca", SPECS / "refund" / "next" / "refund.edca"
    for arguments in (
        ("check", new, "--routes", SPECS / "refund" / "refund.arp"),
        ("test", new, "--fail-under", "100"),
        ("migrate", "--from", old, "--to", new, "--map", new.with_name("from-1.0.0.migration")),
    ):
        done = edca(*arguments, folder=ROOT)
        assert done.returncode == 0, done.stdout + done.stderr


def test_all_are_in_canonical_layout() -> None:
    done = edca("fmt", "--check", *sorted(SPECS.rglob("*.edca")), folder=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", WITH_README)
def test_the_codes_that_a_readme_names_are_the_specs(name: str) -> None:
    readme = (SPECS / name / "README.md").read_text("utf-8")
    spec = "".join(path.read_text("utf-8") for path in sorted((SPECS / name).rglob("*.edca")))
    table = readme.split("finds in it")[1]
    for phrase in re.findall(r"`([^`]+)`", table):
        words = phrase.replace("…", " ").split()
        missing = [word for word in words if word not in spec]
        assert missing == [], phrase
