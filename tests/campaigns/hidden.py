"""Lets models try things at all five desks and looks for internal words in what they see: `make campaign-hidden`.

Each batch gets a world under new internal names (tests/laws/masquerade.py), every one of which is a canary: it stands
nowhere but in that world's routes and database. Candidates are written by chance, and inquiries with them where a desk
has queries; one statement of the source in forty
fails with a message that names it, and all that a model could see is searched: views, answers, the text of exceptions,
what is logged and printed. Every tenth batch is also tried in the world as the repository writes it, and both
transcripts must be equal byte for byte. Exits with 1 if a word is found or a transcript differs.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "laws"))

from desks import DESKS, Desk, tries
from masquerade import disguised
from test_law_5_two_schemas import transcript

BATCH = 100


def batch(desk: Desk, number: int, seed: int, *, compare: bool) -> list[str]:
    """Try one batch and return what was found wrong."""
    chance = random.Random(f"{seed} {number}")  # noqa: S311
    failing = frozenset(chance.sample(range(1, 4_000), 100))
    tried = tries(desk, chance.randrange(2**32), BATCH)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain = desk.world(folder)
        world, disguise = disguised(plain, folder, chance.randrange(2**32))
        said = io.StringIO()
        handler = logging.StreamHandler(said)
        logging.getLogger().addHandler(handler)
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                told = transcript(desk, world, folder / "disguised", tried, failing)
        except Exception as error:  # what a host could pass on to its model
            said.write(f"{type(error).__name__}: {error}")
            told = []
        finally:
            logging.getLogger().removeHandler(handler)
        found = [f"{desk.spec} {number}: `{word}` is seen" for word in disguise.found_in(b"".join(told))]
        found += [f"{desk.spec} {number}: `{word}` is said" for word in disguise.found_in(said.getvalue().encode())]
        if not told:
            found.append(f"{desk.spec} {number}: {said.getvalue()}")
        elif compare and told != transcript(desk, plain, folder / "plain", tried, failing):
            found.append(f"{desk.spec} {number}: the transcripts differ")
    return found


def main() -> int:
    """Run the campaign and print what it counted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000, help="candidates in all (100,000)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.getLogger().setLevel(logging.DEBUG)
    began, wrong, compared = time.monotonic(), [], 0
    batches = -(-options.count // BATCH)
    for number in range(batches):
        compare = number // len(DESKS) % 10 == 0
        found = batch(DESKS[number % len(DESKS)], number, options.seed, compare=compare)
        compared += compare
        wrong += found
        for one in found:
            print(one, flush=True)
        if (number + 1) % 50 == 0:
            print(f"{(number + 1) * BATCH:,} of {batches * BATCH:,} candidates, {len(wrong)} wrong", flush=True)
    print(
        f"{batches * BATCH:,} candidates at {len(DESKS)} desks, {compared * BATCH:,} of them in two worlds; seed "
        f"{options.seed}; {len(wrong)} wrong; {time.monotonic() - began:,.0f} s"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
