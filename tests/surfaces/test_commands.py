"""Goal: every command does its work, says it to people and to tools, and ends with the right exit code."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Edca = Submit = Callable[..., Any]  # see conftest.py

SELL: dict[str, object] = {"transition": "sell_seat", "arguments": {"seat_id": "a1", "offer": 20}, "key": "k1"}
YES = ("--attest", "agreed=true:ann:guest")


@pytest.fixture
def broken(theatre: Path) -> Path:
    """A spec with three mistakes."""
    path = theatre / "broken.edca"
    text = (theatre / "seats.edca").read_text(encoding="utf-8")
    for right, wrong in (
        ("offer >= seat.price", "offr >= seat.price"),
        ("seat.taken", "seat.tken"),
        ("within 30", "for 30"),
    ):
        assert right in text
        text = text.replace(right, wrong, 1)
    path.write_text(text, encoding="utf-8")
    return path


class TestCheck:
    """`edca check`."""

    def test_a_right_spec_has_no_mistakes(self, edca: Edca, theatre: Path) -> None:
        ran = edca("check", theatre / "seats.edca", "--routes", theatre / "seats.arp")
        assert (ran.code, ran.out) == (0, "seats 1.0.0: no mistakes\n")
        document = edca("check", theatre / "seats.edca", "--json").json
        assert document["ok"] is True and document["diagnostics"] == [] and len(document["digest"]) == 64

    def test_all_mistakes_are_found_in_one_run(self, edca: Edca, broken: Path) -> None:
        ran = edca("check", broken, "--error-format", "concise")
        assert ran.code == 1
        assert ran.out.count(": error[") >= 3
        document = edca("check", broken, "--json").json
        assert document["ok"] is False and document["digest"] is None
        assert {"code", "message", "primary"} <= set(document["diagnostics"][0])
        assert isinstance(json.loads(edca("check", broken, "--error-format", "json").out), list)
        human = edca("check", broken)
        assert "^^^^" in human.out and "\x1b[" not in human.out

    def test_routes_are_checked_against_the_spec(self, edca: Edca, theatre: Path) -> None:
        routes = theatre / "seats.arp"
        routes.write_text(routes.read_text(encoding="utf-8").replace("taken = tk", ""), encoding="utf-8")
        ran = edca("check", theatre / "seats.edca", "--routes", routes)
        assert ran.code == 1
        assert "error[R" in ran.out

    def test_what_is_no_text_is_an_error_of_use(self, edca: Edca, tmp_path: Path) -> None:
        path = tmp_path / "noise.edca"
        path.write_bytes(b"\xff\x00\xfe")
        ran = edca("check", path)
        assert ran.code == 2 and "not UTF-8" in ran.err

    def test_any_text_is_a_finding(self, edca: Edca, tmp_path: Path) -> None:
        path = tmp_path / "noise.edca"
        path.write_text("\x00\x1b[31m}{" * 50, encoding="utf-8")
        ran = edca("check", path)
        assert ran.code == 1 and "\x1b" not in ran.out


class TestCompile:
    """`edca compile`."""

    def test_the_artefact_is_written_and_its_digest_printed(self, edca: Edca, theatre: Path) -> None:
        artefact = theatre / "seats.machine"
        ran = edca("compile", theatre / "seats.edca", "--output", artefact)
        digest, name, version = ran.out.split()
        assert (ran.code, name, version, len(digest)) == (0, "seats", "1.0.0", 64)
        document = edca("compile", theatre / "seats.edca", "--json").json
        assert document["digest"] == digest and document["size"] == artefact.stat().st_size

    def test_a_wrong_spec_gives_diagnostics_and_no_artefact(self, edca: Edca, broken: Path) -> None:
        artefact = broken.with_suffix(".machine")
        ran = edca("compile", broken, "-o", artefact)
        assert ran.code == 1 and ran.out == "" and "error[" in ran.err
        assert not artefact.exists()

    def test_an_artefact_that_can_t_be_written_is_an_error(self, edca: Edca, theatre: Path) -> None:
        ran = edca("compile", theatre / "seats.edca", "-o", theatre / "nowhere" / "x")
        assert ran.code == 2 and "no such file" in ran.err


class TestTest:
    """`edca test`."""

    def test_scenarios_pass(self, edca: Edca, theatre: Path) -> None:
        ran = edca("test", theatre / "seats.edca")
        assert ran.code == 0 and "1 of 1 scenarios passed" in ran.out

    def test_a_failing_scenario_is_a_finding(self, edca: Edca, theatre: Path) -> None:
        spec = theatre / "seats.edca"
        text = spec.read_text(encoding="utf-8")
        spec.write_text(
            text.replace("then accepted to sold with paid = 20.00", "then refused too_little"), encoding="utf-8"
        )
        ran = edca("test", spec)
        assert ran.code == 1 and "expected refused too_little, got accepted to sold" in ran.out
        document = edca("test", spec, "--json").json
        assert document["ok"] is False
        assert [row["passed"] for row in document["scenarios"]] == [False]

    def test_a_mistake_in_a_scenario_is_a_diagnostic(self, edca: Edca, theatre: Path) -> None:
        spec = theatre / "seats.edca"
        spec.write_text(spec.read_text(encoding="utf-8").replace("given open", "given opn"), encoding="utf-8")
        ran = edca("test", spec)
        assert ran.code == 1 and "`opn`" in ran.err


class TestSubmit:
    """`edca submit`, and what it shares with `edca view`."""

    def test_an_acceptance(self, submit: Submit) -> None:
        ran = submit(SELL, *YES)
        assert ran.code == 0
        assert "accepted sell_seat, open → sold" in ran.out and "effects: confirmed" in ran.out

    def test_an_escalation_is_output_unless_fail_on_asks(self, submit: Submit) -> None:
        assert submit(SELL).code == 0
        assert submit(SELL, "--fail-on", "refused,escalated").code == 1
        assert submit(SELL, "--fail-on", "refused").code == 0
        ran = submit(SELL, "--fail-on", "never")
        assert ran.code == 2 and "`never` is none" in ran.err

    def test_the_document_says_what_the_model_is_told(self, submit: Submit) -> None:
        cheap = SELL | {"arguments": {"seat_id": "a1", "offer": 1.5}}
        document = submit(cheap, *YES, "--json").json
        assert document["verdict"]["outcome"] == "refused"
        assert document["verdict"]["code"] == "too_little"
        assert document["model_is_told"]["codes"] == ["too_little"]
        assert document["record"]["index"] == 3 and document["outcome"] is None

    @pytest.mark.parametrize("payload", [b"", b"\xff", b"{", b"[]", b"[" * 100_000, b" " * 300_000, b'{"a":NaN}'])
    def test_whatever_is_no_candidate_is_refused_and_recorded(self, submit: Submit, payload: bytes) -> None:
        ran = submit(payload, "--json")
        assert ran.code == 0
        assert ran.json["verdict"]["code"] == "malformed"

    @pytest.mark.parametrize("source", ["trial-heuristic", "trial-x"])
    def test_a_trial_s_attestation_is_accepted_nowhere_else(self, submit: Submit, theatre: Path, source: str) -> None:
        ran = submit(SELL, *YES, "--attested-through", source)
        assert ran.code == 2 and "nobody was asked" in ran.err
        assert not (theatre / "seats.ledger").exists()

    @pytest.mark.parametrize(
        ("attested", "message"),
        [
            ("agreed", "can't be read"),
            ("agreed=true:ann", "can't be read"),
            ("agreed=yes:ann:guest", "must be `true` or `false`"),
            ("agreed=true:ann:goat", "no role `goat`"),
            (f"occasion={'x' * 41}:ann:guest", "not of its type"),
        ],
    )
    def test_a_wrong_attestation_is_an_error_of_use(self, submit: Submit, attested: str, message: str) -> None:
        ran = submit(SELL, "--attest", attested)
        assert ran.code == 2 and message in ran.err

    def test_a_claim_s_value_may_hold_colons(self, submit: Submit, edca: Edca, theatre: Path) -> None:
        submit(SELL, "--attest", "occasion=at 20:15: a birthday:ann:guest")
        assert "occasion = at 20:15: a birthday by ann" in edca("explain", 3, "--ledger", theatre / "seats.ledger").out

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (("--now", "noon"), "is no time"),
            (("--source", "house"), "takes NAME=URL"),
            (("--source", "barn=sqlite://"), "the routes have `house`"),
            (("--roster", "nowhere.toml"), "no such file"),
            (("--routes", "nowhere.arp"), "no such file"),
            (("--ledger", "nowhere/x.ledger"), "lock file"),
        ],
    )
    def test_wrong_options_are_errors_of_use(self, submit: Submit, options: tuple[str, ...], message: str) -> None:
        ran = submit(SELL, *options)
        assert ran.code == 2 and message in ran.err and "Traceback" not in ran.err

    def test_a_wrong_roster_names_the_place(self, submit: Submit, theatre: Path) -> None:
        (theatre / "roster.toml").write_text("[[principals]]\nid = 3\n", encoding="utf-8")
        ran = submit(SELL)
        assert ran.code == 2 and "principals[0].id" in ran.err

    def test_a_ledger_that_is_something_else_is_an_error(self, submit: Submit, theatre: Path) -> None:
        (theatre / "seats.ledger").write_bytes(b"\x01" * 5000)
        ran = submit(SELL)
        assert ran.code == 2 and "Traceback" not in ran.err

    def test_a_source_comes_from_the_environment(
        self, edca: Edca, theatre: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        arguments: list[object] = ["view", theatre / "seats.edca", "--routes", theatre / "seats.arp", "--case", "a1"]
        arguments += ["--as", "bot", "--role", "assistant"]
        monkeypatch.delenv("EDCA_TEST_HOUSE_URL", raising=False)
        ran = edca(*arguments)
        assert ran.code == 2 and "EDCA_TEST_HOUSE_URL is not set" in ran.err
        monkeypatch.setenv("EDCA_TEST_HOUSE_URL", f"sqlite:///{theatre / 'house.db'}")
        assert edca(*arguments).code == 0
        monkeypatch.setenv("EDCA_TEST_HOUSE_URL", "nonsense")
        ran = edca(*arguments)
        assert ran.code == 2 and "house" in ran.err

    def test_a_source_without_the_tables_is_a_finding(self, edca: Edca, theatre: Path, host: list[object]) -> None:
        (theatre / "house.db").write_bytes(b"")
        ran = edca("view", theatre / "seats.edca", *host, "--case", "a1")
        assert ran.code == 1 and "error[R005]" in ran.err


class TestView:
    """`edca view`."""

    def test_a_case_as_its_source_shows_it(self, edca: Edca, theatre: Path, host: list[object]) -> None:
        ran = edca("view", theatre / "seats.edca", *host, "--case", "a1")
        assert ran.code == 0
        assert "open: Nobody sits here." in ran.out and "can be proposed: sell_seat(" in ran.out

    def test_a_case_as_the_ledger_has_it(self, edca: Edca, theatre: Path, host: list[object], ledger: Path) -> None:
        document = edca("view", theatre / "seats.edca", *host, "--case", "a1", "--ledger", ledger, "--json").json
        assert (document["state"], document["revision"], document["transitions"]) == ("sold", 1, [])

    def test_what_does_not_exist_shows_nothing(self, edca: Edca, theatre: Path, host: list[object]) -> None:
        assert edca("view", theatre / "seats.edca", *host, "--case", "z9", "--json").json["state"] is None
        assert edca("view", theatre / "seats.edca", *host, "--json").json["transitions"] == []

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (("--case", "[1, 2]"), "is no key"),
            (("--case", "[" * 100_000), "is no key"),
            (("--case", "a1", "--entity", "boat"), "no entity `boat`"),
            (("--case", "a1", "--role", "goat"), "no role `goat`"),
        ],
    )
    def test_wrong_options_are_errors_of_use(
        self, edca: Edca, theatre: Path, host: list[object], options: tuple[str, ...], message: str
    ) -> None:
        ran = edca("view", theatre / "seats.edca", *host, *options)
        assert ran.code == 2 and message in ran.err

    def test_nothing_internal_is_shown(self, edca: Edca, theatre: Path, host: list[object]) -> None:
        ran = edca("view", theatre / "seats.edca", *host, "--case", "a1", "--json")
        assert not [name for name in ("t_st", "sno", "prc_c", "tk", "house") if f'"{name}' in ran.out]


class TestLedger:
    """`edca log`, `explain`, `verify`, `replay`."""

    def test_the_log_lists_and_filters(self, edca: Edca, ledger: Path) -> None:
        everything = edca("log", ledger, "--json").json
        assert [row["outcome"] for row in everything][3:] == [
            "escalated",
            "accepted",
            "",  # the permit for its effect is spent
            "confirmed",
            "refused",
            "refused",
        ]
        assert [row["index"] for row in edca("log", ledger, "--code", "too_little", "--json").json] == [7]
        assert [row["index"] for row in edca("log", ledger, "--outcome", "accepted", "--json").json] == [4]
        assert {row["entry"] for row in edca("log", ledger, "--case", "a1", "--json").json} == {0, 1, 2, 3}
        assert "malformed" in edca("log", ledger).out

    def test_every_record_can_be_explained(self, edca: Edca, ledger: Path) -> None:
        count = len(edca("log", ledger, "--json").json)
        for index in range(count):
            ran = edca("explain", index, "--ledger", ledger)
            assert ran.code == 0 and ran.out.startswith(f"record {index}: ")
        assert "the permit for effect take_seat is spent" in edca("explain", 5, "--ledger", ledger).out
        refusal = edca("explain", 7, "--ledger", ledger).out
        assert "too_little: The seat costs more than that." in refusal and "offer = 1.00" in refusal
        document = edca("explain", 4, "--ledger", ledger, "--json").json
        assert document["kind"] == "verdict" and document["content"]["verdict"]["outcome"] == "accepted"

    def test_a_record_that_is_not_there(self, edca: Edca, ledger: Path) -> None:
        ran = edca("explain", 99, "--ledger", ledger)
        assert ran.code == 2 and "there is no record 99" in ran.err and "edca log" in ran.err

    def test_a_sound_ledger_verifies_and_replays(self, edca: Edca, ledger: Path) -> None:
        document = edca("verify", ledger, "--json").json
        assert document["ok"] is True and document["size"] == 9
        assert edca("verify", ledger, "--expect-size", 9, "--expect-root", document["root"]).code == 0
        assert "not checked: deletion of the newest records" in edca("verify", ledger).out
        ran = edca("replay", ledger)
        assert (ran.code, ran.out) == (0, "9 of 9 records equal\n")
        assert edca("replay", ledger, "--json").json["equal"] == 9

    def test_a_cut_tail_shows_against_a_kept_checkpoint(self, edca: Edca, ledger: Path) -> None:
        ran = edca("verify", ledger, "--expect-size", 10)
        assert ran.code == 1 and "the newest were deleted" in ran.out

    def test_reading_commands_leave_the_ledger_as_it_is(self, edca: Edca, ledger: Path) -> None:
        before = ledger.read_bytes()
        commands: list[list[Any]] = [["log", ledger], ["verify", ledger], ["replay", ledger]]
        for command in [*commands, ["explain", 4, "--ledger", ledger]]:
            assert edca(*command).code == 0
        assert ledger.read_bytes() == before
