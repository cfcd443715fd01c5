"""Goal: what a decision reads of somebody else's case is that case's no more once it was erased, and what was read
before belongs to the case that was decided on.
"""

from complaints_desk import CLEO, bot
from test_erase import C3, assert_sound, erased

from edca.ledger.record import parse
from edca.runtime.opened import opened


def join(desk, case, other):
    arguments = {"complaint_id": case, "other": other}
    return desk.kernel.submit({"transition": "join_it", "arguments": arguments}, caller=CLEO)


def told_of(desk, mark):
    """Return kind and chain of each record whose opened content holds a mark."""
    desk.settle()
    records = (parse(stored.body) for stored in opened(desk.ledger).records())
    return [(one.kind, one.chain) for one in records if mark in repr(one.content)]


def phones(desk, case):
    """Return what is on record of a complaint's number, in the newest record that says anything of the complaint."""
    desk.settle()
    found = [parse(stored.body).content.get("facts", ()) for stored in opened(desk.ledger).records()]
    newest = [one for facts in found for one in facts if one["key"] == [case]]
    return newest[-1]["fields"]["phone"]


def test_what_is_personal_of_an_erased_case_is_unknown_to_every_other_decision(desk):
    desk.note("c1", bot("mia"), "PLANTED-words")
    erased(desk)
    before = desk.ledger.size
    assert join(desk, "c3", "c1").verdict.code == "another"
    assert phones(desk, "c1") == {"unknown": "input_erased"}
    assert desk.note("c1", bot("mia"), "words").verdict.code == "unknown_case"
    assert phones(desk, "c1") == {"unknown": "input_erased"}
    assert desk.ledger.size == before + 2
    assert told_of(desk, "PLANTED-phone-mia-1") == []
    assert told_of(desk, "PLANTED-phone-ned-1") == [("verdict", C3)]
    assert_sound(desk)


def test_what_is_not_personal_of_it_is_read_as_ever(desk):
    """It stands in records as it is, and somebody else's case may need it."""
    desk.note("c1", bot("mia"), "PLANTED-words")
    erased(desk)
    desk.note("c1", bot("mia"), "words")
    *_, stored = opened(desk.ledger).records(chain="intake")
    (facts,) = parse(stored.body).content["facts"]
    assert facts["found"]
    assert facts["fields"]["premium"] == {"is": True}
    assert facts["fields"]["phone"] == {"unknown": "input_erased"}


def test_what_was_read_of_it_before_goes_with_the_case_that_was_decided_on(desk):
    """It is what that verdict rests on: sealed under that case's key, it outlasts the person's erasure."""
    desk.note("c1", bot("mia"), "PLANTED-words")
    assert join(desk, "c3", "c1").verdict.code == "another"
    erased(desk)
    assert told_of(desk, "PLANTED-phone-mia-1") == [("verdict", C3)]
    assert desk.planted() == []  # as ever, no file shows it
    desk.kernel.erase_case(C3, by="otto", reason="her letter: it is about her, too", even_open=True)
    assert told_of(desk, "PLANTED-phone-mia-1") == []
    assert_sound(desk)
