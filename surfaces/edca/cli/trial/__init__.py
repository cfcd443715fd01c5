"""The trial: a recorded agent's calls as candidates of a kernel, on fresh copies of the world they were made in.

Nothing here knows a domain. Beside the spec stand `trial.toml` (the harness settings) and the world module it names.
Read in this order: `settings.py`, `world.py`, `trace.py`, `run.py` (one run), `trial.py` (all of them), `report.py`.
"""
