"""The trusted base: values, the machine, canonical bytes and the pure function `decide`.

Pure, total and bounded: no clock, randomness, input/output or float. It may import the standard library's
pure modules and `msgpack`, nothing else of EDCA.

Read first: `values.py`, then `decide.py`. It is short because each step has a module: `gate.py` (the early stages),
`judgement.py` (clauses, with `approvals.py` and `limits.py`), `properties.py`; `movement.py` says how a case moves.
`program.py` prepares a transition once: its arguments' reader (`reader.py`) and the function that computes its clauses
and makes a plain acceptance (`decision.py`, over `generate.py`). `evaluate.py` computes single expressions.
"""
