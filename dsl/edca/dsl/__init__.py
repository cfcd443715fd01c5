"""Text to syntax: the grammar of `.edca` files and the syntax tree.

It knows nothing of meaning: names are kept as written. It may import `edca.kernel` and `edca.diagnostics`.

Read first: `tree` (what a spec consists of) and `parse.py` (the way from text to tree). The way is: `scan` text to
lexemes, `split` lexemes to chunks, `grammar` (with `grammar.lark`) chunk to parse tree, `build_declarations` (with
`build_scenarios`, `build_clauses` and `build_expressions`) parse tree to syntax tree, `read_chunks` and `read_blocks`
what goes wrong to findings; `explain` words them.
"""
