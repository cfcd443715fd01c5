"""What one more node adds, on one PostgreSQL server: `make bench-nodes`.

Each node is a process of its own with eight callers. Every candidate is about a case of its own and is accepted, so
that nodes meet only at the database: it is `close` of the tests' desk, one record and one cell a decision. The server
is started for this from the package `pgserver`, with its default settings and with syncs. Server and nodes share the
machine's cores, so what is printed shows the machine as much as the store: read it beside how many cores there are.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1] / "tests"
sys.path[:0] = [str(TESTS / "faults"), str(TESTS / "postgres")]

CALLERS = 8


class AnyDesk:
    """A desk with every job that is asked for, each of them ready."""

    def __init__(self, desk: type) -> None:
        self.document, self.digest = desk.document, desk.digest

    def read(self, requests, as_of):
        """Say of each job that it is ready."""
        from edca.kernel.facts import Instance  # noqa: PLC0415  # in the nodes' processes only

        job = {"owner": "ona", "spent": 0, "ready": True}
        return tuple(
            Instance(one.entity, one.key, "jobs", as_of, True, None, {name: job[name] for name in one.fields})
            for one in requests
        )


def work(dsn: str, schema: str, name: str, seconds: float) -> None:
    """Be one node: submit for so long, once everybody is ready, and print how many were decided."""
    import desk_world as world  # noqa: PLC0415  # in the nodes' processes only
    from nodes import Node  # noqa: PLC0415

    node = Node.over(dsn, schema, AnyDesk(world.Desk), world.StillClock())
    counts, ends = [0] * CALLERS, [0.0]

    def call(place: int) -> None:
        number = 0
        while time.monotonic() < ends[0]:
            answer = node.submit("close", job_id=f"{name}-{place}-{number}", caller=world.BOSS)
            assert answer.state == "closed", answer.verdict
            number += 1
        counts[place] = number

    node.submit("close", job_id=f"{name}-warm", caller=world.BOSS)
    print("ready", flush=True)
    sys.stdin.readline()
    ends[0] = time.monotonic() + seconds
    threads = [threading.Thread(target=call, args=(place,)) for place in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(sum(counts), flush=True)
    node.close()


def measured(dsn: str, count: int, seconds: float) -> float:
    """Return how many decisions a second so many nodes make together."""
    command = [sys.executable, __file__, "--node", dsn, "--schema", f"n{count}", "--seconds", str(seconds)]
    nodes = [
        subprocess.Popen(  # noqa: S603  # this file, with arguments from above
            [*command, "--name", f"p{place}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for place in range(count)
    ]
    for node in nodes:
        assert node.stdout is not None
        assert node.stdout.readline() == "ready\n"
    for node in nodes:
        assert node.stdin is not None
        node.stdin.write("go\n")
        node.stdin.flush()
    return sum(int(node.communicate()[0]) for node in nodes) / seconds


def main() -> None:
    """Measure one, two and four nodes, and print what each adds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--node", help=argparse.SUPPRESS)
    parser.add_argument("--schema", help=argparse.SUPPRESS)
    parser.add_argument("--name", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.node is not None:
        work(given.node, given.schema, given.name, given.seconds)
        return
    from postgres_server import Server, programs  # noqa: PLC0415  # not in the nodes' processes

    found = programs()
    if found is None:
        sys.exit("the package `pgserver`, which brings a PostgreSQL server, is not installed")
    server = Server(found)
    try:
        alone = 0.0
        for count in (1, 2, 4):
            rate = measured(server.dsn, count, given.seconds)
            alone = alone or rate
            print(f"{count} node{'s' if count > 1 else ' '}: {rate:7.0f} decisions a second, {rate / alone:.2f} of one")
        print(f"on {os.cpu_count()} cores, which the server and the nodes share")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
