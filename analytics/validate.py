"""Checks at the door: each names the field, what was got, what is allowed and how to mend it."""

from datetime import date

from analytics.errors import InputError


def iso_date(field: str, value: str | None) -> str | None:
    """Return a date written YYYY-MM-DD as it is, None as None; raises InputError."""
    if value is None:
        return None
    try:
        if date.fromisoformat(value).isoformat() == value:
            return value
    except (TypeError, ValueError):
        pass
    raise InputError(field, got=value, allowed="a date written YYYY-MM-DD")


def date_range(start: str | None, end: str | None) -> None:
    """Raise InputError where a date is malformed or the end lies before the start."""
    first, last = iso_date("start", start), iso_date("end", end)
    if first is not None and last is not None and last < first:
        raise InputError("end", got=last, allowed=f"a date on or after the start, {first}", fix="Swap the two dates.")
