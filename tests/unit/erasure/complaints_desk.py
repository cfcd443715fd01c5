"""A complaints desk whose ledger is full of personal values, each with a mark that can be searched for in any file."""

import sqlite3
from contextlib import closing
from pathlib import Path

from edca.api import Caller, FixedClock, Kernel, open_engine
from edca.ledger.record import parse
from edca.ledger.sqlite import SQLiteLedger

HERE = Path(__file__).parent
SCHEMA = """
CREATE TABLE t_cmp (cno TEXT PRIMARY KEY, mno TEXT NOT NULL, tel TEXT NOT NULL,
                    prm_f INTEGER NOT NULL, snt_f INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE t_let (cno TEXT NOT NULL, tel TEXT NOT NULL, txt TEXT NOT NULL) STRICT;
CREATE TABLE t_done (op_key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
INSERT INTO t_cmp (cno, mno, tel, prm_f) VALUES
  ('c1', 'mia', 'PLANTED-phone-mia-1', 1), ('c2', 'mia', 'PLANTED-phone-mia-2', 0),
  ('c3', 'ned', 'PLANTED-phone-ned-1', 1), ('c4', 'ned', 'PLANTED-phone-ned-2', 0);
"""
CLEO = Caller("cleo", "clerk")


def bot(subject):
    """Return the assistant, speaking for a member."""
    return Caller("bot", "assistant", subject=subject, model="small-model-2026-01-15")


class Desk:
    """One ledger over one desk; `key` makes the scopes' keys, so that a test can have the same ones twice."""

    def __init__(self, folder, key=None, retention=None):
        self.folder = folder
        self.path = folder / "desk.ledger"
        self.clock = FixedClock("2026-03-20T12:00:00Z")
        self.key = key
        self.retention = retention
        self.database = folder / "world.sqlite"
        with closing(sqlite3.connect(self.database)) as connection:
            connection.executescript(SCHEMA)
        self.engine = open_engine(f"sqlite:///{self.database}")
        self.kernel = None
        self.reopen()

    def reopen(self):
        self.close()
        self.ledger = self.open_ledger()
        if self.key is not None:
            self.ledger.vault.new_key = self.key
        self.kernel = Kernel.open(
            HERE / "complaints.edca",
            routes=HERE / "complaints.arp",
            roster=HERE / "roster.toml",
            ledger=self.ledger,
            clock=self.clock,
            engines={"desk": self.engine},
            retention=self.retention,
        )
        return self.kernel

    def open_ledger(self):
        """Open the ledger of this desk, in the store that it is in."""
        return SQLiteLedger.open(self.path)

    def settle(self):
        """Wait until every record has its place: here each gets it with its commit."""

    def close(self):
        if self.kernel is not None:
            self.kernel.close()
            self.ledger.close()
            self.kernel = None

    def note(self, case, caller, words, **more):
        arguments = {"complaint_id": case, "words": words}
        return self.kernel.submit(
            {"transition": "note_it", "arguments": arguments, "rationale": f"PLANTED-why-{case}", **more}, caller=caller
        )

    def answer(self, case, caller, member, **more):
        said = [
            self.kernel.attest("story", f"PLANTED-story-{member}", by=member, role="member"),
            self.kernel.attest("heard", True, by=member, role="member"),
        ]
        return self.kernel.submit(
            {"transition": "answer_it", "arguments": {"complaint_id": case}, **more}, caller=caller, attestations=said
        )

    def work(self):
        """Take both members' complaints all the way, with refusals, open questions and bytes that are no candidate."""
        for member, plain, asked in (("mia", "c1", "c2"), ("ned", "c3", "c4")):
            self.note(plain, bot(member), f"PLANTED-phone-{member}-1", key=f"{member}-0")  # refused: only a number
            self.note(plain, bot(member), f"PLANTED-words-{member}", key=f"{member}-1")
            self.note(plain, bot(member), f"PLANTED-words-{member}", key=f"{member}-1")  # the same again
            self.answer(plain, bot(member), member, key=f"{member}-2")
            self.note("c9", bot(member), f"PLANTED-nowhere-{member}")  # no such complaint
            self.kernel.submit(
                {"transition": "note_it", "arguments": {"complaint_id": 7, "words": f"PLANTED-odd-{member}"}},
                caller=bot(member),
            )
            self.kernel.submit(f'{{"transition": "note_it", "PLANTED-bytes-{member}": 1}}', caller=bot(member))
            self.note(asked, bot(member), f"PLANTED-asked-{member}", key=f"{member}-3")  # escalated
            (question,) = self.kernel.inbox()
            said = self.kernel.approve(
                question.id, by="cleo", role="clerk", code="ordinary", preview=question.preview.digest
            )
            assert said.answer.verdict.code == "accepted"
            self.answer(asked, CLEO, member)
            self.kernel.query({"query": "mine", "arguments": {"complaint_id": plain}}, caller=CLEO)
            self.kernel.query(f'{{"query": "PLANTED-query-{member}"', caller=bot(member))

    def records(self):
        self.settle()
        return [parse(stored.body) for stored in self.ledger.records()]

    def files(self):
        """Return every file beside the world's own database, by name, as bytes."""
        paths = (path for path in self.folder.rglob("*") if path.is_file() and path != self.database)
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in paths}

    def planted(self, mark="PLANTED"):
        return sorted(name for name, content in self.files().items() if mark.encode() in content)
