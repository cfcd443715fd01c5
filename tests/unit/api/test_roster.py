"""Goal: a roster file is read strictly, TOML and JSON alike, and every mistake is named by its place."""

import json
from pathlib import Path

import pytest

from edca.api import FixedClock, Kernel, RosterError, SystemClock, load_roster
from edca.api.roster import check_roster, likely_meant
from edca.diagnostics import Source
from edca.kernel.calendar import parse_time
from edca.kernel.roster import Principal, Roster
from edca.semantic.compile import compile_spec

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
        (lambda d: d["principals"][0].update(model="*"), "principals[0].model: expected the id of exactly"),
        (lambda d: d["principals"][0].update(model="gpt-*"), "principals[0].model: expected the id of exactly"),
        (lambda d: d["principals"][0].update(model="LATEST "), "principals[0].model: expected the id of exactly"),
        (lambda d: d["principals"][0].update(model=" "), "principals[0].model: expected the id of exactly"),
        (lambda d: d["principals"][0].update(model=""), "principals[0].model: expected"),
        (lambda d: d["principals"][0].update(person="x"), "principals[0]: a model is no person"),
        (lambda d: d["principals"][1].update(key="ed25519:00"), "principals[1].key: expected a public key"),
        (lambda d: d["principals"][1].update(key="00" * 32), "principals[1].key: expected a public key"),
        (
            lambda d: d["principals"][1].update(starts="2026-01-02T00:00:00Z", ends="2026-01-01T00:00:00Z"),
            "principals[1]: it ends before it starts",
        ),
        (lambda d: d["mandates"][0].update(uses_max=0), "mandates[0].uses_max: "),
        (lambda d: d["mandates"][0].update(revoked_at="today"), "mandates[0].revoked_at: expected an RFC 3339 time"),
        (lambda d: d["principals"][1].update(roles=[]), "principals[1].roles: expected at least one"),
        (lambda d: d["principals"][1].update(id=3), "principals[1].id: expected text"),
        (lambda d: d.update(principal=[]), "principal: there is no such key; did you mean `principals`?"),
        (lambda d: d["mandates"][0].update(zzz=1), "mandates[0].zzz: there is no such key"),
        (
            lambda d: d["principals"][1].update(rolls=["x"]),
            "principals[1].rolls: there is no such key; did you mean `roles`?",
        ),
        (lambda d: d["mandates"][0].update(starts="2026-01-01T00:00:00"), "mandates[0].starts: expected an RFC 3339"),
        (lambda d: d["mandates"][0].update(starts="2028-01-01T00:00:00Z"), "mandates[0]: it ends before it starts"),
        (
            lambda d: d["mandates"][0].update(principal="bot"),
            "is not a roster:\n  mandate `standing`: `bot` is no person in role",
        ),
        (lambda d: d["principals"].append({"id": "sven", "roles": ["x"]}), "principals name one id twice"),
        (lambda d: d.pop("principals"), "principals: it is missing"),
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


def _machine():
    compiled = compile_spec(Source("refund.edca", (_HERE.parents[2] / "specs/refund/refund.edca").read_text("utf-8")))
    assert compiled.machine is not None
    return compiled.machine


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda d: d["principals"][0].update(roles=["asistant"]),
            "principal `bot`: `refund` has no role `asistant`; did you mean `assistant`?",
        ),
        (
            lambda d: d["principals"][1].update(roles=["goat"]),
            "principal `carla`: `refund` has no role `goat`; it has assistant, ",
        ),
        (
            lambda d: d["mandates"][0].update(transitions=["pay", "aprove_refund"]),
            "mandate `standing`: `refund` has no transition `aprove_refund`; did you mean `approve_refund`?",
        ),
        (
            lambda d: (d["principals"][2].update(roles=["superviser"]), d["mandates"][0].update(role="superviser")),
            "mandate `standing`: `refund` has no role `superviser`; did you mean `supervisor`?",
        ),
    ],
)
def test_names_the_machine_does_not_have_are_errors(tmp_path, change, message):
    data = json.loads(json.dumps(_GOOD))
    change(data)
    roster, machine = _load(tmp_path, data), _machine()
    with pytest.raises(RosterError) as raised:
        check_roster(roster, machine)
    assert message in str(raised.value)
    with pytest.raises(RosterError, match="does not fit the machine"):
        Kernel.open(machine, routes=_HERE / "refund.arp", roster=roster, ledger=tmp_path / "x.ledger")
    assert not (tmp_path / "x.ledger").exists()


def test_what_is_said_for_another_machine_is_left_to_it(tmp_path):
    data = json.loads(json.dumps(_GOOD))
    data["principals"].append({"id": "olga", "roles": ["porter"]})
    other = {"id": "gate", "principal": "olga", "role": "porter", "machine": "gate", "transitions": ["open"]}
    data["mandates"].append({**data["mandates"][0], **other})
    roster, machine = _load(tmp_path, data), _machine()
    check_roster(roster, machine)
    assert likely_meant(roster, machine) == ()
    data["mandates"][1]["machine"] = "refnud"
    roster = _load(tmp_path, data)
    check_roster(roster, machine)
    assert likely_meant(roster, machine) == ("mandate `gate` is for the machine `refnud`; did you mean `refund`?",)


def test_clocks_count_microseconds():
    clock = FixedClock("2026-03-20T12:00:00Z")
    start = clock.now()
    clock.advance(5)
    assert (start, clock.now()) == (1_774_008_000_000_000, start + 5)
    assert SystemClock().now() > start - 10**15
    with pytest.raises(ValueError, match="RFC 3339"):
        FixedClock("yesterday")


def test_accounts_have_a_person_a_key_and_a_time_and_mandates_an_end(tmp_path):
    data = json.loads(json.dumps(_GOOD))
    data["principals"][2].update(person="sven.lind", key="ed25519:" + "ab" * 32, ends="2026-06-01T00:00:00Z")
    data["mandates"][0].update(uses_max=3, revoked_at="2026-02-01T00:00:00Z")
    roster = _load(tmp_path, data)
    found = roster.find("sven")
    assert (found.person, found.key, found.starts) == ("sven.lind", bytes.fromhex("ab" * 32), None)
    assert found.is_valid(found.ends - 1) and not found.is_valid(found.ends)
    assert (roster.person("sven"), roster.person("carla"), roster.person("nobody")) == ("sven.lind", "carla", "nobody")
    (mandate,) = roster.mandates
    assert (mandate.uses_max, mandate.revoked_at) == (3, parse_time("2026-02-01T00:00:00Z"))
    assert type(roster).from_raw(roster.to_raw()) == roster


def test_a_roster_that_a_program_makes_may_not_name_an_alias_either():
    compiled = compile_spec(Source("refund.edca", (_HERE.parents[2] / "specs/refund/refund.edca").read_text("utf-8")))
    roster = Roster((Principal("bot", ("assistant",), "model-latest"),), ())
    with pytest.raises(RosterError, match="no id of exactly one model"):
        check_roster(roster, compiled.machine)
