"""A disk that may lose power: what it surely holds, what it may hold, and every kind of mixture of the two.

What was written stays uncertain until the file is synced; what was created, renamed or unlinked until the folder is. At
a power cut, each 512 bytes of a write that was not synced are there or not, whatever came before or after; of what was
done to the folder, some first part is there, since file systems journal that in order. A gap that nothing filled holds
zeros or junk.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

SECTOR = 512  # bytes that are written whole or not at all
_HEAD = struct.Struct("<cHQI")


@dataclass(frozen=True)
class Event:
    """One thing that the process asked for: see shim.c."""

    what: str
    name: str
    offset: int
    data: bytes


def events(raw: bytes) -> Iterator[Event]:
    """Read the shim's notes."""
    at = 0
    while at < len(raw):
        what, length, offset, size = _HEAD.unpack_from(raw, at)
        at += _HEAD.size
        name = raw[at : at + length].decode()
        at += length
        yield Event(what.decode(), name, offset, raw[at : at + size])
        at += size


@dataclass
class File:
    """One file's content: `sure` is on the disk, each of `unsure` may be, a write in sectors or a new length."""

    sure: bytearray = field(default_factory=bytearray)
    unsure: list[tuple[int, bytes] | int] = field(default_factory=list)

    def write(self, offset: int, data: bytes) -> None:
        """Note a write, cut where sectors end."""
        while data:
            size = SECTOR - offset % SECTOR
            self.unsure.append((offset, data[:size]))
            offset, data = offset + size, data[size:]

    def sync(self) -> None:
        """Make all of it sure."""
        for change in self.unsure:
            _apply(self.sure, change, b"\0")
        self.unsure.clear()

    def after_cut(self, random: Random, share: float) -> bytes:
        """Return what is there, if each unsure change reached the disk with a chance of `share`."""
        if not self.unsure:
            return bytes(self.sure)
        content, junk = bytearray(self.sure), random.choice((b"\0", b"\xa5"))
        for change in self.unsure:
            if random.random() < share:
                _apply(content, change, junk)
        return bytes(content)


def _apply(content: bytearray, change: tuple[int, bytes] | int, gap: bytes) -> None:
    if isinstance(change, int):
        if change < len(content):
            del content[change:]
        else:
            content.extend(gap * (change - len(content)))
        return
    offset, data = change
    if offset > len(content):
        content.extend(gap * (offset - len(content)))
    content[offset : offset + len(data)] = data


@dataclass
class Disk:
    """All files of a folder. With `lies`, a sync does nothing, as with some drives' caches."""

    lies: bool = False
    sure: dict[str, File] = field(default_factory=dict)
    unsure: list[tuple[str, str, File | None]] = field(default_factory=list)  # link or unlink, in order
    now: dict[str, File] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Do what was asked for."""
        match event.what:
            case "C":
                self._folder("link", event.name, File())
            case "W":
                self.now[event.name].write(event.offset, event.data)
            case "T":
                self.now[event.name].unsure.append(event.offset)
            case "U":
                self._folder("unlink", event.name, None)
            case "R":
                moved = self.now[event.name]
                self._folder("link", event.data.decode(), moved)
                self._folder("unlink", event.name, None)
            case "S" if not self.lies:
                self.now[event.name].sync()
            case "D" if not self.lies:
                _linked(self.sure, self.unsure)
                self.unsure.clear()
            case _:
                pass  # a mark, or a sync that a lying disk only says it did

    def _folder(self, what: str, name: str, file: File | None) -> None:
        change = (what, name, file)
        self.unsure.append(change)
        _linked(self.now, [change])

    def after_cut(self, random: Random) -> dict[str, bytes]:
        """Return one of the states that the folder may be found in."""
        share = random.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        folder = dict(self.sure)
        _linked(folder, self.unsure[: random.randint(0, len(self.unsure))])
        return {name: file.after_cut(random, share) for name, file in sorted(folder.items())}


def _linked(folder: dict[str, File], changes: list[tuple[str, str, File | None]]) -> None:
    for _, name, file in changes:
        if file is None:
            folder.pop(name, None)
        else:
            folder[name] = file
