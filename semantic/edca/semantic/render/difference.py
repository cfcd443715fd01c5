"""What changed between two versions of a spec, sentence by sentence."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.semantic.render.page import Bullets, Chapter, Entry, Page, Paragraphs, Section, entries
from edca.semantic.render.phrase import name, plain, say, strong

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.semantic.render.phrase import Phrase


class Change(enum.Enum):
    """What became of a declaration, or of a sentence about one."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"  # the same sentences in another order


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence that is not the same: what it `was` (null: it is new) and `is` now (null: it is gone)."""

    key: str
    was: Phrase | None
    now: Phrase | None

    @property
    def change(self) -> Change:
        """What became of it."""
        if self.was is None:
            return Change.ADDED
        return Change.REMOVED if self.now is None else Change.CHANGED


@dataclass(frozen=True, slots=True)
class Difference:
    """One declaration of which the two versions don't say the same."""

    kind: str
    name: str
    change: Change
    sentences: tuple[Sentence, ...]


def differences(old: Page, new: Page) -> tuple[Difference, ...]:
    """Return every declaration that differs, in the order of the new page, those that are gone last."""
    before, after = dict(_sections(old)), dict(_sections(new))
    found = [_compare(kind, name_, before.get((kind, name_)), section) for (kind, name_), section in after.items()]
    found += [
        _compare(kind, name_, section, None) for (kind, name_), section in before.items() if (kind, name_) not in after
    ]
    return tuple(difference for difference in found if difference is not None)


def _sections(page: Page) -> Iterator[tuple[tuple[str, str], Section]]:
    for chapter in page.chapters:
        if chapter.comparable:
            for section in chapter.sections:
                yield (section.kind, section.name), section


def _compare(kind: str, called: str, old: Section | None, new: Section | None) -> Difference | None:
    was = {} if old is None else entries(old)
    now = {} if new is None else entries(new)
    sentences = [Sentence(key, was.get(key), phrase) for key, phrase in now.items() if was.get(key) != phrase]
    sentences += [Sentence(key, phrase, None) for key, phrase in was.items() if key not in now]
    if old is None or new is None:
        return Difference(kind, called, Change.REMOVED if new is None else Change.ADDED, tuple(sentences))
    if sentences:
        return Difference(kind, called, Change.CHANGED, tuple(sentences))
    return None if list(was) == list(now) else Difference(kind, called, Change.MOVED, ())


def difference_page(old: Page, new: Page) -> Page:
    """Return what changed from one page to another as a page."""
    found = differences(old, new)
    title = say("From {} to {}", old.title, new.title)
    if not found:
        same = Paragraphs((Entry("same", plain("No sentence differs: both versions say the same.")),))
        return Page(title, (Chapter("What changed", (Section("same", "", (), (same,)),)),))
    sections = tuple(Section(each.kind, each.name, _title(each), (_block(each),)) for each in found)
    return Page(title, (Chapter("What changed", sections),))


def _title(difference: Difference) -> Phrase:
    what = (
        say("The {} {}", difference.kind, name(difference.name)) if difference.name else plain(f"The {difference.kind}")
    )
    return say("{}: {}", what, difference.change.value)


def _block(difference: Difference) -> Bullets | Paragraphs:
    if difference.change is Change.MOVED:
        return Paragraphs((Entry("moved", plain("The same sentences stand in another order.")),))
    return Bullets(tuple(_entry(sentence) for sentence in difference.sentences))


def _entry(sentence: Sentence) -> Entry:
    match sentence:
        case Sentence(was=None, now=phrase) if phrase is not None:
            return Entry(sentence.key, say("{} {}", strong("Added:"), phrase))
        case Sentence(was=phrase, now=None) if phrase is not None:
            return Entry(sentence.key, say("{} {}", strong("Removed:"), phrase))
        case _:
            was, now = sentence.was or (), sentence.now or ()
            return Entry(sentence.key, say("{} {}", strong("Was:"), was), (), (say("{} {}", strong("Now:"), now),))
