"""Dates and instants as whole numbers, without a clock, a locale or a time zone database.

The day count is the proleptic Gregorian calendar's (ISO 8601), after the closed form in Howard Hinnant,
"chrono-Compatible Low-Level Date Algorithms" (2013). Instants follow RFC 3339; leap seconds are not representable.
"""

from __future__ import annotations

import re

SECOND = 1_000_000
DAY = 86_400 * SECOND

_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,6}))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))",
    re.ASCII,
)


def _days(year: int, month: int, day: int) -> int:
    """Return days since 1970-01-01; the year starts in March so that the leap day comes last."""
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


def _civil(days: int) -> tuple[int, int, int]:
    """Return (year, month, day), the inverse of `_days`."""
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + (3 if shifted < 10 else -9)
    return year_of_era + era * 400 + (month <= 2), month, day_of_year - (153 * shifted + 2) // 5 + 1


def parse_date(text: str) -> int | None:
    """Return the days since 1970-01-01 of `YYYY-MM-DD`, or null where it names no day."""
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day = (int(part) for part in found.groups())
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    days = _days(year, month, day)
    return days if _civil(days) == (year, month, day) else None


def date_text(days: int) -> str:
    """Return `YYYY-MM-DD`."""
    year, month, day = _civil(days)
    return f"{year:04d}-{month:02d}-{day:02d}"


def parse_time(text: str) -> int | None:
    """Return the microseconds since 1970-01-01T00:00:00Z of an RFC 3339 time with an offset, or null."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    date, hour, minute, second, fraction, sign, offset_hour, offset_minute = found.groups()
    days = parse_date(date)
    if days is None or int(hour) > 23 or int(minute) > 59 or int(second) > 59:
        return None
    instant = days * DAY + ((int(hour) * 60 + int(minute)) * 60 + int(second)) * SECOND
    instant += int((fraction or "").ljust(6, "0"))
    if sign is None:
        return instant
    if int(offset_hour) > 23 or int(offset_minute) > 59:
        return None
    offset = (int(offset_hour) * 60 + int(offset_minute)) * 60 * SECOND
    return instant - offset if sign == "+" else instant + offset


def time_text(instant: int) -> str:
    """Return the instant in RFC 3339 form, UTC, with a fraction only where there is one."""
    days, rest = divmod(instant, DAY)
    seconds, micros = divmod(rest, SECOND)
    hour, minute, second = seconds // 3600, seconds // 60 % 60, seconds % 60
    fraction = f".{micros:06d}".rstrip("0") if micros else ""
    return f"{date_text(days)}T{hour:02d}:{minute:02d}:{second:02d}{fraction}Z"


def duration_text(micros: int) -> str:
    """Return a duration in the largest unit that leaves a whole number (`30 days`, `90 minutes`)."""
    for unit, size in (("day", DAY), ("hour", 3600 * SECOND), ("minute", 60 * SECOND), ("second", SECOND)):
        if micros % size == 0 and (micros or unit == "second"):
            count = micros // size
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return f"{micros} microseconds"
