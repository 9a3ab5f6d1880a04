"""Which bars are finished, by the exchange's clock and calendar and by nobody else's."""

import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pipeline.sources._sessions import last_finished

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("local", "last"),
    [
        ("2024-01-05T09:31", "2024-01-04"),  # a Friday, trading
        ("2024-01-05T16:29", "2024-01-04"),
        ("2024-01-05T16:30", "2024-01-05"),
        ("2024-01-06T12:00", "2024-01-05"),  # Saturday
        ("2024-11-28T20:00", "2024-11-27"),  # Thanksgiving: no session
        ("2024-11-29T13:29", "2024-11-27"),  # the half day after it closes at 13:00
        ("2024-11-29T13:30", "2024-11-29"),
        ("2024-03-11T16:29", "2024-03-08"),  # the Monday after clocks went forward
        ("2024-03-11T16:30", "2024-03-11"),
        ("2024-11-04T16:29", "2024-11-01"),  # and back
        ("2024-11-04T16:30", "2024-11-04"),
        ("2024-02-29T17:00", "2024-02-29"),  # leap day
        ("2024-12-31T23:59", "2024-12-31"),
        ("2025-01-01T23:59", "2024-12-31"),
        ("2025-01-09T17:00", "2025-01-08"),  # a day of mourning
    ],
)
def test_t6_t10_new_york(local: str, last: str) -> None:
    moment = datetime.fromisoformat(local).replace(tzinfo=NEW_YORK)
    assert last_finished("America/New_York", moment) == last
    assert last_finished("America/Chicago", moment) == last  # indices and yields quoted there keep its days
    assert last_finished("Mars/Olympus", moment) == last


@pytest.mark.parametrize(
    ("zone", "utc", "last"),
    [
        ("Asia/Tokyo", "2024-01-05T07:29", "2024-01-04"),
        ("Asia/Tokyo", "2024-01-05T07:30", "2024-01-05"),
        ("Asia/Tokyo", "2024-01-04T23:00", "2024-01-04"),  # the 5th in Tokyo, before it opens
        ("Europe/London", "2024-07-05T15:30", "2024-07-05"),  # summer time
        ("Europe/London", "2024-07-05T15:29", "2024-07-04"),
    ],
)
def test_t6_another_exchange_by_its_own_clock(zone: str, utc: str, last: str) -> None:
    assert last_finished(zone, datetime.fromisoformat(f"{utc}+00:00")) == last


@pytest.mark.parametrize("host", ["Asia/Tokyo", "America/New_York", "UTC", "Pacific/Kiritimati"])
def test_t10_the_zone_of_the_host_does_not_matter(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", host)
    time.tzset()
    try:
        start = datetime.fromisoformat("2024-03-08T12:00+00:00")
        found = [last_finished("America/New_York", start + timedelta(hours=hours)) for hours in range(0, 96, 8)]
    finally:
        monkeypatch.undo()
        time.tzset()
    assert found == ["2024-03-07", "2024-03-07", *["2024-03-08"] * 9, "2024-03-11"]
