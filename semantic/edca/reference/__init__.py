"""The reference interpreter: the language once more, slow and obvious, as the oracle for the compiled kernel.

It walks the typed tree as the author wrote it (`edca.semantic.typed`, `edca.semantic.checked`), not the lowered
machine, and keeps its state graph on the `transitions` library. It shares data types and the values' codec with the
compiled path, and nothing else that computes: no lowering, no generated code, no gate. So a mistake in either shows as
a difference between the two.

Read `evaluate` first, then `judge`. It may import `edca.semantic`'s trees and the kernel's data types.
"""
