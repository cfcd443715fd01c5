"""The roster: who exists, which roles they hold, and which mandates people have given.

It is configuration with a digest, kept in the ledger, so that a replay has what was in force.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NewType, Self, TypeGuard

from edca.kernel import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from edca.kernel.canonical import Data


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody or something that can propose. `model` pins the exact model id where a model stands behind it.

    `person` is who this account belongs to: accounts that name one person are one, and an account that names none is a
    person of its own id. `key` is the person's Ed25519 public key (32 bytes): who has one on any account that holds its
    roles answers signed or not at all, through whichever account.
    The account holds its roles from `starts` until `ends` (microseconds UTC, the end not included; null: no bound).
    """

    id: str
    roles: tuple[str, ...]
    model: str | None = None
    person: str | None = None
    key: bytes | None = None
    starts: int | None = None
    ends: int | None = None

    def is_valid(self, now: int) -> bool:
        """Tell whether the account holds its roles at `now`."""
        return (self.starts is None or self.starts <= now) and (self.ends is None or now < self.ends)


Human = NewType("Human", Principal)
"""A principal that no model stands behind: one that `is_human` has told about."""


def is_human(principal: Principal) -> TypeGuard[Human]:
    """Tell whether no model stands behind a principal."""
    return principal.model is None


class Person(str):
    """The account of somebody who can answer for something: never a model's, whatever anybody writes.

    A verdict holds its anchor and its approvers as such. It can be made only of a principal that `is_human` has told
    about, so neither a text, nor a candidate's proposer, nor a model's account type-checks in their places.
    """

    __slots__ = ()

    def __new__(cls, account: Human) -> Self:
        """Take the account of a principal. Raises `ValueError` for a model's, for code that nobody has checked."""
        if not is_human(account):
            raise ValueError(f"`{account.id}` is the account of a model, and a model answers for nothing")
        return super().__new__(cls, account.id)

    def __reduce__(self) -> tuple[Callable[[str], Person], tuple[str]]:
        """Say how it is copied."""
        return person_on_record, (str(self),)


def person_on_record(account: str) -> Person:
    """Return the person that a record names, for reading records alone: by its roster it was a person's account."""
    principal = Principal(account, ())
    if not is_human(principal):
        raise AssertionError("a principal is human unless a model is named")
    return Person(principal)


@dataclass(frozen=True, slots=True)
class Mandate:
    """A standing authority that a person has given: they answer for these transitions until it ends.

    `transitions` empty means every transition of the machine that `role` answers for.
    A name in it stands for all branches that candidates call so; a branch's id for that branch alone.
    `starts` and `ends` are microseconds since the epoch, UTC; the end is not included. A person may take it back from
    `revoked_at` on. `uses_max` is how many acceptances may rest on it in all; null: as many as there are.
    """

    id: str
    principal: str
    role: str
    machine: str
    transitions: tuple[str, ...]
    starts: int
    ends: int
    uses_max: int | None = None
    revoked_at: int | None = None

    def is_valid(self, now: int) -> bool:
        """Tell whether it has begun, has not ended, and was not taken back before `now` or at it."""
        return self.starts <= now < self.ends and (self.revoked_at is None or now < self.revoked_at)


@dataclass(frozen=True, slots=True)
class Roster:
    """Principals and mandates, each sorted by id and unique."""

    principals: tuple[Principal, ...]
    mandates: tuple[Mandate, ...]
    _found: Mapping[str, Principal] = field(init=False, compare=False, repr=False)  # look-ups, no part of the value
    _persons: Mapping[str, str] = field(init=False, compare=False, repr=False)
    _answer: Mapping[str, Person] = field(init=False, compare=False, repr=False)  # who can, by account
    _keyed: Mapping[str, Sequence[Principal]] = field(init=False, compare=False, repr=False)  # by person
    _digest: bytes | None = field(default=None, init=False, compare=False, repr=False)
    _given: Mapping[tuple[str, str], Sequence[Mandate]] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Put both in order of id. Raises `ValueError` when an id occurs twice."""
        for name in ("principals", "mandates"):
            rows: tuple[Principal | Mandate, ...] = getattr(self, name)
            ids = [row.id for row in rows]
            if len(set(ids)) != len(ids):
                raise ValueError(f"the roster's {name} name one id twice")
            object.__setattr__(self, name, tuple(sorted(rows, key=lambda row: row.id)))
        keyed: dict[str, list[Principal]] = {}
        for row in self.principals:
            if row.key is not None:
                keyed.setdefault(row.id if row.person is None else row.person, []).append(row)
        given: dict[tuple[str, str], list[Mandate]] = {}
        for mandate in self.mandates:
            given.setdefault((mandate.machine, mandate.role), []).append(mandate)
        object.__setattr__(self, "_found", {row.id: row for row in self.principals})
        object.__setattr__(self, "_persons", {row.id: row.person for row in self.principals if row.person is not None})
        object.__setattr__(self, "_answer", {row.id: Person(row) for row in self.principals if is_human(row)})
        object.__setattr__(self, "_keyed", keyed)
        object.__setattr__(self, "_given", given)

    def find(self, principal: str) -> Principal | None:
        """Return the principal of that id."""
        return self._found.get(principal)

    def answerer(self, account: str) -> Person | None:
        """Return who answers through an account; null where a model stands behind it.

        Of somebody who is not on the roster the host vouches that they are a person.
        """
        found = self._answer.get(account)
        if found is None and account not in self._found:
            unlisted = Principal(account, ())
            return Person(unlisted) if is_human(unlisted) else None
        return found

    def person(self, principal: str) -> str:
        """Return whose account that is; somebody who is not on the roster is who they are."""
        return self._persons.get(principal, principal)

    def keys(self, principal: str, now: int | None = None) -> tuple[bytes, ...]:
        """Return the keys that the person has on any of their accounts: with `now`, of those that hold roles then.

        A key is a person's, not an account's: else an account without one would answer unsigned for somebody who signs.
        """
        own = self._keyed.get(self.person(principal))
        if own is None:
            return ()
        return tuple(row.key for row in own if row.key is not None and (now is None or row.is_valid(now)))

    def mandate_for(
        self, machine: str, names: Sequence[str], role: str, now: int, uses: Mapping[str, int]
    ) -> Mandate | None:
        """Return the first mandate, by id, in force now for a transition of any of the `names`.

        It counts where it was given by somebody who still holds the role that answers, and where it is not used up:
        `uses` tells by id how many acceptances rest on it. One whose uses are bounded and not known is used up.
        """
        for mandate in self._given.get((machine, role), ()):
            holder = self.find(mandate.principal)
            if (
                (not mandate.transitions or any(name in mandate.transitions for name in names))
                and mandate.is_valid(now)
                and (mandate.uses_max is None or uses.get(mandate.id, mandate.uses_max) < mandate.uses_max)
                and holder is not None
                and holder.is_valid(now)
                and role in holder.roles
                and holder.model is None
            ):
                return mandate
        return None

    def to_raw(self) -> dict[str, Data]:
        """Return the roster as it stands in its configuration record."""
        return {
            "principals": [
                {
                    "id": p.id,
                    "roles": list(p.roles),
                    "model": p.model,
                    "person": p.person,
                    "key": p.key,
                    "starts": p.starts,
                    "ends": p.ends,
                }
                for p in self.principals
            ],
            "mandates": [
                {
                    "id": m.id,
                    "principal": m.principal,
                    "role": m.role,
                    "machine": m.machine,
                    "transitions": list(m.transitions),
                    "starts": m.starts,
                    "ends": m.ends,
                    "uses_max": m.uses_max,
                    "revoked_at": m.revoked_at,
                }
                for m in self.mandates
            ],
        }

    @staticmethod
    def from_raw(raw: Mapping[str, Data]) -> Roster:
        """Return the roster of a record. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        principals, mandates = raw["principals"], raw["mandates"]
        if not isinstance(principals, list) or not isinstance(mandates, list):
            raise TypeError("a roster has principals and mandates")
        return Roster(tuple(_principal(row) for row in principals), tuple(_mandate(row) for row in mandates))

    @property
    def digest(self) -> bytes:
        """The roster's identity: 32 bytes."""
        if self._digest is None:  # every record names it
            object.__setattr__(self, "_digest", canonical.digest("roster", canonical.encode(self.to_raw())))
        return self._digest  # type: ignore[return-value]  # it is there now


def _strings(raw: Data) -> tuple[str, ...]:
    if not isinstance(raw, list) or not all(isinstance(item, str) for item in raw):
        raise TypeError("expected a list of texts")
    return tuple(str(item) for item in raw)


def _principal(raw: Data) -> Principal:
    if not isinstance(raw, dict):
        raise TypeError("a principal is a map")
    model, person, key = raw["model"], raw["person"], raw["key"]
    if not (key is None or isinstance(key, bytes)):
        raise TypeError("a principal's key is bytes")
    return Principal(
        id=str(raw["id"]),
        roles=_strings(raw["roles"]),
        model=None if model is None else str(model),
        person=None if person is None else str(person),
        key=key,
        starts=_whole(raw["starts"]),
        ends=_whole(raw["ends"]),
    )


def _whole(raw: Data) -> int | None:
    if not (raw is None or isinstance(raw, int)):
        raise TypeError("expected a whole number or nothing")
    return raw


def _mandate(raw: Data) -> Mandate:
    if not isinstance(raw, dict):
        raise TypeError("a mandate is a map")
    starts, ends = raw["starts"], raw["ends"]
    if not (isinstance(starts, int) and isinstance(ends, int)):
        raise TypeError("a mandate starts and ends at a time")
    return Mandate(
        id=str(raw["id"]),
        principal=str(raw["principal"]),
        role=str(raw["role"]),
        machine=str(raw["machine"]),
        transitions=_strings(raw["transitions"]),
        starts=starts,
        ends=ends,
        uses_max=_whole(raw["uses_max"]),
        revoked_at=_whole(raw["revoked_at"]),
    )
