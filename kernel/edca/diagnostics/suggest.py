"""The likely meant name, for "did you mean"."""

from collections.abc import Iterable

# Longer names are not compared: the distance costs the product of both lengths.
_LENGTH_MAX = 64


def closest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like `name`, or nothing if none is like enough to be worth suggesting.

    Like enough means: at most one edit for every three characters (a character added, dropped, changed, or
    two neighbours swapped), the case of letters aside. Among equals the alphabetically first wins, so the
    order of candidates never shows.
    """
    if len(name) > _LENGTH_MAX:
        return None
    limit = len(name) // 3
    folded = name.casefold()
    likely = [
        (distance, candidate)
        for candidate in candidates
        if candidate != name
        and abs(len(candidate) - len(name)) <= limit
        and (distance := _distance(folded, candidate.casefold())) <= limit
    ]
    return min(likely)[1] if likely else None


def _distance(left: str, right: str) -> int:
    """Edits between two words: insertion, deletion, substitution and swap of neighbours count one each."""
    before_previous: list[int] = []
    previous = list(range(len(right) + 1))
    for i, left_character in enumerate(left, start=1):
        current = [i]
        for j, right_character in enumerate(right, start=1):
            cost = min(
                previous[j] + 1,
                current[j - 1] + 1,
                previous[j - 1] + (left_character != right_character),
            )
            swapped = i > 1 and j > 1 and left_character == right[j - 2] and left[i - 2] == right_character
            if swapped:
                cost = min(cost, before_previous[j - 2] + 1)
            current.append(cost)
        before_previous, previous = previous, current
    return previous[-1]
