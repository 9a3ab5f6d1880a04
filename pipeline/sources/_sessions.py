"""Which daily bars are finished: the session is over, and half an hour for the closing auction to arrive."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

AFTER_CLOSE = timedelta(minutes=30)
LOCAL_CLOSE = time(16, 0)  # of an exchange whose calendar we do not know
US_ZONES = ("America/New_York", "America/Chicago")  # Chicago: the volatility index and Treasury yields
NEW_YORK = "America/New_York"
LOOK_BACK = timedelta(days=14)  # longer than the exchange was ever closed since 1933


def last_finished(zone: str, moment: datetime) -> str:
    """Return the last session, ISO, that was over half an hour before `moment` (aware) on an exchange in `zone`.

    US exchanges follow the New York Stock Exchange with its holidays and half days. For other zones every day ends
    at 16:00 local; an unknown zone is taken for New York.
    """
    try:
        day = moment.astimezone(ZoneInfo(zone)).date()
    except (ZoneInfoNotFoundError, ValueError):
        return last_finished(NEW_YORK, moment)
    if zone in US_ZONES:
        return max(session for session, close in _closes(day) if close + AFTER_CLOSE <= moment)
    close = datetime.combine(day, LOCAL_CLOSE, ZoneInfo(zone))
    return (day if close + AFTER_CLOSE <= moment else day - timedelta(days=1)).isoformat()


@lru_cache(maxsize=64)
def _closes(day: date) -> tuple[tuple[str, datetime], ...]:
    """The sessions up to `day` with the moment of their close, half days included."""
    import pandas_market_calendars  # here: it takes a second to load, and only a download needs it

    closes = pandas_market_calendars.get_calendar("NYSE").schedule(day - LOOK_BACK, day)["market_close"]
    return tuple((stamp.date().isoformat(), close.to_pydatetime().astimezone(UTC)) for stamp, close in closes.items())
