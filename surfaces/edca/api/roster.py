"""Rosters from files, TOML or JSON: who exists, in which roles, and who has given which mandate.

```toml
[[principals]]
id = "desk-bot"
roles = ["assistant"]
model = "small-model-2024-05-01"      # exactly one version; a name that moves on by itself is refused

[[principals]]
id = "sven"
roles = ["supervisor"]

person = "sven.lind"                   # whose account it is: accounts of one person are one when they answer
key = "ed25519:5b6f…"                  # from `edca keygen`: with a key, answers are signed or don't count
ends = 2024-12-31T00:00:00Z            # from then on the account holds no role

[[mandates]]
id = "summer"
principal = "sven"                     # answers, in this role, for these transitions (none named: for all)
role = "supervisor"
machine = "refund"
transitions = ["pay"]
starts = 2024-05-01T00:00:00Z
ends = 2024-09-01T00:00:00Z            # not included
uses_max = 100                         # so many acceptances may rest on it; without it, any number
revoked_at = 2024-07-01T00:00:00Z      # taken back from then on
```
"""

from __future__ import annotations

import json
import tomllib
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from edca.api.errors import RosterError
from edca.diagnostics import closest
from edca.kernel.calendar import parse_time
from edca.kernel.roster import Mandate, Principal, Roster
from edca.kernel.values import ID_LENGTH_MAX
from edca.ledger.ed25519 import KEY_SIZE

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from typing import Self

    from edca.kernel.machine import Machine


KEY_PREFIX = "ed25519:"
"""What stands before the hexadecimal digits of a key, in rosters and in files."""


def _instant(value: object) -> object:
    """Return microseconds for RFC 3339 text or a TOML time; both need an offset."""
    text = value.isoformat() if isinstance(value, datetime) else value
    instant = parse_time(text) if isinstance(text, str) else None
    if instant is None:
        raise ValueError("expected an RFC 3339 time with an offset, like 2024-05-01T00:00:00Z")
    return instant


def _pinned(value: object) -> object:
    if isinstance(value, str) and is_alias(value):
        raise ValueError(f"expected the id of exactly one model; `{value}` means another one every time")
    return value


def is_alias(model: str) -> bool:
    """Tell whether a model's id is none that stays the same model: empty, a pattern, or one that moves on by itself."""
    return not model.strip() or "*" in model or model.strip().lower().endswith("latest")


def _public_key(value: object) -> object:
    """Return the 32 bytes of `ed25519:HEX`, as `edca keygen` prints it."""
    digits = value.removeprefix(KEY_PREFIX) if isinstance(value, str) and value.startswith(KEY_PREFIX) else ""
    try:
        key = bytes.fromhex(digits)
    except ValueError:
        key = b""
    if len(key) != KEY_SIZE:
        raise ValueError(f"expected a public key as `edca keygen` prints it: `{KEY_PREFIX}` and 64 hexadecimal digits")
    return key


_Id = Annotated[str, StringConstraints(min_length=1, max_length=ID_LENGTH_MAX)]
_Instant = Annotated[int, BeforeValidator(_instant)]
_Key = Annotated[bytes, BeforeValidator(_public_key)]
_Model = Annotated[_Id, BeforeValidator(_pinned)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _PrincipalRow(_Strict):
    id: _Id
    roles: Annotated[list[_Id], Field(min_length=1)]
    model: _Model | None = None
    person: _Id | None = None
    key: _Key | None = None
    starts: _Instant | None = None
    ends: _Instant | None = None

    @model_validator(mode="after")
    def _is_a_person_or_a_model(self) -> Self:
        if self.model is not None and (self.person is not None or self.key is not None):
            raise ValueError("a model is no person, and has no key to answer with")
        if self.starts is not None and self.ends is not None and self.starts >= self.ends:
            raise ValueError("it ends before it starts")
        return self


class _MandateRow(_Strict):
    id: _Id
    principal: _Id
    role: _Id
    machine: _Id
    transitions: list[_Id] = []
    starts: _Instant
    ends: _Instant
    uses_max: Annotated[int, Field(ge=1)] | None = None
    revoked_at: _Instant | None = None

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.starts >= self.ends:
            raise ValueError("it ends before it starts")
        return self


class _RosterFile(_Strict):
    principals: list[_PrincipalRow]
    mandates: list[_MandateRow] = []

    @model_validator(mode="after")
    def _mandates_are_by_people_who_hold_the_role(self) -> Self:
        holders = {(row.id, role) for row in self.principals if row.model is None for role in row.roles}
        for row in self.mandates:
            if (row.principal, row.role) not in holders:
                raise ValueError(f"mandate `{row.id}`: `{row.principal}` is no person in role `{row.role}`")
        return self


def load_roster(path: str | os.PathLike[str]) -> Roster:
    """Return the roster of a `.toml` or `.json` file. Raises `RosterError` for anything wrong in it."""
    file = Path(path)
    try:
        text = file.read_text("utf-8")
        raw: Any = tomllib.loads(text) if file.suffix == ".toml" else json.loads(text)
        rows = _RosterFile.model_validate(raw)
        return Roster(
            tuple(_principal(row) for row in rows.principals),
            tuple(_mandate(row) for row in rows.mandates),
        )
    except ValidationError as error:
        found = [f"  {_finding(item)}" for item in error.errors(include_url=False)]
        raise RosterError("\n".join([f"{file.name} is not a roster:", *found])) from None
    except ValueError as error:
        raise RosterError(f"{file.name} is not a roster: {error}") from None


def _principal(row: _PrincipalRow) -> Principal:
    return Principal(row.id, tuple(row.roles), row.model, row.person, row.key, row.starts, row.ends)


def _mandate(row: _MandateRow) -> Mandate:
    return Mandate(
        id=row.id,
        principal=row.principal,
        role=row.role,
        machine=row.machine,
        transitions=tuple(row.transitions),
        starts=row.starts,
        ends=row.ends,
        uses_max=row.uses_max,
        revoked_at=row.revoked_at,
    )


def check_roster(roster: Roster, machine: Machine) -> None:
    """Raise `RosterError` for names that mean nothing to the machine: they would make refusals that nobody can explain.

    A roster may serve several machines. So a role is also right if a mandate for another machine names it, and what is
    said for other machines is left to them; see `likely_meant`.
    """
    roles = machine.index.roles
    transitions = {*machine.index.transitions, *machine.index.offered}  # one branch, or all that share a name
    elsewhere = {mandate.role for mandate in roster.mandates if mandate.machine != machine.name}
    found = [
        f"principal `{principal.id}`: `{machine.name}` has no role `{role}`{_suggestion(role, roles)}"
        for principal in roster.principals
        for role in principal.roles
        if role not in roles and role not in elsewhere
    ]
    found += [
        f"principal `{principal.id}`: `{principal.model}` is no id of exactly one model"
        for principal in roster.principals
        if principal.model is not None and is_alias(principal.model)
    ]
    for mandate in roster.mandates:
        if mandate.machine != machine.name:
            continue
        if mandate.role not in roles:
            hint = _suggestion(mandate.role, roles)
            found.append(f"mandate `{mandate.id}`: `{machine.name}` has no role `{mandate.role}`{hint}")
        found += [
            f"mandate `{mandate.id}`: `{machine.name}` has no transition `{name}`{_suggestion(name, transitions)}"
            for name in mandate.transitions
            if name not in transitions
        ]
    if found:
        raise RosterError("\n".join(["the roster does not fit the machine:", *(f"  {line}" for line in found)]))


def fitting(roster: str | os.PathLike[str] | Roster, machine: Machine) -> Roster:
    """Return the roster, of its file or as it is, if it fits the machine. Raises `RosterError`, and `OSError`."""
    people = roster if isinstance(roster, Roster) else load_roster(roster)
    check_roster(people, machine)
    return people


def likely_meant(roster: Roster, machine: Machine) -> tuple[str, ...]:
    """Return a line for each mandate whose machine is not this one but is written almost like it.

    It may be right, so it is no error: another machine can have such a name.
    """
    return tuple(
        f"mandate `{mandate.id}` is for the machine `{mandate.machine}`; did you mean `{machine.name}`?"
        for mandate in roster.mandates
        if mandate.machine != machine.name and closest(mandate.machine, (machine.name,)) is not None
    )


def several_accounts(roster: Roster) -> tuple[str, ...]:
    """Return a line for each person with several accounts: people's answers count by person, clauses by account."""
    accounts: dict[str, list[str]] = {}
    for principal in roster.principals:
        if principal.model is None:
            accounts.setdefault(roster.person(principal.id), []).append(principal.id)
    return tuple(
        f"`{person}` has the accounts {', '.join(ids)}: they answer as one, but clauses compare accounts"
        for person, ids in sorted(accounts.items())
        if len(ids) > 1
    )


def _suggestion(name: str, known: Iterable[str]) -> str:
    near = closest(name, known)
    return f"; it has {', '.join(sorted(known))}" if near is None else f"; did you mean `{near}`?"


_PLAIN = {
    "missing": "it is missing",
    "string_type": "expected text",
    "string_too_short": "expected text that is not empty",
    "list_type": "expected a list",
    "too_short": "expected at least one",
    "model_type": "expected a table of keys and values",
}
"""What is wrong with a file, in its author's words; the rest of pydantic's messages are plain enough."""


def _finding(item: Any) -> str:
    place, message = _place(item["loc"]), item["msg"].removeprefix("Value error, ")
    match item["type"]:
        case "extra_forbidden":
            near = closest(str(item["loc"][-1]), _keys(item["loc"]))
            message = f"there is no such key{'' if near is None else f'; did you mean `{near}`?'}"
        case kind if kind in _PLAIN:
            message = _PLAIN[kind]
        case _:
            message = message[:1].lower() + message[1:]
    return f"{place}: {message}" if place else message


def _keys(steps: tuple[int | str, ...]) -> Iterable[str]:
    """Return the keys that the place of a surplus one may have."""
    rows: dict[int | str, type[_Strict]] = {"principals": _PrincipalRow, "mandates": _MandateRow}
    return (_RosterFile if len(steps) == 1 else rows[steps[0]]).model_fields


def _place(steps: tuple[int | str, ...]) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".")
