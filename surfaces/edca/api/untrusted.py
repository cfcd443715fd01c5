"""Text that somebody else wrote: a person's words, a page that was retrieved, what a tool answered.

Such text is data. It is no `str`, so it can't stand where a name is wanted: not as a transition, a role, a clause, a
spec, or an argument. What takes a name refuses it by type (mypy) and at run time (`TypeError`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from edca.kernel.canonical import Data

TEXT_SIZE_MAX = 64 * 1024  # characters
_SOURCE_SIZE_MAX = 200
_AS_DATA = "untrusted text is data: hand the passage on whole, or say `.text` where you mean it"


@dataclass(frozen=True, slots=True)
class Untrusted:
    """One passage of such text. `source` says where it came from, in your own words: `customer`, `search result`.

    `text` is there for those who mean it. Written into another text by accident (`f"{passage}"`, `str(passage)`) it
    raises: what joins instructions and data is what an injection needs. Raises `ValueError` for more than 64 Ki
    characters, and for a source that is none.
    """

    source: str
    text: str

    def __post_init__(self) -> None:
        """Check the bounds."""
        if not self.source or len(self.source) > _SOURCE_SIZE_MAX or not self.source.isprintable():
            raise ValueError("`source` is a short line that says where the text came from")
        if len(self.text) > TEXT_SIZE_MAX:
            raise ValueError(f"a passage has at most {TEXT_SIZE_MAX} characters; this one has {len(self.text)}")

    def to_raw(self) -> dict[str, Data]:
        """Return it as JSON data: a string in a member of its own, which no text can break out of."""
        return {"from": self.source, "text": self.text}

    def __str__(self) -> NoReturn:
        raise TypeError(_AS_DATA)

    def __format__(self, _spec: str) -> NoReturn:
        raise TypeError(_AS_DATA)
