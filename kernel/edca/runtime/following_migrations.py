"""Following migrations through a ledger, for its replay: what each of their records must say, given those before it.

Every case is moved again, from what its records left of it, by the map and the two machines that the ledger holds.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from edca.kernel.candidate import Candidate
from edca.kernel.migrate import Mover, NeedsPerson
from edca.kernel.migration import Migration
from edca.kernel.verdict import Escalated
from edca.ledger.errors import LedgerFormatError
from edca.runtime.cases import case_to_data, touched, value_from_data
from edca.runtime.differences import Pair
from edca.runtime.kinds import CLOSED
from edca.runtime.migrating import DOCUMENT, TEXT, Void, case_change, chain_of_migrations, is_first
from edca.runtime.migration_orders import Ordered, check_order
from edca.runtime.opened import ERASED
from edca.runtime.records import standing
from edca.runtime.waiting import id_of, is_passing

if TYPE_CHECKING:
    from edca.kernel.inputs import Case
    from edca.kernel.verdict import Verdict
    from edca.ledger.record import Record
    from edca.runtime.config import Configuration
    from edca.runtime.question import Question


class Migrations:
    """The migrations on record so far, and which questions of each case they would void."""

    def __init__(self, configuration: Configuration) -> None:
        """Begin with none; `configuration` holds the documents of the records taken so far."""
        self._configuration = configuration
        self._begun: dict[str, list[tuple[bytes, Any]]] = {}  # by chain: each run's record's digest, and what it says
        self._movers: dict[bytes, Mover] = {}
        self._open: dict[str, dict[bytes, bytes]] = {}  # by case: candidate → the record that opened its question

    def verdict(self, chain: str, question: Question, verdict: Verdict, digest: bytes) -> None:
        """Note what a verdict, whose record has that digest, does to its candidate's question."""
        if question.case is None or chain != question.case.id or not isinstance(question.candidate, Candidate):
            return
        own = self._open.setdefault(chain, {})
        if isinstance(verdict, Escalated):
            own.setdefault(question.candidate.digest, digest)
        elif not is_passing(verdict):
            own.pop(question.candidate.digest, None)

    def noted(self, record: Record) -> None:
        """Note a record that moves no state: one kind of them says that a question is over."""
        content: Any = record.content
        own = self._open.get(record.chain, {})
        if record.kind == CLOSED:
            self._open[record.chain] = {one: opened for one, opened in own.items() if opened != content["opened"]}

    def begun(self, record: Record, digest: bytes) -> list[Pair]:
        """Return the pairs of a record of kind `migration`. Raises `MigrationError` for somebody who may not."""
        content: Any = record.content
        configuration, tenant = self._configuration, content["tenant"]
        new = configuration.machine(content["machine"])
        chain = chain_of_migrations(tenant, new.name)
        configuration.document(TEXT, content["map"])
        ordered = Ordered(content["by"], content["role"], content["reason"], content["signature"])
        roster = configuration.roster(content["roster"])
        authenticated = check_order(roster, new, tenant, content["migration"], ordered, content["at"])
        migration = self._migration(content["migration"])
        earlier = self._begun.setdefault(chain, [])
        first = is_first([begun for _, begun in earlier], migration.digest)
        earlier.append((digest, content))
        return [
            Pair("chain", record.chain, chain),
            Pair("from", content["from"], migration.source),
            Pair("machine", content["machine"], migration.target),
            Pair("authenticated", content["authenticated"], authenticated.value),
            Pair("first", content["first"], first),
        ]

    def moved(self, record: Record, before: Case | None) -> tuple[list[Pair], Case]:
        """Return the pairs of a record of kind `migrated`, and the case after it.

        Raises `LedgerFormatError` where no case can have been moved so.
        """
        content: Any = record.content
        old, new = (self._configuration.machine(content[name]) for name in ("from", "machine"))
        begun = self._begun.get(chain_of_migrations(content["tenant"], new.name))
        if before is None or not begun:
            raise LedgerFormatError("a case was moved that no migration could move")
        newest = begun[-1]
        mover = self._movers.get(content["migration"])
        if mover is None:
            mover = self._movers[content["migration"]] = Mover(old, new, self._migration(content["migration"]))
        found = mover.move(before, content["at"])
        if isinstance(found, NeedsPerson):
            raise LedgerFormatError(f"the case could not be moved: {found.why}")
        after = found.case
        is_known = ERASED not in content
        if not is_known:  # what became of its memory nobody can tell any more
            memory = {name: value_from_data(value) for name, value in content["after"]["memory"].items()}
            after = dataclasses.replace(after, memory=memory)
        questions = self._open.pop(record.chain, {})
        void = [Void(id_of(opened), opened, candidate) for candidate, opened in questions.items()]
        pairs = [
            Pair("begun", content["begun"], newest[0]),
            *(Pair(name, content[name], newest[1][name]) for name in ("from", "machine", "migration", "by", "roster")),
            Pair("case", content["case"], case_to_data(before)),
            Pair("after", content["after"], standing(after)),
            *((Pair("change", content["change"], case_change(old, new, before, after)),) if is_known else ()),
            Pair("untested", content["untested"], list(found.untested)),
            Pair("void", content["void"], [one.to_data() for one in void]),
        ]
        return pairs, touched(after, record.entry, content["at"])

    def _migration(self, digest: bytes) -> Migration:
        return Migration.from_bytes(self._configuration.document(DOCUMENT, digest))
