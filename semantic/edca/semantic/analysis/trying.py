"""Secrets that can be found out by trying: clauses of queries that weigh one against what whoever asks may choose.

A failed clause that reads a secret tells a model nothing but that it failed. Where the asker chooses what the secret is
compared with, that is enough: a query can be asked again and again, and each answer tells a little more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.diagnostics.diagnostic import Severity
from edca.kernel.machine import RoleKind
from edca.semantic import labels, typed, walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edca.semantic.checked import CheckedSpec
    from edca.semantic.problems import Problems


def check(spec: CheckedSpec, problems: Problems) -> None:
    """Report the first part of each clause by which a model could find out a secret that isn't released to it."""
    for query in spec.queries:
        models = [role for role in query.by if spec.words.roles[role].kind is RoleKind.MODEL]
        within = _Within(spec, dict(query.lets), models)
        for clause in query.clauses if models else ():
            found = next((found for part in within.parts(clause.condition) if (found := within.weighed(part))), None)
            if found is not None:
                secret, chosen = found
                problems.add(
                    "C057",
                    clause.span,
                    f"`{clause.code}` weighs `{secret}`, which is `secret`, against `{chosen}`: "
                    "a model finds it out by asking again and again",
                    help=f"drop the clause, or let only people ask `{query.name}`",
                    severity=Severity.WARNING,
                )


@dataclass(frozen=True, slots=True)
class _Within:
    """What can be read in one query, and the models that may ask it."""

    spec: CheckedSpec
    lets: Mapping[str, typed.Expression]
    models: list[str]

    def parts(self, node: typed.Expression) -> Iterator[typed.Expression]:
        """Yield the conditions of which the whole is made by `and`, `or` and `not`."""
        match node:
            case typed.Connective(_, operands):
                for operand in operands:
                    yield from self.parts(operand)
            case typed.Not(operand):
                yield from self.parts(operand)
            case typed.LetRead(name):
                yield from self.parts(self.lets[name])
            case typed.Applied(name, ()):
                yield from self.parts(self.spec.definitions[name].body)
            case _:
                yield node

    def weighed(self, part: typed.Expression) -> tuple[str, str] | None:
        """Return a secret and an argument that the part reads both, or null."""
        secret, chosen = next(self._secrets(part), None), next(self._chosen(part), None)
        return None if secret is None or chosen is None else (secret, chosen)

    def _secrets(self, part: typed.Expression) -> Iterator[str]:
        words = self.spec.words
        released = {(release.owner, release.name, to) for release in self.spec.releases for to in release.to}
        for owner, name in sorted(labels.read(part, words, self.spec.definitions, self.lets), key=str):
            secret = owner is not None and "secret" in words.entities[owner].field(name).labels
            if secret and any((owner, name, model) not in released for model in self.models):
                yield f"{owner}.{name}"

    def _chosen(self, node: typed.Expression) -> Iterator[str]:
        """Yield the arguments whose values count; not those that only say which instance is read."""
        match node:
            case typed.ArgumentRead(name):
                yield name
            case typed.FactRead():
                return
            case typed.LetRead(name):
                yield from self._chosen(self.lets[name])
            case typed.Applied(name, arguments):  # what it is given is what it can read
                for argument in arguments:
                    yield from self._chosen(argument)
            case _:
                for part in walk.parts(node):
                    yield from self._chosen(part)
