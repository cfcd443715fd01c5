"""The part of JSON Schema that OpenAI's strict mode takes, and how a tool's parameters are told within it.

Source: "Structured model outputs, supported schemas" of OpenAI's documentation. Taken there are objects that are closed
and require all their members, `anyOf` below the root, `enum`, for texts `pattern` and `format`, for numbers `minimum`
and `maximum`, for lists `minItems` and `maxItems`; not `minLength`, `maxLength` and `prefixItems`. What can't be a
keyword there is said in the description, and admission tests it either way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.kernel.canonical import Data

DESCRIPTION_MAX = 1024  # characters of a function's description
PROPERTIES_MAX = 5000
NESTING_MAX = 10  # objects within objects
TEXT_MAX = 120_000  # characters of all names of members and values of enumerations
ENUM_MAX = 1000  # values of all enumerations
# An enumeration with more than so many values …
LARGE_ENUM = 250
LARGE_ENUM_TEXT_MAX = 15_000  # … has at most so many characters in all of them


@dataclass(frozen=True, slots=True)
class _Count:
    """What is bounded over a whole schema: members, levels of objects, characters, and values of enumerations."""

    properties: int
    nesting: int
    text: int
    values: int


def strict(schema: dict[str, Data]) -> dict[str, Data]:
    """Return the schema in the words that strict mode knows.

    Raises `ValueError`, naming the bound, for one that is larger than strict mode takes.
    """
    told = _told(schema)
    found = _count(told)
    for number, bound, what in (
        (found.properties, PROPERTIES_MAX, "members"),
        (found.nesting, NESTING_MAX, "levels of objects"),
        (found.text, TEXT_MAX, "characters of names and enumerations"),
        (found.values, ENUM_MAX, "values of enumerations"),
    ):
        if number > bound:
            raise ValueError(f"strict mode takes parameters of at most {bound} {what}; these have {number}")
    return told


def _told(schema: dict[str, Any]) -> dict[str, Data]:
    told: dict[str, Data] = {}
    said: list[str] = []
    for word, value in schema.items():
        match word:
            case "properties":
                told[word] = {name: _told(part) for name, part in value.items()}
            case "items":
                told[word] = _told(value)
            case "anyOf":
                told[word] = [_told(part) for part in value]
            case "prefixItems":
                parts = [_told(part) for part in value]
                same = [part for index, part in enumerate(parts) if part not in parts[:index]]
                told["items"] = same[0] if len(same) == 1 else {"anyOf": [*same]}
            case "minLength":
                said.append("not empty")
            case "maxLength":
                said.append(f"at most {value} characters")
            case "description":
                said.insert(0, value)
            case _:
                told[word] = value
    if said:
        told["description"] = "; ".join(said)
    return told


def _count(schema: dict[str, Data]) -> _Count:
    properties = text = values = deepest = 0
    for part, nesting in _parts(schema, 0):
        members: Any = part.get("properties", {})
        listed: Any = part.get("enum", [])
        listed_text = sum(len(value) for value in listed)
        if len(listed) > LARGE_ENUM and listed_text > LARGE_ENUM_TEXT_MAX:
            raise ValueError(f"strict mode takes {LARGE_ENUM_TEXT_MAX} characters in a large enumeration")
        properties += len(members)
        text += sum(len(name) for name in members) + listed_text
        values += len(listed)
        deepest = max(deepest, nesting)
    return _Count(properties, deepest, text, values)


def _parts(schema: dict[str, Any], around: int) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield the schema and all within it, each with how many objects there are from the root down to it."""
    nesting = around + 1 if "properties" in schema else around
    yield schema, nesting
    for part in (*schema.get("properties", {}).values(), *schema.get("anyOf", ())):
        yield from _parts(part, nesting)
    if "items" in schema:
        yield from _parts(schema["items"], nesting)
