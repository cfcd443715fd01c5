"""Law 1: equal inputs give byte-identical verdicts, whatever the process, hash seed, zone, folder or Python."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lark
import msgpack  # type: ignore[import-untyped]  # ships no types; only its place is read
import pytest
import worlds

HERE = Path(__file__).resolve().parent
CIRCUMSTANCES = [
    pytest.param({"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C"}, ".", id="seed 1, UTC"),
    pytest.param(
        {"PYTHONHASHSEED": "77777", "TZ": "Asia/Kathmandu", "LC_ALL": "C.UTF-8"}, "specs", id="seed 77777, Nepal"
    ),
]


def _digests(python: str, environment: dict[str, str], folder: Path) -> str:
    roots = [worlds.ROOT / root for root in ("kernel", "dsl", "semantic")]
    # Both libraries are pure Python where the compiled part of msgpack does not fit the interpreter.
    roots += [HERE, Path(msgpack.__file__).parents[1], Path(lark.__file__).parents[1]]
    run = subprocess.run(
        [python, str(HERE / "verdicts.py")],
        env={"PATH": os.environ["PATH"], **environment, "PYTHONPATH": os.pathsep.join(map(str, roots))},
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def here() -> str:
    """The digests under this interpreter, with a hash seed of its own."""
    return _digests(sys.executable, {"PYTHONHASHSEED": "0"}, worlds.ROOT)


@pytest.mark.parametrize(("environment", "folder"), CIRCUMSTANCES)
def test_another_process_gives_the_same_bytes(environment: dict[str, str], folder: str, here: str) -> None:
    assert _digests(sys.executable, environment, worlds.ROOT / folder) == here
    assert here.count("\n") > len(worlds.SPECS)


@pytest.mark.parametrize("version", ["python3.11", "python3.12", "python3.13", "python3.14"])
def test_another_python_gives_the_same_bytes(version: str, here: str) -> None:
    command = shutil.which(version)
    if command is None:
        pytest.skip(f"{version} is not installed")
    # What stands on the path may be a launcher that needs more of the environment than we pass on.
    itself = [command, "-c", "import sys; print(sys.executable)"]
    found = subprocess.run(itself, capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip(f"{version} is not installed")
    python = found.stdout.strip()
    assert _digests(python, {"PYTHONHASHSEED": "random"}, worlds.ROOT) == here


@pytest.mark.parametrize(("name", "setup"), worlds.all_setups())
def test_threads_and_repeats_give_the_same_bytes(name: str, setup: worlds.Setup) -> None:
    first = setup.bytes()
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: setup.bytes(), range(40))) == {first}


@pytest.mark.parametrize(("name", "setup"), worlds.all_setups())
def test_the_order_of_answers_counters_and_history_is_nothing(name: str, setup: worlds.Setup) -> None:
    assert setup.case is not None
    counters = dict(reversed(list(setup.inputs.used.items())))
    turned = setup.with_inputs(attestations=setup.inputs.attestations[::-1], used=counters).with_case(
        proposers=dict(reversed(list(setup.case.proposers.items()))),
        signers=dict(reversed(list(setup.case.signers.items()))),
    )
    assert turned.bytes() == setup.bytes()


@pytest.mark.parametrize(("name", "setup"), worlds.all_setups())
def test_the_order_in_which_facts_arrive_is_nothing(name: str, setup: worlds.Setup) -> None:
    backwards = dict(reversed(list(setup.inputs.facts.items())))
    assert setup.with_inputs(facts=backwards).bytes() == setup.bytes()


@pytest.mark.parametrize(("name", "setup"), worlds.all_setups())
def test_a_machine_read_back_from_its_artefact_decides_alike(name: str, setup: worlds.Setup) -> None:
    again = type(setup.machine).from_bytes(setup.machine.to_bytes())
    assert worlds.Setup(again, setup.case, setup.candidate, setup.inputs).bytes() == setup.bytes()
