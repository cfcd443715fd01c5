"""What can be said of a checked spec without running it: mistakes that are no error of any single line.

It reads the checked spec and the syntax tree, and adds warnings; it changes nothing and decides nothing. It only claims
what is certain: where it can't follow an expression, it is silent. Read `analyse.py` first, then the module of each
question: `names` (what is never used), `graph` (how states hang together), `possible` (which values an expression can
have) and `constraints` (whether several conditions can hold at once), which `conditions` puts together.
"""

from edca.semantic.analysis.analyse import analyse

__all__ = ["analyse"]
