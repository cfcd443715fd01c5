"""The text of a function being generated: its lines, its names, and what it has computed so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Term:
    """A computed value: the variable or literal that holds it, and whether that may be unknown, or absent."""

    text: str
    unknown: bool
    none: bool


@dataclass(slots=True)
class _Layer:
    """A stretch of the text that binds `names`; what a loop's body computes holds within it only."""

    names: Mapping[str, Term]
    loop: bool
    known: dict[object, Term] = field(default_factory=dict)


class Text:
    """Lines in single assignments. `loads` is what may be named: each is loaded once, where it is used at all."""

    def __init__(self, loads: Mapping[str, str]) -> None:
        """Begin with no line."""
        self._sources = loads
        self._loads: dict[str, None] = {}
        self._lines: list[str] = []
        self._count = 0
        self._layers = [_Layer({}, loop=False)]
        self._constants: dict[str, object] = {}
        self.indent = " "

    def function(self, parameters: str, result: str, *, name: str, space: Mapping[str, object]) -> Any:
        """Compile the lines, and `result` at their end, to a function of those parameters."""
        head = [f" {load} = {self._sources[load]}" for load in self._loads]
        text = "\n".join([f"def run({parameters}):", *head, *self._lines, f" return {result}"])
        names: dict[str, Any] = {**space, **self._constants}
        exec(compile(text, f"<{name}>", "exec"), names)  # noqa: S102  text of our own making: see `generate`
        return names["run"]

    def line(self, text: str) -> None:
        """Add a line at the present indentation."""
        self._lines.append(self.indent + text)

    def load(self, name: str) -> str:
        """Return the name of something that was handed in, loaded at the function's head."""
        self._loads[name] = None
        return name

    def new(self) -> str:
        """Return a name that stands nowhere yet."""
        self._count += 1
        return f"t{self._count}"

    def assign(self, text: str, *, unknown: bool = False, none: bool = False) -> Term:
        """Add an assignment to a new name."""
        name = self.new()
        self.line(f"{name} = {text}")
        return Term(name, unknown, none)

    def constant(self, value: Any) -> Term:
        """Return a constant; what has no plain literal is handed in by name."""
        if value is None or isinstance(value, (bool, int, str)):
            return Term(f"({value!r})" if value.__class__ is int else repr(value), False, value is None)
        name = f"k{len(self._constants)}"
        self._constants[name] = value
        return Term(name, False, False)

    def recall(self, key: object) -> Term | None:
        """Return what was kept under the key and still holds here."""
        return next((layer.known[key] for layer in reversed(self._layers) if key in layer.known), None)

    def keep(self, key: object, free: frozenset[str], term: Term) -> Term:
        """Remember a term for as long as the text that computed it holds: to the end of a loop or of a binding."""
        for layer in reversed(self._layers):
            if layer.loop or not free.isdisjoint(layer.names):
                layer.known[key] = term
                return term
        self._layers[0].known[key] = term
        return term

    def bound(self, name: str) -> Term:
        """Return what a variable of the expression stands for here."""
        return next(layer.names[name] for layer in reversed(self._layers) if name in layer.names)

    def enter(self, names: Mapping[str, Term], *, loop: bool) -> None:
        """Begin a stretch in which the names are bound."""
        self._layers.append(_Layer(names, loop))

    def leave(self) -> None:
        """End it."""
        self._layers.pop()
