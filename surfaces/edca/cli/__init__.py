"""The command line, a thin surface over `edca.api`.

Read first: `main.py`.
"""
