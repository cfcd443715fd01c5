"""Goal: a recorded model replies to the very prompts it was recorded with, and to nothing else."""

import json

import pytest
from test_converse import ORDER, Script, approve, reply

from edca.api.converse import Ended, converse
from edca.api.converse_model import Reply, Rung
from edca.api.player import DivergedError, RecordedModel, RecordingError, RecordingModel, first_difference
from edca.api.untrusted import Untrusted

SECRET = bytes(32)  # the same handles whenever it is played
SAID = Untrusted("customer", "It broke. I want 20 back.")


def record(desk, path):
    kernel = desk.open(ledger=desk.folder / "first.ledger")
    model = RecordingModel(Script(reply(approve("5000.00")), reply(b"\xff{"), reply(approve("20.00"), 7)), path)
    return converse(Rung(model, desk.bot), kernel, about=ORDER, events=[SAID], secret=SECRET)


def test_a_recording_replays_the_whole_conversation_without_its_model(desk, tmp_path):
    recorded = record(desk, tmp_path / "talk.jsonl")
    model = RecordedModel(tmp_path / "talk.jsonl")
    kernel = desk.open(ledger=desk.folder / "second.ledger")
    played = converse(Rung(model, desk.bot), kernel, about=ORDER, events=[SAID], secret=SECRET)
    assert model.left == 0
    assert [turn.candidate for turn in played.turns] == [turn.candidate for turn in recorded.turns]
    assert [turn.told for turn in played.turns] == [turn.told for turn in recorded.turns]
    assert (
        (played.ended, played.says)
        == (recorded.ended, recorded.says)
        == (Ended.SAID, Untrusted("model", "That is all."))
    )


def test_it_says_where_a_transcript_diverges_and_stops(desk, tmp_path):
    record(desk, tmp_path / "talk.jsonl")
    desk.run_sql("UPDATE t_so SET tot_c = 9000 WHERE so_no = 'o1'")
    kernel = desk.open(ledger=desk.folder / "second.ledger")
    rungs = [Rung(RecordedModel(tmp_path / "talk.jsonl"), desk.bot), Rung(Script(), desk.bot)]
    with pytest.raises(DivergedError) as caught:
        converse(rungs, kernel, about=ORDER, events=[SAID], secret=SECRET)
    assert (caught.value.turn, caught.value.path) == (1, "$.view.facts.order.total")
    assert (caught.value.recorded, caught.value.asked) == ('"80.00"', '"90.00"')
    assert "turn 1" in str(caught.value) and "record it again" in str(caught.value)


def test_it_diverges_where_the_recording_is_over(desk, tmp_path):
    (tmp_path / "empty.jsonl").write_bytes(b"")
    with pytest.raises(DivergedError, match="no such turn"):
        converse(Rung(RecordedModel(tmp_path / "empty.jsonl"), desk.bot), desk.open(), about=ORDER)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "not one JSON object"),
        ("[]", "exactly the members"),
        ('{"prompt": {}}', "exactly the members"),
        ('{"prompt": {}, "prompt": {}, "reply": {}}', "stands twice"),
        ('{"prompt": {}, "reply": {"candidate": null, "says": ""}}', "a reply has exactly"),
        (
            '{"prompt": {}, "reply": {"candidate": 1, "says": "", "cost": null, "shape": "json"}}',
            "`candidate` is a int",
        ),
        ('{"prompt": {}, "reply": {"candidate": null, "says": "", "cost": true, "shape": "json"}}', "`cost` is a bool"),
        ('{"prompt": {}, "reply": {"candidate": null, "says": "", "cost": null, "more": 1}}', "a reply has exactly"),
        ('{"prompt": {}, "reply": {"candidate": null, "says": "", "cost": null, "shape": "xml"}}', "`shape` is one of"),
        ("\xff", "not one JSON object"),
    ],
)
def test_a_file_that_is_no_recording_is_refused_with_its_line(tmp_path, line, problem):
    path = tmp_path / "talk.jsonl"
    good = json.dumps({"prompt": {}, "reply": {"candidate": None, "says": "", "cost": None, "shape": "json"}})
    path.write_bytes(f"{good}\n{line}\n".encode("latin-1"))
    with pytest.raises(RecordingError, match=problem) as caught:
        RecordedModel(path)
    assert "line 2" in str(caught.value)


def test_the_first_difference_is_found_wherever_it_stands():
    base = {"a": [1, {"b": "x"}], "c": None}
    assert first_difference(base, json.loads(json.dumps(base))) is None
    for other, path in (
        ({"a": [1, {"b": "y"}], "c": None}, "$.a[1].b"),
        ({"a": [1], "c": None}, "$.a.length"),
        ({"a": [1, {"b": "x"}]}, "$.c"),
        ({"a": [True, {"b": "x"}], "c": None}, "$.a[0]"),
        ({"a": {}, "c": None}, "$.a"),
    ):
        found = first_difference(base, other)
        assert found is not None and found[0] == path


def test_a_reply_of_nothing_is_not_recorded(desk, tmp_path):
    class Leaves:
        def propose(self, prompt, /):
            return None

    model = RecordingModel(Leaves(), tmp_path / "talk.jsonl")
    converse([Rung(model, desk.bot), Rung(Script(Reply(says="Hi.")), desk.bot)], desk.open(), about=ORDER)
    assert (tmp_path / "talk.jsonl").read_bytes() == b""
