"""The append-only, hash-chained, Merkle-committed sequence of records, its embedded store and its verifier.

Generic on purpose: it stores canonical record bodies, chains them and shows that nothing was changed. What a
record says is the writer's business. It may import `edca.kernel.canonical` and `edca.diagnostics`.

Read in this order: `record.py` (what is stored), `leaf.py` (what is hashed), `tree.py` (what commits to it
all), `sqlite.py` (where it lives), `checks.py`, `scan.py` and `verify.py` (how a stranger checks it), `folder.py` (the
same for what is published), `remains.py` (what can be read of one that does not verify). Exact bytes:
`docs/reference/ledger.md`.
"""
