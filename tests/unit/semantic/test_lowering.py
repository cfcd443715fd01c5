"""Goal: every construct comes out in the machine as the reference of the language says, in whatever order it stands."""

import random
import re

import pytest
import worlds

from edca.kernel.calendar import DAY
from edca.kernel.expression import History, ReadHistory
from edca.kernel.machine import (
    Clause,
    ClauseKind,
    Composite,
    Edge,
    Evidence,
    LeadsTo,
    Machine,
    Never,
    NeverReached,
    Signal,
    Timeout,
    Trigger,
    Window,
    WindowKind,
)
from edca.kernel.types import DecimalType, IdType, IntType, PrincipalType

HEAD = 'edca 1 machine m version "1"\n'
BODY = """role agent model
role person human
role boss human
type money = decimal(2, 0.00 to 1000.00) in eur
entity thing key (thing_id: id) { owner: principal person, cost: money, size: int(0 to 9), hot: bool secret, old: bool }
effect ship(thing: thing)
effect fetch(thing: thing)
case about thing by thing_id
claim phone : text(20) personal by person "A number."
memory { spent: money = 0.00, contact: text(20) personal = "" }
state active "Not settled." {
  state asked initial "Asked."
  state inner "Closer." {
    state agreed "Agreed."
    state shipped_once "Shipped."
  }
}
state done final "Done." success
state lost final "Lost." failure
state stuck "Stuck."
forbid is_hot "It is hot." when thing.hot
forbid of_nobody "It is nobody's." when thing.owner != thing.owner
transition agree.small(thing_id: id, amount: money) from asked to agreed when amount <= 50.00 and not thing.old {
  means "Agree to a little." by agent, boss answers boss
  priority 2
  sign twice by 2 of boss distinct from proposer, thing.owner within 2 days when amount > 20.00 "Two must agree."
  confirm said by person within 1 hour "Say yes."
  limit daily sum(amount) to 100 per utc day per thing.owner, thing_id "Enough for today."
  limit pace count to thing.size per rolling 2 hours "Too fast."
  set spent = amount
}
transition agree.large(thing_id: id, amount: money) from asked to agreed when amount > 50.00 {
  means "Agree to a lot." by boss answers boss
  require phone != "" else refuse no_phone "No phone."
  require contact != "" else refuse no_contact "No contact."
}
transition ship_it(thing_id: id) from active to shipped_once {
  means "Ship it." by boss answers boss
  require proposer != proposer of agree and not (proposer in signers of twice) else refuse same "The same."
  require thing.cost > 1 else refuse cheap "Cheap."
  do ship(thing) ensure thing.size == before(thing.size) undo fetch(thing)
  on failed go stuck "It was not shipped."
  on timeout 30 seconds go stuck "Nobody knows."
}
transition finish(thing_id: id) from shipped_once, stuck to done { means "Finish." by boss answers boss }
transition expire(thing_id: id) from active to lost {
  means "Too late." by clock answers boss after 14 days unblockable
}
mode degraded "Slow." {
  allow finish, agree
  enter when failures > 5 per rolling 1 hour
  enter when drifts > 1 per utc week
  enter by boss, person
  leave when failures <= 0 per rolling 10 minutes
  leave by boss
}
never too_much "Too much." while active when spent > thing.cost
never at_all about thing "Never." when spent > 999.00
never unasked "Unasked." reaching shipped_once without agree, ship_it
always ends "It ends." asked leads to done, lost, stuck assuming "People work."
release contact to agent "To say it back."
release thing.hot to boss, ship "Those who touch it."
"""
TEXT = HEAD + BODY
MACHINE = worlds.machine_of(TEXT)


def _clause(machine: Machine, transition: str, code: str) -> Clause:
    return next(clause for clause in machine.index.transitions[transition].clauses if clause.code == code)


def test_branches_are_offered_under_one_name() -> None:
    small, large = MACHINE.index.offered["agree"]
    assert [(t.name, t.offered, t.priority) for t in (small, large)] == [
        ("agree.small", "agree", 2),
        ("agree.large", "agree", 0),
    ]
    assert small.guard is not None and large.guard is not None
    assert MACHINE.index.transitions["finish"].guard is None


def test_composites_stand_for_the_states_within() -> None:
    assert MACHINE.composites == (Composite("active", "Not settled.", None), Composite("inner", "Closer.", "active"))
    within = {state.name: state.within for state in MACHINE.states}
    assert within == {
        **{"asked": "active", "agreed": "inner", "shipped_once": "inner"},
        **{"done": None, "lost": None, "stuck": None},
    }
    assert MACHINE.index.transitions["expire"].sources == ("agreed", "asked", "shipped_once")
    assert [(s.name, s.success) for s in MACHINE.states if s.final] == [("done", True), ("lost", False)]


def test_what_people_answer() -> None:
    twice, said = (_clause(MACHINE, "agree.small", code) for code in ("twice", "said"))
    assert (twice.kind, twice.role, twice.count, twice.within_us) == (ClauseKind.SIGN, "boss", 2, 2 * DAY)
    assert len(twice.distinct_from) == 2
    assert (said.kind, said.role, said.count, said.distinct_from) == (ClauseKind.CONFIRM, "person", 1, ())
    assert {clause.count for clause in MACHINE.index.transitions["ship_it"].clauses} == {0}


def test_what_is_counted() -> None:
    daily, pace = (_clause(MACHINE, "agree.small", code).limit for code in ("daily", "pace"))
    assert daily is not None and pace is not None
    assert daily.type == DecimalType(2, 0, 100_000, "eur")
    assert daily.window == Window(WindowKind.UTC, DAY)
    assert daily.key_types == (PrincipalType("person"), IdType())
    assert pace.type == IntType(0, 9)
    assert pace.window == Window(WindowKind.ROLLING, 2 * 3_600_000_000)
    assert pace.keys == ()


def test_where_failures_lead_and_when_time_does() -> None:
    ship, expire = (MACHINE.index.transitions[name] for name in ("ship_it", "expire"))
    assert ship.on_failed == Edge("stuck", "It was not shipped.")
    assert ship.on_timeout == Timeout(30_000_000, "stuck", "Nobody knows.")
    assert (expire.after_us, expire.unblockable, expire.clauses) == (14 * DAY, True, ())
    assert [clause.code for clause in ship.clauses] == ["is_hot", "of_nobody", "same", "cheap"]


def test_modes_and_properties() -> None:
    (mode,) = MACHINE.modes
    hour, week = Window(WindowKind.ROLLING, 3_600_000_000), Window(WindowKind.UTC, 7 * DAY)
    assert (mode.allow, mode.enter_by, mode.leave_by) == (("agree", "finish"), ("boss", "person"), ("boss",))
    assert mode.enter == (Trigger(Signal.DRIFTS, True, 1, week), Trigger(Signal.FAILURES, True, 5, hour))
    assert [trigger.exceeds for trigger in mode.leave] == [False]
    at_all, ends, too_much, unasked = MACHINE.properties
    assert isinstance(at_all, Never) and at_all.states == tuple(sorted(state.name for state in MACHINE.states))
    assert isinstance(too_much, Never) and too_much.states == ("agreed", "asked", "shipped_once")
    assert unasked == NeverReached("unasked", "Unasked.", ("shipped_once",), ("agree", "ship_it"))
    assert ends == LeadsTo("ends", "It ends.", ("asked",), ("done", "lost", "stuck"), "People work.")


def test_labels_and_releases() -> None:
    assert {field.name: field.labels for field in MACHINE.memory} == {"spent": (), "contact": ("personal",)}
    assert MACHINE.index.claims["phone"].labels == ("personal",)
    assert [(r.owner, r.name, r.to) for r in MACHINE.releases] == [
        (None, "contact", ("agent",)),
        ("thing", "hot", ("boss", "ship")),
    ]


def test_history_is_read_by_name() -> None:
    condition = repr(_clause(MACHINE, "ship_it", "same").condition)
    assert repr(ReadHistory(History.PROPOSER, "agree")) in condition
    assert repr(ReadHistory(History.SIGNERS, "twice")) in condition


@pytest.mark.parametrize(
    ("transition", "fields"),
    [
        # guards of all branches, limits' keys and bounds, `distinct from`, properties of where it leads
        ("agree.small", ("cost", "hot", "old", "owner", "size")),
        ("agree.large", ("cost", "hot", "old", "owner")),
        # `finish` leads out of what `too_much` speaks of, and no property that reads facts holds there
        ("finish", ("hot", "owner")),
        # nothing holds it up
        ("expire", ()),
    ],
)
def test_exactly_what_is_read_is_gathered(transition: str, fields: tuple[str, ...]) -> None:
    evidence = MACHINE.index.transitions[transition].evidence
    assert evidence == ((Evidence("thing", fields),) if fields else ())


@pytest.mark.parametrize(
    ("transition", "code", "withheld"),
    [
        ("agree.small", "is_hot", True),
        ("agree.small", "of_nobody", False),
        ("agree.small", "twice", False),
        ("agree.large", "no_phone", True),  # released to nobody
        ("agree.large", "no_contact", False),  # released to every model there is
    ],
)
def test_what_a_model_is_not_told(transition: str, code: str, withheld: bool) -> None:
    assert _clause(MACHINE, transition, code).withheld is withheld


def test_a_release_to_another_role_tells_a_model_nothing() -> None:
    text = TEXT.replace("release contact to agent", "release contact to boss")
    assert _clause(worlds.machine_of(text), "agree.large", "no_contact").withheld


def test_a_release_has_to_reach_every_model_that_may_propose() -> None:
    text = TEXT.replace("role boss human\n", "role boss human\nrole other model\n").replace(
        "by boss answers boss\n  require phone", "by other, agent answers boss\n  require phone"
    )
    assert _clause(worlds.machine_of(text), "agree.large", "no_contact").withheld
    released = text.replace("release contact to agent", "release contact to agent, other")
    assert not _clause(worlds.machine_of(released), "agree.large", "no_contact").withheld


def _declarations() -> list[str]:
    return re.split(r"(?m)^(?=[a-z])", BODY)[1:]


@pytest.mark.parametrize("seed", range(6))
def test_the_order_of_declarations_is_nothing(seed: int) -> None:
    parts = _declarations()
    forbids = [part for part in parts if part.startswith("forbid")]  # they are clauses, whose order counts
    others = [part for part in parts if not part.startswith("forbid")]
    random.Random(seed).shuffle(others)  # noqa: S311  which order it is doesn't matter
    assert worlds.machine_of(HEAD + "".join(others + forbids)).to_bytes() == MACHINE.to_bytes()


@pytest.mark.parametrize("text", sorted(set(re.findall(r'"[A-Z][^"\n]*"', BODY))))
def test_every_text_is_in_the_digest(text: str) -> None:
    changed = worlds.machine_of(TEXT.replace(text, text[:-1] + '!"', 1))
    assert changed.digest != MACHINE.digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("in eur", "in usd"),
        ("1000.00) in eur", "1000.00)"),
        ("spent: money = 0.00, contact: text(20) personal", "spent: money = 0.00, contact: text(20) secret"),
        ("text(20) personal by", "text(20) by"),
        ("priority 2", "priority 3"),
        ("not thing.old", "thing.old"),
        ("2 of boss", "3 of boss"),
        ("proposer, thing.owner", "proposer"),
        ("utc day", "utc week"),
        ("rolling 2 hours", "rolling 3 hours"),
        ("to 100 per", "to 101 per"),
        ("thing.owner, thing_id", "thing_id, thing.owner"),
        ("after 14 days", "after 15 days"),
        (" unblockable", ""),
        ("timeout 30 seconds", "timeout 31 seconds"),
        ("allow finish, agree", "allow finish"),
        ("> 5", "> 6"),
        ("<= 0", "<= 1"),
        ("enter by boss, person", "enter by boss"),
        ("while active", "while inner"),
        ("without agree, ship_it", "without ship_it"),
        (' assuming "People work."', ' assuming "People."'),
        ("to boss, ship", "to boss"),
        ('"Lost." failure', '"Lost." success'),
        ("proposer of agree", "proposer of finish"),
        ("signers of twice", "signers of said"),
    ],
)
def test_every_rule_is_in_the_digest(old: str, new: str) -> None:
    changed = TEXT.replace(old, new, 1)
    assert changed != TEXT
    assert worlds.machine_of(changed).digest != MACHINE.digest


def test_a_machine_comes_back_from_its_bytes() -> None:
    assert Machine.from_bytes(MACHINE.to_bytes()) == MACHINE
