"""`edca approve`: say yes to what an open question asks, or waive it."""

from typing import Final

import typer

from edca.cli.answering import answering

_TOLD: Final = """
Say yes to what an open question asks, or waive it, and decide again.

The answer is to what an acceptance would do, as `edca inbox` shows it, and counts for just that: if anything of it has
changed meanwhile, the answer is void and the question is asked anew. Every answer is on record, void or not. Who
answers is taken at your word, unless the roster has a key of theirs: then --key signs. The exit code is 1 for an answer
that is void.
"""

app: Final[typer.Typer] = answering("approve", _TOLD, yes=True)
