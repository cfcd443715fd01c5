"""Syntax to meaning to machine: names, types, analysis and lowering; views and candidates.

It may import `edca.dsl`, `edca.runtime` and what lies below.
"""
