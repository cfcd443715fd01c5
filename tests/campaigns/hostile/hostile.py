"""A hostile client: `make campaign-hostile`.

It sends what no honest client would, a million times by itself: damaged candidates in the shape of each provider,
answers to open questions by whoever under whatever signature, handles that it has made up or got elsewhere, and damaged
messages to an MCP server over a pipe. Throughout

- nothing raises but what an interface says it raises, and the server goes on answering;
- nothing is half accepted: at the end of each round the ledger verifies and replays, and the source has as many effects
  as the ledger has confirmed;
- nothing internal is told: every name of the source is a canary (tests/laws/masquerade.py);
- memory stays bounded: the process is no more than half as large again at the end as it was after a tenth.

It prints what it counted, and exits with 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "laws")]

from desks import DESKS, Desk, asks, attestations  # noqa: E402
from masquerade import Disguise, World, disguised  # noqa: E402
from mutate import damaged  # noqa: E402
from pipe import Server  # noqa: E402

from edca.api import AnswerError, Candidate, Kernel, candidates, for_model  # noqa: E402
from edca.kernel.candidate import Malformed  # noqa: E402
from edca.ledger.record import parse  # noqa: E402
from edca.ledger.verify import verify  # noqa: E402

# How many of each there are in a round of a thousand messages.
PARSED, SUBMITTED, ANSWERED, FORGED = 860, 60, 40, 40
ROUND = PARSED + SUBMITTED + ANSWERED + FORGED
MCP_MESSAGES = 1_000  # to one server, every twenty rounds
PROVIDERS: tuple[tuple[Callable[..., Candidate | Malformed], Callable[[dict[str, Any]], Any]], ...] = (
    (candidates.from_json, lambda payload: payload),
    (candidates.from_openai, lambda payload: {"output": [_function(payload) | {"type": "function_call"}]}),
    (candidates.from_openai, lambda payload: {"tool_calls": [{"type": "function", "function": _function(payload)}]}),
    (candidates.from_anthropic, lambda payload: {"content": [_tool_use(payload)]}),
    (candidates.from_mcp, lambda payload: _mcp_call(payload, 1)),
)


def _function(payload: dict[str, Any]) -> dict[str, Any]:
    return {"name": payload["transition"], "arguments": json.dumps(_given(payload))}


def _tool_use(payload: dict[str, Any]) -> dict[str, Any]:
    return {"type": "tool_use", "id": "t", "name": payload["transition"], "input": _given(payload)}


def _given(payload: dict[str, Any]) -> dict[str, Any]:
    return {"arguments": payload["arguments"], "confidence": payload["confidence"], "rationale": "Because."}


def _mcp_call(payload: dict[str, Any], number: int) -> dict[str, Any]:
    params = {"name": payload["transition"], "arguments": _given(payload)}
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}


class Findings:
    """What was counted, and what was wrong."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.counted: Counter[str] = Counter()
        self.wrong: list[str] = []

    def add(self, what: str) -> None:
        """Note and print something that must not be."""
        self.wrong.append(what)
        print(what, flush=True)


def round_of(
    desk: Desk,
    chance: random.Random,
    found: Findings,
    *,
    parsed: int = PARSED,
    submitted: int = SUBMITTED,
    answered: int = ANSWERED,
    forged: int = FORGED,
) -> None:
    """Send that many messages to one desk."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        world, disguise = disguised(desk.world(folder), folder, chance.randrange(2**32))
        ledger = folder / "ledger.db"
        with desk.open(world, folder, probing=None) as kernel:
            _parse(desk, chance, found, parsed)
            told = _submit(desk, kernel, chance, found, submitted)
            told += _answer(desk, kernel, chance, found, answered)
            told += _forge(desk, kernel, chance, found, forged)
            replayed = kernel.replay()
            if replayed.equal != replayed.total:
                found.add(f"{desk.spec}: {replayed.total - replayed.equal} records are not decided alike again")
        for word in disguise.found_in(told):
            found.add(f"{desk.spec}: `{word}` is told")
        findings = verify(ledger).findings
        if findings:
            found.add(f"{desk.spec}: the ledger has {len(findings)} findings")
        confirmed, performed = _confirmed(ledger), _performed(world, disguise)
        if confirmed != performed:
            found.add(f"{desk.spec}: {performed} effects in the source, {confirmed} confirmed in the ledger")


def _parse(desk: Desk, chance: random.Random, found: Findings, count: int) -> None:
    caller = desk.caller(desk.subjects[0])
    for ask in asks(desk, chance.randrange(2**32), count // 10):
        for _ in range(10):
            read, shape = chance.choice(PROVIDERS)
            payload = damaged(chance, shape(ask.payload))
            try:
                candidate = read(payload, caller)
            except Exception as error:
                found.add(f"{desk.spec}: {type(error).__name__} for {payload!r}: {error}")
                continue
            found.counted["candidates read" if isinstance(candidate, Candidate) else "malformed"] += 1
            if (candidate.proposer, candidate.role, candidate.subject) != (
                caller.proposer,
                caller.role,
                caller.subject,
            ):
                found.add(f"{desk.spec}: {payload!r} made itself another caller")


def _submit(desk: Desk, kernel: Kernel, chance: random.Random, found: Findings, count: int) -> bytes:
    told = b""
    for ask in asks(desk, chance.randrange(2**32), count):
        caller = desk.caller(ask.subject)
        read, shape = chance.choice(PROVIDERS)
        is_damaged = chance.random() < 0.4
        payload = damaged(chance, shape(ask.payload)) if is_damaged else json.dumps(shape(ask.payload)).encode()
        candidate = read(payload, caller)
        answer = kernel.submit(candidate, caller=caller, attestations=attestations(kernel, ask))
        told += json.dumps(for_model(kernel.machine, candidate, answer.verdict).to_raw()).encode()
        found.counted[f"submitted: {type(answer.verdict).__name__.lower()}"] += 1
    return told


def _answer(desk: Desk, kernel: Kernel, chance: random.Random, found: Findings, count: int) -> bytes:
    """Answer open questions, and questions that are none, as anybody with any role and signature."""
    told, people = b"", [principal.id for principal in desk.roster.principals]
    for _ in range(count):
        questions = kernel.inbox()
        asked = chance.choice(questions) if questions and chance.random() < 0.8 else None
        need = None if asked is None else chance.choice(asked.verdict.needs)
        is_apt = need is not None and chance.random() < 0.6
        code = need.code if need is not None and is_apt else chance.choice(["agreed", "no_such_clause", ""])
        role = need.role if need is not None and is_apt else chance.choice(["supervisor", "customer", "root", ""])
        by = chance.choice([*people, "nobody", "", "carla"])
        preview = asked.preview.digest if asked is not None and chance.random() < 0.7 else chance.randbytes(32)
        signature = None if chance.random() < 0.4 else chance.randbytes(chance.choice((0, 32, 64, 65)))
        say = kernel.approve if chance.random() < 0.8 else kernel.decline
        number = asked.id if asked is not None else chance.choice(["", "q", "0" * 64, chance.randbytes(8).hex()])
        try:
            answered = say(number, code=code, by=by, role=role, preview=preview, signature=signature)
        except AnswerError as error:
            told += str(error).encode()
            found.counted["answers not taken"] += 1
        else:
            found.counted["answers void" if answered.void is not None else "answers counted"] += 1
    return told


def _forge(desk: Desk, kernel: Kernel, chance: random.Random, found: Findings, count: int) -> bytes:
    """Look at cases and records by handles that are made up, altered, or somebody else's: all stand for nothing."""
    told, about = b"", kernel.machine.case_about
    ids = next(iter(desk.ids.values()))  # of the entity that cases are about
    secret = chance.randbytes(32)
    mine = kernel.session(desk.caller(desk.subjects[0]), secret=secret)
    nothing = mine.view(about, ["nobody's"])
    others = [
        kernel.session(desk.caller(desk.subjects[0]), secret=chance.randbytes(32)),
        kernel.session(desk.caller("mallory"), secret=secret),
        kernel.session(desk.caller(desk.subjects[0]), secret=secret, until="2000-01-01T00:00:00Z"),
    ]
    for _ in range(count):
        key = [chance.choice(ids)]
        genuine = mine.handle(about, key)
        place = chance.randrange(len(genuine))
        text = chance.choice(
            [
                genuine[:place] + chance.choice("abcdefgh234567") + genuine[place + 1 :],
                genuine[:place],
                genuine + genuine[place:],
                genuine.upper(),
                chance.choice(others[:2]).handle(about, key),
                "h_" + "".join(chance.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(52)),
                key[0],
                damaged(chance, genuine).decode("utf-8", "replace"),
            ]
        )
        reader = mine
        if text == genuine:
            reader = others[2]  # unaltered, but past its time
        if reader.record(text) is not None:
            found.add(f"{desk.spec}: {text!r} names a record")
        seen = reader.view(about, text)
        if seen != nothing:
            found.add(f"{desk.spec}: {text!r} shows something")
        told += json.dumps(seen.to_raw()).encode()
        found.counted["handles forged"] += 1
    return told


def _confirmed(ledger: Path) -> int:
    """Return how many effects the ledger says have happened and were not taken back."""
    count = 0
    with closing(sqlite3.connect(ledger)) as connection:
        for (body,) in connection.execute("SELECT body FROM ledger ORDER BY leaf"):
            record = parse(body)
            if record.kind == "outcome":
                count += sum(1 for one in record.content["effects"] if one["report"] == "done")
    return count


def _performed(world: World, disguise: Disguise) -> int:
    with closing(sqlite3.connect(world.database)) as connection:
        (count,) = connection.execute(f"SELECT count(*) FROM {disguise.names['t_done']}").fetchone()
    return int(count)


# --- messages to an MCP server ---


def mcp_round(chance: random.Random, found: Findings, count: int) -> None:
    """Send so many damaged messages to an MCP server over a pipe, and see that it goes on answering."""
    desk = DESKS[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        world, disguise = disguised(desk.world(folder), folder, chance.randrange(2**32))
        (folder / "routes.arp").write_text(world.routes, "utf-8")
        server = Server(desk, world, folder)
        try:
            asked = asks(desk, chance.randrange(2**32), count)
            for number, ask in enumerate(asked):
                server.send(damaged(chance, _mcp_message(chance, ask.payload, number)))
                found.counted["MCP messages"] += 1
                if number % 50 == 49 and not server.is_alive():
                    found.add("the MCP server no longer answers")
                    return
        finally:
            told = server.close()
        for word in disguise.found_in(told):
            found.add(f"MCP: `{word}` is told")
        if verify(folder / "ledger.db").findings:
            found.add("MCP: the ledger has findings")


def _mcp_message(chance: random.Random, payload: dict[str, Any], number: int) -> dict[str, Any]:
    if chance.random() < 0.7:
        return _mcp_call(payload, number)
    method, params = chance.choice(
        [
            ("tools/list", {"cursor": "x"}),
            ("resources/read", {"uri": f"edca://view/order/{chance.choice(['o1', 'o9', '../..', '%00'])}"}),
            ("resources/list", {}),
            ("resources/templates/list", {}),
            ("prompts/get", {"name": "x"}),
            ("initialize", {"protocolVersion": "1", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}),
            ("completion/complete", {"ref": {"type": "ref/prompt", "name": "x"}}),
            ("logging/setLevel", {"level": "debug"}),
            ("notifications/cancelled", {"requestId": number - 1}),
        ]
    )
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


# --- all of it ---


def resident_kib() -> int:
    """Return how much memory the process holds (Linux; elsewhere 0)."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def main() -> int:
    """Run the campaign and print what it counted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000, help="messages in all (1,000,000)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began, found, early = time.monotonic(), Findings(), 0
    rounds = max(1, -(-options.count // ROUND))
    for number in range(rounds):
        chance = random.Random(f"{options.seed} {number}")  # noqa: S311
        round_of(DESKS[number % len(DESKS)], chance, found)
        if number % 20 == 0:
            mcp_round(chance, found, MCP_MESSAGES)
        if number == rounds // 10:
            early = resident_kib()
        if (number + 1) % 50 == 0:
            print(f"{(number + 1) * ROUND:,} of {rounds * ROUND:,} messages, {len(found.wrong)} wrong", flush=True)
    late = resident_kib()
    if late > early * 1.5:
        found.add(f"the process grew from {early:,} to {late:,} KiB")
    for what, count in sorted(found.counted.items()):
        print(f"{count:>9,}  {what}")
    total, seconds = sum(found.counted.values()), time.monotonic() - began
    print(
        f"{total:,} messages; seed {options.seed}; {len(found.wrong)} wrong; {early:,} → {late:,} KiB; {seconds:,.0f} s"
    )
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
