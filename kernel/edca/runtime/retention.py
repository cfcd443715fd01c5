"""Retention: for how long what is personal in a finished case is kept, by class, and erasing it when that is over.

Which class a case is in follows from its machine and the state that it ended in. The rules are kept in the ledger as
configuration, and each erasure that they lead to names them, so that an auditor can see why it was due.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edca.kernel.calendar import DAY
from edca.ledger.record import parse
from edca.runtime import cases, config
from edca.runtime.erasing import Erased, Obstacles, Request, erase
from edca.runtime.opened import OpenedStore
from edca.runtime.retention_rules import OUTSIDE, RETENTION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.ledger.verification import Progress
    from edca.runtime.context import Context
    from edca.runtime.retention_rules import RetentionRules


@dataclass(frozen=True, slots=True)
class Kept:
    """A case, or what somebody asked outside of any, whose class is known: until when it is kept (microseconds UTC).

    `obstacle` says why it can't be erased even then, null where it can.
    """

    scope: str
    of_class: str
    since: int
    until: int
    obstacle: str | None


def kept(context: Context, rules: RetentionRules) -> tuple[Kept, ...]:
    """Return what has a class and still its personal values, in order of when its time is over."""
    store = context.store
    if not isinstance(store, OpenedStore):
        return ()
    obstacles, found = Obstacles(context, store), list[Kept]()
    for scope, _, there in store.vault.scopes():
        if not there or not scope.startswith(f"{context.tenant}/"):
            continue
        row = cases.load_row(store, scope)
        if row is None:
            numbers = store.vault.records_of(scope)
            if rules.outside_days is not None and numbers:
                content: Any = parse(store.store.read(numbers[-1]).body).content
                since = content["at"]
                until, why = since + rules.outside_days * DAY, obstacles.of(scope, even_open=False)
                found.append(Kept(scope, OUTSIDE, since, until, why))
            continue
        rule = rules.class_of(obstacles.configuration.machine(row.case.machine), row.case.state)
        if rule is not None:
            since = row.case.entered
            why = obstacles.of(scope, even_open=False)
            found.append(Kept(scope, rule.name, since, since + rule.days * DAY, why))
    return tuple(sorted(found, key=lambda one: (one.until, one.scope)))


def purge(context: Context, rules: RetentionRules, by: str, progress: Progress | None = None) -> tuple[Erased, ...]:
    """Erase everything whose time is over and that nothing stands against, class by class; each is put on record.

    `progress` is called as by `erasing.erase`, for each class. Raises as that does.
    """
    now = context.clock.now()
    due = [one for one in kept(context, rules) if one.until <= now and one.obstacle is None]
    if due:
        context.turn(lambda: config.keep(context.store, [(RETENTION, rules.digest, rules.document)]))
    return tuple(_erase(context, rules, name, by, due, progress) for name in dict.fromkeys(one.of_class for one in due))


def _erase(
    context: Context, rules: RetentionRules, name: str, by: str, due: Sequence[Kept], progress: Progress | None
) -> Erased:
    scopes = tuple(one.scope for one in due if one.of_class == name)
    reason = f"the time of class `{name}` is over"
    return erase(context, Request(RETENTION, name, by, reason, cases=scopes, rules=rules.digest), progress)
