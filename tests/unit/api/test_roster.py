"""Goal: a roster file is read strictly, TOML and JSON alike, and every mistake is named by its place."""

import json
from pathlib import Path

import pytest

from edca.api import FixedClock, RosterError, SystemClock, load_roster
from edca.kernel.calendar import parse_time

_HERE = Path(__file__).resolve().parent

_GOOD = {
    "principals": [
        {"id": "bot", "roles": ["assistant"], "model": "small-model-2024-05-01"},
        {"id": "carla", "roles": ["customer"]},
        {"id": "sven", "roles": ["supervisor"]},
    ],
    "mandates": [
        {
            "id": "standing",
            "principal": "sven",
            "role": "supervisor",
            "machine": "refund",
            "starts": "2026-01-01T00:00:00Z",
            "ends": "2027-01-01T00:00:00+01:00",
        }
    ],
}


def _load(tmp_path, data):
    path = tmp_path / "roster.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data), "utf-8")
    return load_roster(path)


def test_toml_and_json_say_the_same(tmp_path):
    roster = load_roster(_HERE / "roster.toml")
    assert roster == _load(tmp_path, _GOOD)
    (mandate,) = roster.mandates
    assert mandate.ends == parse_time("2026-12-31T23:00:00Z")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda d: d["principals"][0].update(model="small-model-latest"),
            "principals[0].model: expected the id of exactly",
        ),
        (lambda d: d["principals"][1].update(roles=[]), "principals[1].roles:"),
        (lambda d: d["principals"][1].update(rolls=["x"]), "principals[1].rolls: extra inputs"),
        (lambda d: d["mandates"][0].update(starts="2026-01-01T00:00:00"), "mandates[0].starts: expected an RFC 3339"),
        (lambda d: d["mandates"][0].update(starts="2028-01-01T00:00:00Z"), "mandates[0]: it ends before it starts"),
        (
            lambda d: d["mandates"][0].update(principal="bot"),
            "the file: mandate `standing`: `bot` is no person in role",
        ),
        (lambda d: d["principals"].append({"id": "sven", "roles": ["x"]}), "principals name one id twice"),
        (lambda d: d.pop("principals"), "principals: field required"),
    ],
)
def test_mistakes_are_named(tmp_path, change, message):
    data = json.loads(json.dumps(_GOOD))
    change(data)
    with pytest.raises(RosterError) as raised:
        _load(tmp_path, data)
    assert message in str(raised.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_what_is_no_roster_at_all_is_refused(tmp_path, text):
    with pytest.raises(RosterError):
        _load(tmp_path, text)


def test_clocks_count_microseconds():
    clock = FixedClock("2026-03-20T12:00:00Z")
    start = clock.now()
    clock.advance(5)
    assert (start, clock.now()) == (1_774_008_000_000_000, start + 5)
    assert SystemClock().now() > start - 10**15
    with pytest.raises(ValueError, match="RFC 3339"):
        FixedClock("yesterday")
