"""Goal: however much a counter has counted, it says what the plain list of its passages says, at a cost that stays."""

import dataclasses
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edca.kernel.counting import Counter, Passage, Standing
from edca.kernel.machine import Window, WindowKind
from edca.ledger.errors import TamperedError
from edca.runtime import counted
from edca.runtime.counted import SHARE, Counted, Part

HOUR = 3600 * 1_000_000
ROLLING = Window(WindowKind.ROLLING, HOUR)
CALENDAR = Window(WindowKind.UTC, HOUR)
WINDOWS = (ROLLING, CALENDAR, Window(WindowKind.ROLLING, HOUR // 5), Window(WindowKind.UTC, 24 * HOUR))


class Cells:
    """Pages in memory, which count what is read and written."""

    def __init__(self):
        self.held = {}
        self.touched = 0

    def read(self, number):
        self.touched += 1
        if number not in self.held:
            raise TamperedError("there is no such part")
        return self.held[number]

    def write(self, number, items):
        self.touched += 1
        self.held[number] = tuple(items)

    def drop(self, number):
        self.touched += 1
        del self.held[number]


class Both:
    """A counter kept both ways, and whatever happens to it."""

    def __init__(self, window):
        self.window = window
        self.plain, self.kept, self.cells = Counter(), Counted(), Cells()
        self.now, self.record = 1_000 * HOUR, 0
        self.escalated = {}  # the record by candidate

    def count(self, amount=1, scale=0, *, standing=Standing.USED, expires=None, candidate=None, record=None):
        self.record += 1
        number = self.record if record is None else record
        passage = Passage(self.now, amount, scale, number, standing, expires, candidate)
        self.plain = self.plain.with_passage(passage, self.window)
        self.kept = self.kept.with_passage(self.cells, passage, self.window)
        if candidate is not None:
            self.escalated[candidate] = number
        return number

    def become(self, record, plain, change):
        self.plain = plain
        self.kept = self.kept.changed(self.cells, record, change)

    def use(self, record):
        change = lambda passage: dataclasses.replace(passage, standing=Standing.USED)  # noqa: E731
        self.become(record, self.plain.used(record), change)

    def release(self, record):
        self.become(record, self.plain.released(record), lambda passage: None)

    def settle(self, record, amount, scale):
        change = lambda passage: dataclasses.replace(passage, amount=amount, scale=scale)  # noqa: E731
        self.become(record, self.plain.settled(record, amount, scale), change)

    def let_go(self, candidate):
        record = self.escalated.pop(candidate)
        change = lambda passage: None if passage.candidate == candidate else passage  # noqa: E731
        self.become(record, self.plain.without(candidate), change)

    def check(self):
        """Compare all that can be asked, and see that no cell is left over or missing."""
        kept, cells = self.kept, self.cells
        assert tuple(kept.passages(cells)) == self.plain.passages
        assert kept.latest == self.plain.latest
        assert kept.holds_escalated == any(one.expires is not None for one in self.plain.passages)
        for window in (self.window, *WINDOWS):
            for scale in (0, 2, 4):
                for now in (self.now - 1, self.now, self.now + HOUR // 7, self.now + 3 * HOUR):
                    assert kept.sum(cells, window, scale, now) == self.plain.sum(window, scale, now, None)
                    assert kept.reserved(cells, window, scale, now) == self.plain.reserved(window, scale, now)
        if self.plain.passages:
            assert kept.newest(cells) == self.plain.passages[-1]
        assert self._reachable() == set(cells.held)

    def _reachable(self):
        found, ahead = set(), [item.number for item in self.kept.items if isinstance(item, Part)]
        ahead += [number for _, number in self.kept.gone]
        while ahead:
            number = ahead.pop()
            found.add(number)
            ahead += [item.number for item in self.cells.held[number] if isinstance(item, Part)]
        return found


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("count"), st.integers(1, 12), st.integers(0, 999), st.sampled_from((0, 0, 2, 3))),
        st.tuples(st.just("escalate"), st.integers(0, 2 * HOUR), st.integers(0, 99), st.just(2)),
        st.tuples(st.just("wait"), st.sampled_from((0, 1, HOUR // 60, HOUR // 9, HOUR, 2 * HOUR, -HOUR // 50))),
        st.tuples(st.just("use"), st.integers(0, 200)),
        st.tuples(st.just("release"), st.integers(0, 200)),
        st.tuples(st.just("settle"), st.integers(0, 200), st.integers(0, 999), st.sampled_from((0, 2))),
        st.tuples(st.just("let go"), st.integers(0, 200)),
        st.tuples(st.just("window"), st.sampled_from(WINDOWS)),
    ),
    min_size=1,
    max_size=60,
)


@pytest.mark.parametrize("share", [2, 3])  # small, so that few passages make parts of many levels
@settings(max_examples=150, deadline=None)
@given(window=st.sampled_from(WINDOWS), steps=STEPS)
def test_whatever_happens_it_says_what_the_plain_list_says(share, window, steps):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counted, "SHARE", share)
        both = Both(window)
        for what, *more in steps:
            _step(both, what, more)
        both.check()


def _step(both, what, more):
    match what:
        case "count":
            count, amount, scale = more
            for _ in range(count):
                both.count(amount, scale, standing=Standing.RESERVED if amount % 2 else Standing.USED)
        case "escalate":
            within, amount, scale = more
            candidate = b"candidate %d" % both.record
            both.count(amount, scale, standing=Standing.RESERVED, expires=both.now + within, candidate=candidate)
        case "wait":
            both.now += more[0]
        case "use":
            both.use(more[0])
        case "release":
            both.release(more[0])
        case "settle":
            both.settle(*more)
        case "let go":
            if both.escalated:
                both.let_go(sorted(both.escalated)[more[0] % len(both.escalated)])
        case "window":
            both.window = more[0]


@pytest.mark.parametrize("window", [ROLLING, CALENDAR])
def test_thousands_of_passages_that_come_and_go(window):
    both, chance = Both(window), random.Random(5)  # noqa: S311
    for number in range(4_000):
        both.now += chance.choice((0, HOUR // 2_000, HOUR // 900, HOUR // 200 if number % 1000 > 950 else 1))
        ended = both.now + chance.randrange(HOUR // 4) if number % 9 == 0 else None
        candidate = None if ended is None else b"%d" % number
        standing = Standing.RESERVED if number % 3 == 0 else Standing.USED
        both.count(
            chance.randrange(500), chance.choice((2, 2, 2, 0)), standing=standing, expires=ended, candidate=candidate
        )
        back = max(1, both.record - chance.randrange(900))
        chance.choice((both.use, both.release, lambda record: both.settle(record, 7, 2), lambda record: None))(back)
        if both.escalated and number % 11 == 0:
            both.let_go(chance.choice(sorted(both.escalated)))
        if number % 500 == 499:
            both.check()
    both.check()
    assert both.kept.made > 200


def test_records_need_not_come_in_their_order():
    both, numbers = Both(CALENDAR), list(range(400))
    random.Random(3).shuffle(numbers)  # noqa: S311
    for number in numbers:
        both.count(number, record=number)
    for number in numbers[::7]:
        both.release(number)
    both.check()
    assert both.kept.find(both.cells, numbers[0]) is None
    assert both.kept.find(both.cells, numbers[1]).amount == numbers[1]


@pytest.mark.parametrize("step", [0, 1], ids=["all at once", "one after the other"])
def test_what_one_passage_costs_does_not_grow(step):
    both = Both(Window(WindowKind.ROLLING, 15_000))
    sizes, touched = [], []
    for number in range(20_000):
        both.now += step
        before = both.cells.touched
        both.kept.sum(both.cells, both.window, 0, both.now)
        both.record += 1
        passage = Passage(both.now, 1, 0, both.record, Standing.USED)
        both.kept = both.kept.with_passage(both.cells, passage, both.window)
        touched.append(both.cells.touched - before)
        sizes.append(len(both.kept.items))
        if number in (999, 9_999, 19_999):
            both.kept.find(both.cells, both.record // 2)
    assert max(sizes) < 8 * SHARE
    assert max(touched) <= 16
    assert sum(touched[15_000:]) < 0.6 * 5_000
    assert both.kept.sum(both.cells, both.window, 0, both.now) == (15_000 if step else 20_000)


def test_a_day_of_passages_that_ends_at_once_goes_little_by_little():
    both = Both(CALENDAR)
    for _ in range(5_000):
        both.count()
    filled = len(both.cells.held)
    both.now += HOUR
    before = both.cells.touched
    both.count()
    assert both.cells.touched - before < 20
    assert both.kept.sum(both.cells, CALENDAR, 0, both.now) == 1
    for _ in range(filled):
        both.count()
    assert both.kept.gone == ()
    both.check()


def test_sums_longer_than_canonical_integers_are_kept():
    both = Both(CALENDAR)
    for _ in range(4 * SHARE):
        both.count(2**63 - 1)
    part = next(item for item in both.kept.items if isinstance(item, Part))
    assert part.totals == (SHARE * (2**63 - 1),)
    assert str(part.totals[0]).encode() in part.encoded.canonical


# --- what doesn't add up is not believed ------------------------------------------------------------------------------


def _filled():
    both = Both(CALENDAR)
    for _ in range(5 * SHARE):
        both.count(3)
    number = next(item.number for item in both.kept.items if isinstance(item, Part))
    return both, number


@pytest.mark.parametrize(
    "forged",
    [
        lambda items: items[1:],
        lambda items: (),
        lambda items: (dataclasses.replace(items[0], amount=2), *items[1:]),
        lambda items: (dataclasses.replace(items[0], standing=Standing.RESERVED), *items[1:]),
        lambda items: (dataclasses.replace(items[0], at=items[0].at - 1), *items[1:]),
        lambda items: (Part(1, 99, 0, 0, 0, 0, None, (0,), (0,)), *items[1:]),
    ],
    ids=["one gone", "all gone", "less", "only reserved", "earlier", "a part among passages"],
)
def test_a_part_that_does_not_add_up_is_not_believed(forged):
    both, number = _filled()
    both.cells.held[number] = forged(both.cells.held[number])
    with pytest.raises(TamperedError):
        list(both.kept.passages(both.cells))
    with pytest.raises(TamperedError):
        both.kept.find(both.cells, 1 + SHARE)


def test_made_anew_it_holds_what_it_is_given():
    both, _ = _filled()
    passages = [one for one in both.plain.passages if one.record % 2]
    kept = both.kept.anew(both.cells, passages, 7)
    assert tuple(kept.passages(both.cells)) == tuple(passages)
    assert kept.latest == 7
    assert {number for _, number in kept.gone} >= {item.number for item in both.kept.items if isinstance(item, Part)}


def test_a_clock_that_went_back_leaves_the_newest_instant_as_it_was():
    both = Both(ROLLING)
    for _ in range(5 * SHARE):
        both.now += 10
        both.count()
    both.now -= 300
    both.count()
    both.check()
    assert both.kept.latest == both.now + 300
    assert both.kept.sum(both.cells, ROLLING, 0, both.now) is None


def test_parts_of_which_nothing_is_left_are_gone():
    both = Both(CALENDAR)
    for _ in range(20 * SHARE):
        both.count()
    for record in range(1, 20 * SHARE + 1):
        both.release(record)
    assert both.kept.items == ()
    assert both.cells.held == {}
    both.check()
