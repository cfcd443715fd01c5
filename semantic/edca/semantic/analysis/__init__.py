"""What can be said of a checked spec without running it: mistakes that are no error of any single line.

It reads the checked spec and the syntax tree, and adds findings; it changes nothing and decides nothing. A warning only
claims what is certain: where it can't follow an expression, it is silent. What must be proved (a property of paths,
where labelled values go, that two branches exclude each other) is an error unless it is.

Read `analyse.py` first, then the module of each question:

- `names`: what is never used
- `graph`: how states hang together; `paths` and `forced`: the properties that the graph decides
- `possible`, with `ranges` and `arithmetic`: which values an expression can have
- `constraints`: whether several conditions can hold at once; `witness`: an example where they do
- `conditions`, `branches` and `idle` put these together: clauses, guards, and what is read for nothing
- `flow`: where labelled values go; `trying`: what of them a query would let a model find out
"""

from edca.semantic.analysis.analyse import analyse

__all__ = ["analyse"]
