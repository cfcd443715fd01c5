"""`edca decline`: say no to what an open question asks."""

from typing import Final

import typer

from edca.cli.answering import answering

_TOLD: Final = """
Say no to what an open question asks, which refuses it.

One no of somebody who may answer is enough, whatever others have said. Otherwise this works as `edca approve`.
"""

app: Final[typer.Typer] = answering("decline", _TOLD, yes=False)
