"""Confidence bands: how what a model says of its own confidence counts. They can only lower it.

Models are surer than they are right. Who has measured by how much writes it down as bands: *from 0.95 on it counts as
0.90, from 0.80 on as 0.60*. A band that would raise a confidence, or let a lower one count for more than a higher one,
is refused when it is written down, not when it is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from edca.kernel.candidate import CONFIDENCE_SCALE

if TYPE_CHECKING:
    from collections.abc import Mapping

_ONE = 10**CONFIDENCE_SCALE


@dataclass(frozen=True, slots=True)
class Bands:
    """Steps of (from this stated confidence on, it counts as that), rising, in 10^-4; below the first it counts as 0.

    Raises `ValueError` for steps that would raise a confidence, or turn the order of two around.
    """

    steps: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        """Test the steps."""
        before = (-1, 0)
        for step in self.steps:
            stated, counts = step
            if not (0 <= counts <= stated <= _ONE):
                raise ValueError(
                    f"a stated confidence of {_text(stated)} can't count as {_text(counts)}: it may only lower"
                )
            if stated <= before[0] or counts < before[1]:
                raise ValueError(f"the band from {_text(stated)} on does not rise above the one before it")
            before = step

    @staticmethod
    def of(steps: Mapping[str, str]) -> Bands:
        """Return bands from decimals as text: `Bands.of({"0.80": "0.60", "0.95": "0.90"})`. Raises `ValueError`."""
        return Bands(tuple(sorted((_units(stated), _units(counts)) for stated, counts in steps.items())))

    def counted(self, stated: int | None, derived: int | None = None) -> int | None:
        """Return what a stated confidence counts as, all in 10^-4.

        `derived` is what the host has worked out itself, from the probabilities of tokens or from asking twice: the
        lower of the two counts. What was not stated stays unstated, so that nobody gains by keeping silent.
        """
        if stated is None:
            return None
        counted = 0
        for at_least, counts in self.steps:
            if stated >= at_least:
                counted = counts
        return counted if derived is None else min(counted, derived)


def _units(text: str) -> int:
    try:
        units = Decimal(text).scaleb(CONFIDENCE_SCALE)
        if units != units.to_integral_value():
            raise InvalidOperation
    except InvalidOperation:
        raise ValueError(f"`{text}` is no confidence from 0 to 1 with at most {CONFIDENCE_SCALE} places") from None
    return int(units)


def _text(units: int) -> str:
    return format(Decimal(units).scaleb(-CONFIDENCE_SCALE), "f")
