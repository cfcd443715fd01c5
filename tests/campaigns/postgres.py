"""Kill the server of a ledger under load, and cut its nodes' connections, many times; check what stands.

    make campaign-postgres                 # 200 kills and 200 rounds of cuts, in rounds of 10 and 10
    make campaign-postgres KILLS=20 SEED=7

Each round has a ledger of its own, which is verified and replayed whole at its end.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "faults"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "postgres"))

import server_faults
from postgres_server import Server, programs

_A_ROUND = 10


def main() -> None:
    """Run it, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="how many kills, and how many rounds of cuts")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    found = programs()
    if found is None:
        sys.exit("the package `pgserver`, which brings a PostgreSQL server, is not installed")
    server = Server(found)
    sums = {"kills": 0, "cuts": 0, "cut_off": 0, "acknowledged": 0, "again": 0, "stood": 0, "gone": 0, "in_doubt": 0}
    try:
        for number in range(-(-given.count // _A_ROUND)):
            most = min(_A_ROUND, given.count - number * _A_ROUND)
            seed = given.seed * 1000 + number
            tally = server_faults.run(server, f"round_{number}", kills=most, cuts=most, seed=seed)
            for name in sums:
                found_now = getattr(tally, name)
                sums[name] += len(found_now) if isinstance(found_now, dict) else found_now
            print(
                f"{sums['kills']} kills, {sums['cuts']} rounds of cuts ({sums['cut_off']} connections): "
                f"{sums['acknowledged']} acknowledged, 0 lost, 0 double; unknown commits: {sums['stood']} stood, "
                f"{sums['gone']} did not, {sums['in_doubt']} left open; {sums['again']} tried again",
                flush=True,
            )
    finally:
        server.stop()


if __name__ == "__main__":
    main()
