"""The same world under other internal names: what law 5 says a model can't tell apart.

A `World` is a routes file and a database. `disguised` gives it other table, column, code and source names, other row
ids, columns and tables that nothing reads, and the columns in another order; what the spec calls facts stays as it is.
"""

from __future__ import annotations

import dataclasses
import random
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edca.diagnostics import Source
from edca.dsl.tree import Name
from edca.routing import tree
from edca.routing.parse import parse

ALPHABET = "bcdfghjklmnpqrstvwxz"


@dataclass(frozen=True, slots=True)
class World:
    """Routes as text, the source's database, and what the routes call that source."""

    routes: str
    database: Path
    source: str


@dataclass(frozen=True, slots=True)
class Disguise:
    """What stands for what: names, then codes by the original's value. All of them are new words."""

    names: dict[str, str]
    codes: dict[str | int, str | int]

    def found_in(self, data: bytes) -> list[str]:
        """Return the internal words that stand in `data`, whatever their case."""
        told = data.lower()
        texts = (*self.names.values(), *(code for code in self.codes.values() if isinstance(code, str)))
        return [word for word in texts if word.lower().encode() in told]


def disguised(world: World, folder: Path, seed: int) -> tuple[World, Disguise]:
    """Return the world under names made from `seed`, and which they are."""
    chance = random.Random(seed)  # noqa: S311
    file = _parsed(world.routes)
    database = folder / f"{_word(chance)}.db"
    with sqlite3.connect(world.database) as source, sqlite3.connect(database) as target:
        source.backup(target)
    source.close()
    target.close()
    disguise = Disguise(_names(file, database, chance), _codes(file, chance))
    _rewrite(database, disguise, _coded(file), chance)
    return World(_routes(world.routes, file, disguise), database, disguise.names[world.source]), disguise


def _parsed(routes: str) -> tree.RoutesFile:
    parsed = parse(Source("routes", routes))
    assert parsed.file is not None and not parsed.diagnostics
    return parsed.file


# --- what is internal ---

# The fields of the tree that hold internal names; the other names are the spec's own, or the routes file's words.
INTERNAL = {
    tree.Column: ("table", "name"),
    tree.Match: ("column",),
    tree.OneRow: ("table", "by"),
    tree.ManyRows: ("table", "by"),
    tree.Header: ("name",),
    tree.Source: ("name",),
    tree.Applied: ("table", "key", "body"),
    tree.Codes: ("name",),
    tree.CodesEncoding: ("codes",),
    tree.Join: ("table", "on"),
    tree.Allot: ("table", "column", "by"),
    tree.Entity: ("source", "table"),
    tree.Change: ("column",),
    tree.Test: ("column",),
    tree.Assignment: ("column",),
    tree.Insert: ("table",),
    tree.Update: ("table",),
    tree.Delete: ("table",),
    tree.Check: ("table",),
    tree.Effect: ("source",),
}


def _nodes(node: object) -> Iterator[Any]:
    if isinstance(node, tuple):
        for one in node:
            yield from _nodes(one)
    elif dataclasses.is_dataclass(node):
        yield node
        for field in dataclasses.fields(node):
            yield from _nodes(getattr(node, field.name))


def _internal(file: tree.RoutesFile) -> Iterator[Name]:
    for node in _nodes(file):
        for field in INTERNAL.get(type(node), ()):
            yield from (one for one in _nodes(getattr(node, field)) if isinstance(one, Name) and _is_ours(node, one))


def _is_ours(node: object, name: Name) -> bool:
    """Tell apart `codes cabin_code`, which is internal, from the public names inside `codes { … }`."""
    return not isinstance(node, tree.CodesEncoding) or name is node.codes


def _code_maps(file: tree.RoutesFile) -> Iterator[tree.CodeMap]:
    return (node for node in _nodes(file) if isinstance(node, tree.CodeMap))


def _coded(file: tree.RoutesFile) -> frozenset[str]:
    """Return the columns that hold codes, by name."""
    found = set()
    for node in _nodes(file):
        match node:
            case tree.Cell(column=column, encoding=tree.CodesEncoding()):
                found.add(column.name.text)
            case tree.Assignment(column=column, value=tree.PathValue(encoding=tree.CodesEncoding())):
                found.add(column.text)
            case tree.Test(column=column, value=tree.PathValue(encoding=tree.CodesEncoding())):
                found.add(column.text)
    return frozenset(found)


# --- what stands for it ---


def _word(chance: random.Random) -> str:
    return "z" + "".join(chance.choice(ALPHABET) for _ in range(9))


def _names(file: tree.RoutesFile, database: Path, chance: random.Random) -> dict[str, str]:
    found = {name.text for name in _internal(file)}
    with sqlite3.connect(database) as connection:
        for table in _tables(connection):
            found.update((table, *_columns(connection, table)))
    connection.close()
    return {name: _word(chance) for name in sorted(found)}


def _codes(file: tree.RoutesFile, chance: random.Random) -> dict[str | int, str | int]:
    values = {entry.code.value for codes in _code_maps(file) for entry in codes.entries}
    texts = sorted(value for value in values if isinstance(value, str))
    numbers = sorted(value for value in values if isinstance(value, int))
    others = chance.sample(range(10_000, 90_000), len(numbers))
    return {**{text: _word(chance).upper() for text in texts}, **dict(zip(numbers, others, strict=True))}


# --- the routes ---


def _routes(text: str, file: tree.RoutesFile, disguise: Disguise) -> str:
    """Return the routes with every internal name and code replaced where it stands, and the comments gone."""
    edits: dict[tuple[int, int], str] = {}
    for name in _internal(file):
        edits[name.span.start, name.span.end] = disguise.names[name.text]
    coded = _coded(file)
    for node in _nodes(file):
        match node:
            case tree.CodeMap(entries=entries):
                literals = [entry.code for entry in entries]
            case tree.Match(column=column, equals=tree.Literal() as literal) if column.text in coded:
                literals = [literal]
            case tree.Test(column=column, value=tree.Literal() as literal) if column.text in coded:
                literals = [literal]
            case tree.Assignment(column=column, value=tree.Literal() as literal) if column.text in coded:
                literals = [literal]
            case _:
                continue
        for literal in literals:
            assert isinstance(literal.value, str | int)
            code = disguise.codes[literal.value]
            edits[literal.span.start, literal.span.end] = f'"{code}"' if isinstance(code, str) else str(code)
    for (start, end), new in sorted(edits.items(), reverse=True):
        text = text[:start] + new + text[end:]
    return re.sub(r"(?m)^\s*#.*\n", "", text)


# --- the database ---


def _tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name")
    return [name for (name,) in rows if not name.startswith("sqlite_")]


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def _rewrite(database: Path, disguise: Disguise, coded: frozenset[str], chance: random.Random) -> None:
    """Make the database anew from its own schema, under the other names, and carry the rows over."""
    connection = sqlite3.connect(database, isolation_level=None)
    schema = connection.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")
    parts = [(kind, name, sql) for kind, name, sql in schema.fetchall() if not name.startswith("sqlite_")]
    rows = {
        name: (_columns(connection, name), connection.execute(f"SELECT * FROM {name}").fetchall())
        for kind, name, _ in parts
        if kind == "table"
    }
    connection.close()
    database.unlink()
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = OFF")
    for kind, _, sql in parts:
        if kind == "table":
            extra = f"{_word(chance)} TEXT DEFAULT 'unread', "
            connection.execute(_renamed(_unchecked(sql), disguise).replace("(", f"({extra}", 1))
    for name, (columns, held) in rows.items():
        order = chance.sample(range(len(columns)), len(columns))
        into = ", ".join(disguise.names[columns[place]] for place in order)
        marks = ", ".join("?" * len(columns))
        told = [tuple(_code(columns[place], row[place], disguise, coded) for place in order) for row in held]
        connection.executemany(f"INSERT INTO {disguise.names[name]} ({into}) VALUES ({marks})", told)
    for kind, _, sql in parts:
        if kind != "table":
            connection.execute(_renamed(sql, disguise))
    connection.execute(f"CREATE TABLE {_word(chance)} ({_word(chance)} TEXT)")
    for table, number in connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall():
        ahead = number + chance.randrange(1, 1_000)
        connection.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = ?", (ahead, table))
    connection.close()


def _code(column: str, value: Any, disguise: Disguise, coded: frozenset[str]) -> Any:
    return disguise.codes.get(value, value) if column in coded else value


def _renamed(sql: str, disguise: Disguise) -> str:
    """Return SQL with the words replaced, and texts that are codes; other texts are left as they are."""
    quiet = re.sub(r"--[^\n]*", "", sql)
    pieces = re.split(r"('(?:[^']|'')*')", quiet)
    for place in range(1, len(pieces), 2):
        pieces[place] = f"'{disguise.codes.get(pieces[place][1:-1], pieces[place][1:-1])}'"
    for place in range(0, len(pieces), 2):
        pieces[place] = re.sub(r"\b[a-z_]\w*\b", lambda word: disguise.names.get(word[0], word[0]), pieces[place])
    return "".join(pieces)


def _unchecked(sql: str) -> str:
    """Return a table's definition without its checks, which hold the original's codes."""
    while found := re.search(r"\bCHECK\s*\(", sql):
        depth, end = 1, found.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(sql[end], 0)
            end += 1
        sql = sql[: found.start()] + sql[end:]
    return sql
