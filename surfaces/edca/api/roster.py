"""Rosters from files, TOML or JSON: who exists, in which roles, and who has given which mandate.

```toml
[[principals]]
id = "desk-bot"
roles = ["assistant"]
model = "small-model-2024-05-01"      # exactly one version; a name that moves on by itself is refused

[[principals]]
id = "sven"
roles = ["supervisor"]

[[mandates]]
id = "summer"
principal = "sven"                     # answers, in this role, for these transitions (none named: for all)
role = "supervisor"
machine = "refund"
transitions = ["pay"]
starts = 2024-05-01T00:00:00Z
ends = 2024-09-01T00:00:00Z            # not included
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
from edca.kernel.calendar import parse_time
from edca.kernel.roster import Mandate, Principal, Roster
from edca.kernel.values import ID_LENGTH_MAX

if TYPE_CHECKING:
    import os
    from typing import Self


def _instant(value: object) -> object:
    """Return microseconds for RFC 3339 text or a TOML time; both need an offset."""
    text = value.isoformat() if isinstance(value, datetime) else value
    instant = parse_time(text) if isinstance(text, str) else None
    if instant is None:
        raise ValueError("expected an RFC 3339 time with an offset, like 2024-05-01T00:00:00Z")
    return instant


def _pinned(value: object) -> object:
    if isinstance(value, str) and value.lower().endswith("latest"):
        raise ValueError("expected the id of exactly one model; `latest` means another one every time")
    return value


_Id = Annotated[str, StringConstraints(min_length=1, max_length=ID_LENGTH_MAX)]
_Instant = Annotated[int, BeforeValidator(_instant)]
_Model = Annotated[_Id, BeforeValidator(_pinned)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _PrincipalRow(_Strict):
    id: _Id
    roles: Annotated[list[_Id], Field(min_length=1)]
    model: _Model | None = None


class _MandateRow(_Strict):
    id: _Id
    principal: _Id
    role: _Id
    machine: _Id
    transitions: list[_Id] = []
    starts: _Instant
    ends: _Instant

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
            tuple(Principal(row.id, tuple(row.roles), row.model) for row in rows.principals),
            tuple(
                Mandate(row.id, row.principal, row.role, row.machine, tuple(row.transitions), row.starts, row.ends)
                for row in rows.mandates
            ),
        )
    except ValidationError as error:
        found = [f"  {_place(item['loc'])}: {_sentence(item)}" for item in error.errors(include_url=False)]
        raise RosterError("\n".join([f"{file.name} is not a roster:", *found])) from None
    except ValueError as error:
        raise RosterError(f"{file.name} is not a roster: {error}") from None


def _place(steps: tuple[int | str, ...]) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".") or "the file"


def _sentence(item: Any) -> str:
    message: str = item["msg"].removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
