"""Two versions of the refund world's machine, maps between them, and a short way to move what can be moved."""

import dataclasses

import refund_world as world

from edca.diagnostics import Source, human
from edca.runtime.migration_orders import Ordered
from edca.semantic.migration import compile_map

OLD = world.MACHINE
NEW = dataclasses.replace(OLD, version="2.0.0")
ORDER = Ordered("sven", "supervisor", "New rules hold from today.")
CASE = '/order:["o1"]'


def map_of(lines="", new=NEW, old=OLD):
    """Return a compiled map and its text."""
    text = f'edca 1\nmigrate refund from "{old.version}" to "{new.version}" "What changes."\n{lines}'
    compiled = compile_map(Source("refund.migration", text), old, new)
    assert compiled.migration is not None, human(compiled.diagnostics)
    return compiled.migration, text


def moved(bench, lines="", new=NEW, old=OLD, ordered=ORDER):
    """Go on under the new version, move what can move, and return what became of each case."""
    if bench.runtime.context.machine.digest != new.digest:
        bench.reopen(new)
    migration, text = map_of(lines, new, old)
    planned = bench.runtime.plan_migration(old, migration)
    done = bench.runtime.migrate(old, migration, text, ordered)
    assert [dataclasses.replace(one, record=None) for one in done.cases] == list(planned)
    bench.assert_replays()
    return done


def renamed(old, new, machine=NEW):
    """Return the machine with one transition under another name."""
    found = tuple(
        dataclasses.replace(one, name=new, offered=new) if one.name == old else one for one in machine.transitions
    )
    return dataclasses.replace(machine, transitions=tuple(sorted(found, key=lambda one: one.name)))


def with_clause(machine, transition, clause):
    found = tuple(
        dataclasses.replace(one, clauses=(*one.clauses, clause)) if one.name == transition else one
        for one in machine.transitions
    )
    return dataclasses.replace(machine, transitions=found)
