"""Working days and deadlines: every day and every golden value of the published calendars, and versions that stay."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from bpmn.durations import Duration
from engine import calendar, schema
from engine.calendar import Calendar, moment, occurrence
from engine.errors import Incident, Unusable
from engine.model import CalendarDay, Event
from engine.work import Database
from forms.operators import kind_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 1, 31, 1, 30, tzinfo=UTC)  # 09:30 in Beijing

# The notices of the State Council: gov.cn content_6986383 (2025) and content_7047091 (2026)
OFF = {
    2025: ["01-01", "01-28..02-04", "04-04..04-06", "05-01..05-05", "05-31..06-02", "10-01..10-08"],
    2026: [
        "01-01..01-03", "02-15..02-23", "04-04..04-06", "05-01..05-05", "06-19..06-21", "09-25..09-27", "10-01..10-07",
    ],
}  # fmt: skip
WORK = {
    2025: ["01-26", "02-08", "04-27", "09-28", "10-11"],
    2026: ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"],
}


def span(year: int, days: str) -> list[date]:
    first, _, last = days.partition("..")
    start, end = (date.fromisoformat(f"{year}-{each}") for each in (first, last or first))
    return [start + timedelta(days=n) for n in range((end - start).days + 1)]


OFF_DAYS = {day for year, spans in OFF.items() for days in spans for day in span(year, days)}
WORK_DAYS = {day for year, spans in WORK.items() for days in spans for day in span(year, days)}


@pytest.fixture
def database(empty_database_url: str) -> Iterator[Database]:
    schema.upgrade(empty_database_url)
    database = Database(empty_database_url, clock=lambda: NOW)
    yield database
    database.close()


@pytest.fixture(scope="module")
def prc(tmp_path_factory: pytest.TempPathFactory) -> Calendar:
    url = str(tmp_path_factory.mktemp("calendar") / "calendar.db")
    schema.upgrade(url)
    database = Database(url, clock=lambda: NOW)
    with database.work("system") as work:
        calendar.seed(work)
    with database.look("system") as work:
        found = calendar.calendar_of(work, calendar.newest(work))
    database.close()
    return found


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize("year", OFF)
def test_the_seeded_days_are_those_of_the_state_council(prc: Calendar, year: int) -> None:
    for number in range(366):
        each = date(year, 1, 1) + timedelta(days=number)
        if each.year == year:
            expected = each in WORK_DAYS or (each.weekday() < 5 and each not in OFF_DAYS)
            assert prc.is_working_day(each) == expected, each


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-09-18", "2026-10-09"),
        ("2026-02-10", "2026-03-02"),
        ("2026-03-02", "2026-03-16"),
        ("2026-06-12", "2026-06-29"),
        ("2026-04-27", "2026-05-13"),
        ("2026-09-25", "2026-10-15"),  # a rest day as the start: counted from the next working day
    ],
)
def test_ten_working_days(prc: Calendar, start: str, end: str) -> None:
    assert prc.add_working_days(day(start), 10) == day(end)
    assert prc.working_days_between(day(start), day(end)) == 10


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-03-09", "2026-03-24"),
        ("2026-09-18", "2026-10-08"),  # 10-03 is a holiday
        ("2026-06-12", "2026-06-29"),  # 06-27 is a Saturday
    ],
)
def test_fifteen_calendar_days_roll_over_rest(prc: Calendar, start: str, end: str) -> None:
    assert prc.add_days(day(start), 15) == day(end)


def test_a_make_up_saturday_is_not_rolled_over(prc: Calendar) -> None:
    assert prc.add_days(day("2026-02-12"), 2) == day("2026-02-14")


def test_no_days_leave_the_day_where_it_is(prc: Calendar) -> None:
    assert prc.add_working_days(day("2026-10-03"), 0) == day("2026-10-03")
    assert prc.working_days_between(day("2026-10-03"), day("2026-10-03")) == 0
    assert prc.working_days_between(day("2026-10-09"), day("2026-09-18")) == 0


@pytest.mark.parametrize("n", [-1, 36_601, 10**12])
def test_a_negative_or_absurd_period_is_refused(prc: Calendar, n: int) -> None:
    for verb in (prc.add_working_days, prc.add_days):
        with pytest.raises(Incident, match=str(n)):
            verb(day("2026-03-02"), n)


def test_the_end_of_time_is_a_sentence(prc: Calendar) -> None:
    verbs: list[Callable[[], object]] = [
        lambda: prc.add_days(date.max, 1),
        lambda: prc.add_working_days(date.max, 1),
        lambda: prc.end_of(date.max),
    ]
    for verb in verbs:
        with pytest.raises(Incident, match="9999"):
            verb()


@given(st.dates(date(2004, 1, 1), date(2030, 1, 1)), st.integers(0, 60))
def test_counting_back_gives_what_was_counted(start: date, n: int) -> None:
    some = Calendar(1, dict.fromkeys(OFF_DAYS, False) | dict.fromkeys(WORK_DAYS, True), frozenset({2025, 2026}))
    end = some.add_working_days(start, n)
    assert some.working_days_between(start, end) == n
    assert n == 0 or some.is_working_day(end)
    assert some.is_working_day(some.add_days(start, n))


def test_a_day_ends_at_midnight_in_beijing(prc: Calendar) -> None:
    end = prc.end_of(day("2026-03-16"))
    assert end == datetime(2026, 3, 16, 16, 0, tzinfo=UTC)
    assert end.isoformat() == "2026-03-17T00:00:00+08:00"


def test_a_year_without_a_notice_is_provisional(prc: Calendar) -> None:
    assert not prc.provisional(day("2026-12-31"))
    assert prc.provisional(day("2027-01-04"))
    assert prc.is_provisional(day("2026-12-28"), prc.add_working_days(day("2026-12-28"), 10))
    assert prc.is_provisional(day("2027-01-11"), day("2026-12-28"))
    assert not prc.is_provisional(day("2025-12-28"), day("2026-01-09"))
    assert prc.is_provisional(day("2003-12-31"), day("2004-01-05"))
    assert prc.is_working_day(day("2027-01-04"))  # a Monday
    assert not prc.is_working_day(day("2027-01-02"))


class TestVersions:
    """What is loaded, by whom, and what a pinned version keeps saying."""

    def test_without_anything_loaded_every_day_is_provisional(self, database: Database) -> None:
        with database.look("system") as work:
            assert calendar.newest(work) == 0
            bare = calendar.calendar_of(work, 0)
        assert bare.provisional(day("2026-03-02"))
        assert bare.is_working_day(day("2026-10-01"))

    def test_seeding_twice_loads_once_and_tells_it_once(self, database: Database) -> None:
        for _ in range(2):
            with database.work("system") as work:
                calendar.seed(work)
        with database.look("system") as work:
            assert calendar.newest(work) == 1
            events = work.db.execute(select(Event.kind, Event.body).where(Event.stream == "sys/policy")).all()
        assert [event.kind for event in events] == ["calendar.loaded"]
        assert '"first":"2004-01-01"' in events[0].body

    def test_many_may_seed_at_once(self, database: Database) -> None:
        def seed(_: int) -> None:
            with database.work("system") as work:
                calendar.seed(work)

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(seed, range(6)))
        with database.look("system") as work:
            assert calendar.newest(work) == 1

    def test_an_override_wins_over_the_notice_and_old_versions_stay(self, database: Database) -> None:
        with database.work("system") as work:
            calendar.seed(work)
        with database.work("system") as work:
            assert calendar.override(work, {day("2026-03-16"): False}, "校庆") == 2
        with database.look("system") as work:
            before, after = calendar.calendar_of(work, 1), calendar.calendar_of(work, 2)
            assert calendar.calendar_of(work, 2) is after
        assert (before.version, after.version) == (1, 2)
        assert before.add_working_days(day("2026-03-02"), 10) == day("2026-03-16")
        assert after.add_working_days(day("2026-03-02"), 10) == day("2026-03-17")

    def test_a_later_notice_does_not_undo_an_override(self, database: Database) -> None:
        with database.work("system") as work:
            calendar.seed(work)
            calendar.override(work, {day("2027-01-04"): False, day("2027-01-05"): True}, "寒假")
        with database.work("system") as work:
            assert calendar.calendar_of(work, 2).provisional(day("2027-01-04"))
            calendar.publish(work, {day("2027-01-01"): False, day("2027-01-04"): True}, "国办发明电〔2026〕x号")
        with database.look("system") as work:
            found = calendar.calendar_of(work, 3)
        assert not found.provisional(day("2027-01-04"))
        assert not found.is_working_day(day("2027-01-04"))
        assert not found.is_working_day(day("2027-01-01"))

    def test_a_newer_override_wins_over_an_older_one(self, database: Database) -> None:
        for working in (False, True):
            with database.work("system") as work:
                calendar.override(work, {day("2026-03-16"): working}, "调整")
        with database.look("system") as work:
            assert [calendar.calendar_of(work, n).is_working_day(day("2026-03-16")) for n in (1, 2)] == [False, True]

    def test_a_version_taken_back_is_not_remembered(self, database: Database) -> None:
        with contextlib.suppress(ZeroDivisionError), database.work("system") as work:
            calendar.override(work, {day("2026-03-16"): False}, "误")
            assert not calendar.calendar_of(work, calendar.newest(work)).is_working_day(day("2026-03-16"))
            raise ZeroDivisionError
        with database.work("system") as work:
            calendar.override(work, {day("2026-03-17"): False}, "正")
        with database.look("system") as work:
            assert calendar.calendar_of(work, 1).is_working_day(day("2026-03-16"))

    def test_two_overrides_at_once_are_two_versions(self, database: Database) -> None:
        def add(number: int) -> int:
            with database.work("system") as work:
                return calendar.override(work, {day(f"2026-03-{number:02d}"): False}, f"第{number}次")

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(add, range(2, 10))) == list(range(1, 9))
        with database.look("system") as work:
            assert work.db.execute(select(func.count()).select_from(CalendarDay)).scalar_one() == 8

    def test_an_empty_override_is_refused(self, database: Database) -> None:
        with pytest.raises(Unusable), database.work("system") as work:
            calendar.override(work, {}, "空")


class TestTimers:
    """What a timer's value means."""

    def test_none_is_never(self, prc: Calendar) -> None:
        assert moment(NOW, "date", None, prc) is None
        assert moment(NOW, "duration", None, prc) is None

    def test_a_date_is_its_last_moment(self, prc: Calendar) -> None:
        assert moment(NOW, "date", day("2026-03-16"), prc) == prc.end_of(day("2026-03-16"))

    def test_an_instant_is_itself(self, prc: Calendar) -> None:
        instant = datetime(2026, 3, 16, 12, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))
        assert moment(NOW, "date", instant, prc) is instant

    @pytest.mark.parametrize(
        ("duration", "local"),
        [
            ("P1M", "2026-02-28T09:30:00"),
            ("P25M", "2028-02-29T09:30:00"),
            ("P1Y", "2027-01-31T09:30:00"),
            ("P11M", "2026-12-31T09:30:00"),
            ("P1M1D", "2026-03-01T09:30:00"),
            ("P15D", "2026-02-15T09:30:00"),
            ("P2W", "2026-02-14T09:30:00"),
            ("PT36H", "2026-02-01T21:30:00"),
            ("PT1M30S", "2026-01-31T09:31:30"),
            ("P0D", "2026-01-31T09:30:00"),
        ],
    )
    def test_a_duration_is_counted_in_beijing(self, prc: Calendar, duration: str, local: str) -> None:
        expected = datetime.fromisoformat(local).replace(tzinfo=SHANGHAI)
        assert moment(NOW, "duration", duration, prc) == expected

    @pytest.mark.parametrize(
        ("start", "duration", "end"),
        [
            ("2028-02-29", "P1Y", "2029-02-28"),
            ("2028-02-29", "P4Y", "2032-02-29"),
            ("2028-02-29", "P12M", "2029-02-28"),
            ("2096-02-29", "P4Y", "2100-02-28"),
            ("2027-02-28", "P1Y", "2028-02-28"),
            ("2026-01-31", "P1M", "2026-02-28"),
            ("2026-08-31", "P1M", "2026-09-30"),
            ("2026-12-31", "P2M", "2027-02-28"),
        ],
    )
    def test_leap_days_and_short_months_end_on_their_last_day(
        self, prc: Calendar, start: str, duration: str, end: str
    ) -> None:
        morning = datetime.fromisoformat(f"{start}T09:30:00").replace(tzinfo=SHANGHAI)
        found = moment(morning.astimezone(UTC), "duration", duration, prc)
        assert found == datetime.fromisoformat(f"{end}T09:30:00").replace(tzinfo=SHANGHAI)

    def test_a_day_has_twenty_four_hours_all_the_year_round(self, prc: Calendar) -> None:
        # Whatever the clocks of the machine do in spring and autumn.
        for month in range(1, 13):
            for number in range(1, 29):
                start = datetime(2026, month, number, 1, 30, tzinfo=SHANGHAI)
                assert moment(start, "duration", "P1D", prc) == moment(start, "duration", "PT24H", prc)

    @pytest.mark.parametrize(
        ("since", "period", "days"),
        [
            ("2026-01-31", Duration(1, 0, 0), ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
            ("2028-02-29", Duration(12, 0, 0), ["2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]),
            ("2027-12-30", Duration(2, 0, 0), ["2028-02-29", "2028-04-30", "2028-06-30", "2028-08-30"]),
        ],
    )
    def test_a_cycle_is_counted_from_its_beginning_and_does_not_drift(
        self, since: str, period: Duration, days: list[str]
    ) -> None:
        start = datetime.fromisoformat(f"{since}T09:30:00").replace(tzinfo=SHANGHAI)
        found = [occurrence(start.astimezone(UTC), period, times) for times in range(1, 5)]
        assert found == [datetime.fromisoformat(f"{each}T09:30:00").replace(tzinfo=SHANGHAI) for each in days]

    def test_the_day_of_the_month_is_that_of_beijing(self, prc: Calendar) -> None:
        late = datetime(2026, 1, 30, 17, 0, tzinfo=UTC)  # already 31 January in Beijing
        assert moment(late, "duration", "P1M", prc) == datetime(2026, 2, 28, 1, 0, tzinfo=SHANGHAI)

    @pytest.mark.parametrize(
        ("form", "value"),
        [
            ("date", "2026-03-16"), ("date", 5), ("date", True), ("date", "P1D"), ("date", []),
            ("date", datetime.fromisoformat("2026-03-16T12:00:00")),
            ("duration", "P"), ("duration", "ten days"), ("duration", ""), ("duration", "-P1D"), ("duration", 10),
            ("duration", date(2026, 3, 16)), ("duration", NOW), ("duration", "P9999Y"), ("duration", "P999999Y"),
            ("duration", "P1.5D"), ("duration", "P999999D999999D"), ("duration", "PT"),
        ],
    )  # fmt: skip
    def test_nonsense_is_an_incident_with_a_sentence(self, prc: Calendar, form: str, value: object) -> None:
        with pytest.raises(Incident) as refusal:
            moment(NOW, form, value, prc)  # type: ignore[arg-type]
        said = refusal.value.text.zh  # the kind of the value and not the value, which may be personal
        assert kind_of(value).zh in said or "超出公元 9999 年" in said
