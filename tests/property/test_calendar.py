"""Goal: our calendar agrees with Python's wherever Python has one."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edca.kernel.calendar import DAY, SECOND, date_text, duration_text, parse_date, parse_time, time_text

EPOCH = date(1970, 1, 1)
MOMENT = datetime(1970, 1, 1, tzinfo=UTC)


@given(st.dates())
def test_days_are_those_of_the_gregorian_calendar(day: date) -> None:
    assert parse_date(day.isoformat()) == (day - EPOCH).days
    assert date_text((day - EPOCH).days) == day.isoformat()


def test_every_day_around_leap_days_has_its_number() -> None:
    for year in (1, 4, 100, 400, 1899, 1900, 1970, 2000, 2023, 2024, 2100, 9996, 9999):
        start = (date(year, 1, 1) - EPOCH).days
        length = 366 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 365
        for number in range(start, start + length):
            assert parse_date(date_text(number)) == number
        assert date_text(start + length - 1) == f"{year:04d}-12-31"


@given(st.integers(0, 9999), st.integers(0, 99), st.integers(0, 99))
def test_what_is_no_day_is_none(year: int, month: int, day: int) -> None:
    text = f"{year:04d}-{month:02d}-{day:02d}"
    try:
        expected = (date(year, month, day) - EPOCH).days
    except ValueError:
        if year != 0:  # Python has no year 0; ISO 8601 does
            assert parse_date(text) is None
    else:
        assert parse_date(text) == expected


@given(
    st.datetimes(timezones=st.just(UTC)),
    st.integers(-23 * 60 - 59, 23 * 60 + 59),
)
def test_instants_are_utc_microseconds(moment: datetime, offset: int) -> None:
    expected = (moment - MOMENT) // timedelta(microseconds=1)
    assert parse_time(moment.strftime("%Y").zfill(4) + moment.isoformat()[4:].replace("+00:00", "Z")) == expected
    written = time_text(expected)
    assert parse_time(written) == expected
    assert datetime.fromisoformat(written) == moment
    shift = timedelta(minutes=offset)
    try:
        local = moment.astimezone(timezone(shift))
    except OverflowError:
        return
    text = local.isoformat()
    assert parse_time(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2024-01-01",
        "2024-01-01T00:00:00",
        "2024-01-01t00:00:00z",
        "2024-01-01 00:00:00Z",
        "2024-01-01T00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z",
        "2024-01-01T00:00:60Z",
        "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00.1234567Z",
        "2024-01-01T00:00:00+24:00",
        "2024-01-01T00:00:00+00:60",
        "2024-01-01T00:00:00+0000",
        "2024-02-30T00:00:00Z",
        "\uff12024-01-01T00:00:00Z",
        "2024-01-01T00:00:00Z\n",
    ],
)
def test_no_other_form_is_an_instant(text: str) -> None:
    assert parse_time(text) is None


@given(st.integers(0, 10**15))
def test_a_duration_is_written_in_its_largest_whole_unit(micros: int) -> None:
    count, unit = duration_text(micros).split(" ", 1)
    size = {"day": DAY, "hour": 3600 * SECOND, "minute": 60 * SECOND, "second": SECOND, "microsecond": 1}
    assert int(count) * size[unit.removesuffix("s")] == micros
