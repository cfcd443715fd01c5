"""Who is calling: the operator's word, by bearer token. Nothing that a client or a model sends says who it is.

A file maps tokens to callers. It holds their SHA-256 digests, so that reading it gives nobody a token:

```toml
[[identities]]
token_sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
principal = "desk-bot"
role = "assistant"
model = "small-model-2026-01-15"
subject = "carla"
tenant = ""
cases = [["order", "o1"]]
```
"""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from edca.api import Caller

TOKEN_SIZE_MIN = 22  # characters: 128 bits in base64
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_FILE_SIZE_MAX = 4 << 20


class IdentitiesError(ValueError):
    """A file of identities can't be used; the message says which entry and why."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is, as the operator says: the caller, their tenant, and the cases that they are here about.

    `cases` null: any. They narrow what is listed; what is allowed, the kernel decides.
    """

    caller: Caller
    tenant: str = ""
    cases: tuple[tuple[str, tuple[object, ...]], ...] | None = None


class Identities:
    """Identities by token."""

    def __init__(self, by_digest: Mapping[str, Identity]) -> None:
        """Take identities by the SHA-256 of their tokens, in lower-case hexadecimal."""
        self._by_digest = dict(by_digest)

    @classmethod
    def of_tokens(cls, tokens: Mapping[str, Identity]) -> Identities:
        """Take identities by the tokens themselves. Raises `IdentitiesError` for one that is easily guessed."""
        if any(len(token) < TOKEN_SIZE_MIN for token in tokens):
            raise IdentitiesError(f"a token has at least {TOKEN_SIZE_MIN} characters that nobody can guess")
        return cls({token_digest(token): identity for token, identity in tokens.items()})

    def find(self, token: str) -> tuple[str, Identity] | None:
        """Return whose token it is, with its digest; null where it is nobody's."""
        digest = token_digest(token)
        found = self._by_digest.get(digest)
        return None if found is None else (digest, found)

    @property
    def tenants(self) -> frozenset[str]:
        """Every tenant that somebody belongs to."""
        return frozenset(identity.tenant for identity in self._by_digest.values())

    def __len__(self) -> int:
        return len(self._by_digest)


def token_digest(token: str) -> str:
    """Return the SHA-256 of a token, in hexadecimal."""
    return hashlib.sha256(token.encode("utf-8", errors="surrogatepass")).hexdigest()


class _Entry(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    token_sha256: str
    principal: str
    role: str
    model: str | None = None
    subject: str | None = None
    tenant: str = ""
    cases: list[list[Any]] | None = None


class _File(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    identities: list[_Entry]


def load_identities(path: str | os.PathLike[str]) -> Identities:
    """Read a file of identities. Raises `IdentitiesError` for one that is none, and `OSError`."""
    with Path(path).open("rb") as file:
        content = file.read(_FILE_SIZE_MAX + 1)
    if len(content) > _FILE_SIZE_MAX:
        raise IdentitiesError(f"`{path}` is larger than {_FILE_SIZE_MAX} bytes")
    try:
        entries = _File.model_validate(tomllib.loads(content.decode("utf-8"))).identities
    except UnicodeDecodeError as error:
        raise IdentitiesError(f"`{path}` is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise IdentitiesError(f"`{path}` is not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise IdentitiesError(f"`{path}`: `{where}`: {first['msg'].lower()}") from error
    found: dict[str, Identity] = {}
    for number, entry in enumerate(entries, start=1):
        where = f"`{path}`: entry {number}"
        if _SHA256.fullmatch(entry.token_sha256) is None:
            raise IdentitiesError(f"{where}: `token_sha256` is a SHA-256 in 64 lower-case hexadecimal digits")
        if entry.token_sha256 in found:
            raise IdentitiesError(f"{where}: `token_sha256` stands twice")
        caller = Caller(entry.principal, entry.role, entry.subject, entry.model)
        found[entry.token_sha256] = Identity(caller, entry.tenant, _cases(entry.cases, where))
    return Identities(found)


def _cases(rows: list[list[Any]] | None, where: str) -> tuple[tuple[str, tuple[object, ...]], ...] | None:
    if rows is None:
        return None
    if any(len(row) < 2 or not isinstance(row[0], str) for row in rows):
        raise IdentitiesError(f'{where}: a case is a list of its entity and the parts of its key: `["order", "o1"]`')
    return tuple((row[0], tuple(row[1:])) for row in rows)
