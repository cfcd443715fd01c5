"""`edca receipt`: one record with the proof that it is in a ledger."""

from pathlib import Path
from typing import Annotated, Final

import typer

from edca.cli.errors import CLIError
from edca.cli.loading import open_to_read
from edca.cli.options import AsJSON, Ledger, command_app, examples
from edca.cli.output import document
from edca.cli.signing import read_checkpoint
from edca.cli.writing import Output, write_text
from edca.ledger.errors import TamperedError
from edca.ledger.proof import inclusion_proof, root_of_inclusion
from edca.ledger.publishing import subtrees_of
from edca.ledger.receipt import Receipt

app: Final = command_app()

_Index = Annotated[
    int, typer.Argument(metavar="INDEX", help="The record, as `edca log` numbers it.", min=0, show_default=False)
]
_Checkpoint = Annotated[
    Path,
    typer.Option("--checkpoint", metavar="FILE", help="A signed checkpoint of this ledger.", show_default=False),
]


@app.command(
    epilog=examples(
        "edca receipt refunds.ledger 4 --checkpoint refunds.checkpoint -o order-o1.receipt",
        "edca verify order-o1.receipt --trust refunds.example/desk+1a2b3c4d+Ab…",
    )
)
def receipt(
    ledger: Ledger, index: _Index, checkpoint: _Checkpoint, output: Output = None, as_json: AsJSON = False
) -> None:
    """Write a receipt: a record, the proof that it is in the ledger, and the signed checkpoint.

    Whoever holds it can show the record to anybody, refusals as well as acceptances, and needs neither the ledger nor
    its keeper for that: `edca verify` and the independent verifiers check it. The form is that of c2sp.org/tlog-proof.
    """
    note, kept = read_checkpoint(checkpoint)
    with open_to_read(ledger) as opened:
        if index >= kept.size:
            raise CLIError(
                f"the checkpoint counts {kept.size} records, and record {index} came after them",
                "sign a newer one with `edca checkpoint`",
            )
        stored = opened.read(opened.number_at(index))
        path = inclusion_proof(subtrees_of(opened), index, kept.size) if kept.size <= opened.size else ()
    if root_of_inclusion(stored.leaf.leaf_hash(), index, kept.size, path) != kept.root:
        raise TamperedError(f"the first {kept.size} records are not those that `{checkpoint}` was signed for")
    made = Receipt(stored, path, note.to_bytes()).to_bytes().decode()
    if as_json:
        document({"index": index, "size": kept.size, "receipt": made})
        return
    write_text(made, output)
