"""Goal: a record says which kernel decided and which labels its values carry, for who reads it years later."""

import hashlib
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from complaints_desk import CLEO, bot
from test_erase import assert_sound, erased
from typer.testing import CliRunner

from edca.api.history import History
from edca.cli.main import app
from edca.kernel import canonical
from edca.ledger.record import Draft, parse
from edca.ledger.sqlite import SQLiteLedger
from edca.runtime import stamps
from edca.runtime.opened import opened
from edca.runtime.replay import replay
from edca.runtime.stamps import Kernel, this_kernel

ROOT = Path(__file__).resolve().parents[3]
STAMPED = {"verdict", "outcome", "query"}


def test_every_decision_names_the_kernel_that_made_it(worked):
    kinds = {record.kind for record in worked.records() if "kernel" in record.content}
    assert kinds == STAMPED
    for record in worked.records():
        if record.kind in STAMPED:
            assert Kernel.of(record.content) == this_kernel()
    found = replay(worked.ledger)
    assert found.kernels == ((this_kernel(), sum(record.kind in STAMPED for record in worked.records())),)


def test_the_digest_is_one_that_a_stranger_can_reckon_from_the_source():
    """As `docs/reference/ledger.md` says: from the bytes of the kernel's modules, and from nothing of the machine."""
    modules = {
        path.name: hashlib.sha256(path.read_bytes()).digest() for path in (ROOT / "kernel/edca/kernel").glob("*.py")
    }
    made = hashlib.sha256(b"edca/kernel\0" + canonical.encode(modules)).digest()
    assert this_kernel().digest == made


@pytest.mark.parametrize("seed", ["0", "7"])
def test_the_digest_is_the_same_in_every_process(seed, tmp_path):
    script = "from edca.runtime.stamps import this_kernel; print(this_kernel().digest.hex())"
    environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, env=environment, cwd=tmp_path
    )
    assert told.stdout.decode().strip() == this_kernel().digest.hex()


def test_the_version_is_that_of_the_project():
    assert tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"] == stamps.VERSION


def test_a_later_kernel_replays_what_an_earlier_one_decided_and_says_so(worked, monkeypatch):
    worked.close()
    monkeypatch.setattr("edca.cli.findings.this_kernel", lambda: Kernel("9.0.0", bytes(32)))
    told = CliRunner().invoke(app, ["replay", str(worked.path)])
    assert told.exit_code == 0, told.output
    here = this_kernel()
    said = f"records were decided by kernel {here.version} (source {here.digest.hex()[:16]}), this is kernel 9.0.0 ("
    assert said in told.output
    monkeypatch.undo()
    assert "decided by kernel" not in CliRunner().invoke(app, ["replay", str(worked.path)]).output


def test_a_record_of_a_time_when_none_was_named_is_replayed_as_ever(worked, tmp_path):
    """Records from before have neither; and what later versions add to one is not refused."""
    with SQLiteLedger.open(tmp_path / "old.ledger") as old:
        for stored in opened(worked.ledger).records():
            record = parse(stored.body)
            content = {name: value for name, value in record.content.items() if name not in ("kernel", "labels")}
            old.commit([Draft(record.chain, record.kind, content | {"of_tomorrow": 1})])
        assert not any("labels" in parse(stored.body).content for stored in old.records())
        told = list(History(old.records()).rows())
        verdicts = [row for table, row in told if table.name == "verdicts"]
        assert verdicts
        assert all(row[-4:] == (None,) * 4 for row in verdicts)
        assert replay(old).kernels == ()


def labels_of(desk, kind):
    return [record.content["labels"] for record in desk.records() if record.kind == kind]


def test_a_verdict_says_which_labels_its_values_carry(desk):
    desk.note("c1", bot("mia"), "PLANTED-words")
    assert labels_of(desk, "verdict") == [["personal"]]
    desk.kernel.query({"query": "whether", "arguments": {"complaint_id": "c1"}}, caller=CLEO)
    desk.kernel.query({"query": "mine", "arguments": {"complaint_id": "c1"}}, caller=CLEO)
    assert labels_of(desk, "query") == [[], ["personal"]]


def test_it_says_so_still_once_they_are_erased(worked):
    before = labels_of(worked, "verdict"), labels_of(worked, "outcome")
    assert {"personal"} == {label for labels in before[0] for label in labels}
    erased(worked)
    assert (labels_of(worked, "verdict"), labels_of(worked, "outcome")) == before
    assert_sound(worked)


@pytest.mark.parametrize("said", [[], ["personal", "secret"]])
def test_replay_names_a_record_that_says_other_labels(desk, said, monkeypatch):
    monkeypatch.setattr("edca.runtime.stamps.labels_in", lambda *_: said)
    desk.note("c1", bot("mia"), "PLANTED-words")
    monkeypatch.undo()
    (found,) = replay(desk.ledger).mismatches
    assert found.path.startswith("labels")


def test_what_is_looked_up_in_the_history_has_both(worked):
    rows = [row for table, row in History(worked.ledger.records()).rows() if table.name == "verdicts"]
    assert {row[-4] for row in rows} == {stamps.VERSION}
    assert {row[-2] for row in rows} == {"", "personal"}


@pytest.mark.parametrize(
    "content",
    [
        {"candidate": {"transition": "note_it", "arguments": {"words": "x"}}},
        {"facts": [{"entity": "complaint", "fields": {"phone": "x"}}]},
        {"instance": {"entity": "complaint", "fields": {"phone": "x"}}},
        {"effects": [{"after": [{"entity": "complaint", "fields": {"phone": "x"}}]}]},
        {"case": {"memory": {"kept": "x"}}},
        {"after": {"memory": {"kept": "x"}}},
        {"attestations": [{"name": "story"}]},
    ],
)
def test_each_place_of_a_labelled_value_is_told_of(desk, content):
    assert stamps.labels_in(desk.kernel.machine, content) == ["personal"]
