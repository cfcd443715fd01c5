"""The list of erasures, in a file beside the ledger: `LEDGER.erasures`, one JSON object a line.

It is written, and synced, before anything is destroyed. So whatever is cut short is finished when the ledger is opened
next, and when an old copy of the ledger is put back, what was erased since is erased again before the first read. Keep
the newest list with every copy: it holds no personal values, and no keys.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from edca.ledger.errors import LedgerError, TamperedError

SUFFIX: Final = ".erasures"
VARIABLE: Final = "EDCA_ERASURES"
"""The environment variable that names the list's file, for a ledger that is no file itself."""
_CLEANED: Final = "cleaned"
_SIZE_MAX: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class Erasure:
    """One erasure: what is destroyed, and by whose order.

    `keys` are pairs of a scope and the 16 bytes that name its key; `outside` pairs of chain and entry, of records in no
    case of theirs whose values go. `subject` is the commitment to whom it is about, empty for a case; `kind` is
    `subject`, `case` or `retention`; of the latter `rules` is the digest of the rules that it follows from.
    """

    tenant: str
    machine: str
    kind: str
    subject: bytes
    keys: tuple[tuple[str, bytes], ...]
    outside: tuple[tuple[str, int], ...]
    records: int
    values: int
    by: str
    reason: str
    at: int
    forced: bool
    rules: bytes = b""

    @property
    def id(self) -> str:
        """What it is known by: 16 hexadecimal digits of the digest of all it says."""
        return hashlib.sha256(self._line()).hexdigest()[:16]

    def _line(self) -> bytes:
        data: dict[str, Any] = {
            "tenant": self.tenant,
            "machine": self.machine,
            "kind": self.kind,
            "subject": self.subject.hex(),
            "keys": [[scope, name.hex()] for scope, name in self.keys],
            "outside": [[chain, entry] for chain, entry in self.outside],
            "records": self.records,
            "values": self.values,
            "by": self.by,
            "reason": self.reason,
            "at": self.at,
            "forced": self.forced,
            "rules": self.rules.hex(),
        }
        return json.dumps(data, sort_keys=True, ensure_ascii=False).encode()

    @staticmethod
    def from_line(data: Any) -> Erasure:
        """Return the erasure of a line. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        return Erasure(
            tenant=str(data["tenant"]),
            machine=str(data["machine"]),
            kind=str(data["kind"]),
            subject=bytes.fromhex(data["subject"]),
            keys=tuple((str(scope), bytes.fromhex(name)) for scope, name in data["keys"]),
            outside=tuple((str(chain), int(entry)) for chain, entry in data["outside"]),
            records=int(data["records"]),
            values=int(data["values"]),
            by=str(data["by"]),
            reason=str(data["reason"]),
            at=int(data["at"]),
            forced=data["forced"] is True,
            rules=bytes.fromhex(data["rules"]),
        )


class Erasures:
    """The list beside one ledger: what was to be erased, and whether no stray copy of a key can be left in the file."""

    @classmethod
    def beside(cls, ledger: Path) -> Self:
        """Read the list beside a ledger's file. Raises as the initialiser."""
        return cls(ledger.with_name(ledger.name + SUFFIX))

    def __init__(self, path: Path | None) -> None:
        """Read the list; null: there is none, and nothing may be added to it.

        Raises `TamperedError` where a line of it can't be read, `LedgerError` where the file can't.

        A last line without its end was being written when the power went: then nothing was destroyed yet.
        """
        self.path: Final = path
        self.listed: list[Erasure] = []
        self.is_clean = True
        content = self._read()
        for number, line in enumerate(content.split(b"\n")[:-1], 1):
            try:
                data = json.loads(line)
                if _CLEANED in data:
                    self.is_clean = data[_CLEANED] == self.listed[-1].id
                else:
                    self.listed.append(Erasure.from_line(data))
                    self.is_clean = False
            except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
                raise TamperedError(f"line {number} of `{self.path}` is no erasure; restore a copy of it") from error
        self.keys = {pair for one in self.listed for pair in one.keys}
        self.outside = {pair for one in self.listed for pair in one.outside}

    def add(self, erasure: Erasure) -> None:
        """Write it down, durably. Nothing is destroyed yet. Raises `LedgerError` where that can't be done."""
        self._append(erasure._line())
        self.listed.append(erasure)
        self.keys.update(erasure.keys)
        self.outside.update(erasure.outside)
        self.is_clean = False

    def clean(self) -> None:
        """Note that the file holds no stray copy of any destroyed key."""
        if not self.is_clean:
            self._append(json.dumps({_CLEANED: self.listed[-1].id}).encode())
            self.is_clean = True

    def _read(self) -> bytes:
        if self.path is None:
            return b""
        try:
            with self.path.open("rb") as file:
                content = file.read(_SIZE_MAX + 1)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise LedgerError(f"can't read the list of erasures `{self.path}`: {error.strerror}") from error
        if len(content) > _SIZE_MAX:
            raise LedgerError(f"the list of erasures `{self.path}` has more than {_SIZE_MAX} bytes")
        return content

    def _append(self, line: bytes) -> None:
        if self.path is None:
            raise LedgerError(
                f"nothing is erased here without a list of erasures: name its file in `{VARIABLE}`, and keep it where "
                "no dump of the database is; nothing was erased"
            )
        is_new = not self.path.exists()
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
            with os.fdopen(descriptor, "r+b") as file:
                file.seek(self._read().rfind(b"\n") + 1)  # over a line that was never finished
                file.truncate()
                file.write(line + b"\n")
                file.flush()
                os.fsync(file.fileno())
            if is_new and hasattr(os, "O_DIRECTORY"):
                folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
                try:
                    os.fsync(folder)
                finally:
                    os.close(folder)
        except OSError as error:
            raise LedgerError(
                f"can't write the list of erasures `{self.path}`: {error.strerror}; nothing was erased"
            ) from error
