"""The loop that ties everything: gather, decide, record, permit, perform, confirm, over ports.

It knows no SQL, HTTP or model; stores and routes come in through small protocols. It may import `edca.ledger`
and what lies below.

Read first: `loop.py`, the whole way of one candidate. Then its stages: `gather.py`, `records.py`, `permits.py`,
`effects.py`. `recover.py` finishes what a crash left, `replay.py` decides everything again from the ledger alone.
"""
