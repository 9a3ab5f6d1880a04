import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from analytics.metrics import METRICS
from dashapp.format import UNKNOWN, age, by_unit, duration, is_known, number, percent, usd, without_folders

MINUS = "−"
NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), -math.inf, np.nan, np.float32("nan"), "", "1", []])
def test_what_is_unknown_is_a_dash_in_every_format(value: Any) -> None:
    assert not is_known(value)
    texts = {percent(value), percent(value, sign=True), number(value), usd(value), number(value, digits=0)}
    texts |= {by_unit(value, unit) for unit in ("fraction", "usd", "count", "days", "date", "ratio")}
    assert texts == {UNKNOWN}


@pytest.mark.parametrize("value", [3, 3.0, np.int64(3), np.int32(3), np.float32(3), np.float64(3)])
def test_numbers_of_every_kind_are_known(value: Any) -> None:
    assert is_known(value)
    assert (number(value), usd(value), percent(value, digits=0)) == ("3.00", "$3.00", "300 %")
    assert by_unit(value, "count") == "3"


def test_percent() -> None:
    assert percent(0.123) == "12.3 %"
    assert percent(-0.1234, digits=2) == f"{MINUS}12.34 %"
    assert percent(0.05, sign=True) == "+5.0 %"
    assert percent(-0.05, sign=True) == f"{MINUS}5.0 %"
    assert percent(12.5) == "1,250.0 %"
    assert percent(0) == "0.0 %"


def test_number_and_usd() -> None:
    assert number(1234567.891) == "1,234,567.89"
    assert number(-0.5, digits=1, sign=True) == f"{MINUS}0.5"
    assert number(2, sign=True) == "+2.00"
    assert usd(1234.5) == "$1,234.50"
    assert usd(-1234.5, digits=0) == f"{MINUS}$1,234"


def test_by_unit() -> None:
    assert by_unit(0.1234, "fraction") == "12.34 %"
    assert by_unit(100_000.0, "usd") == "$100,000.00"
    assert by_unit(1234, "count") == "1,234"
    assert by_unit(12.5, "days") == "12.5"
    assert by_unit(19_723.0, "date") == "2024-01-01"
    assert by_unit(-1.0, "date") == "1969-12-31"
    assert by_unit(0.98765, "ratio") == "0.988"


@pytest.mark.parametrize("key", METRICS)
def test_every_metric_has_a_format(key: str) -> None:
    unit = METRICS[key].unit
    assert unit in ("fraction", "usd", "count", "days", "date", "ratio")
    assert by_unit(float("nan"), unit) == UNKNOWN
    assert by_unit(1.5, unit) != UNKNOWN


@hypothesis_settings(max_examples=50, deadline=None)
@given(value=st.floats(min_value=0.01, max_value=1e9))
def test_a_negative_number_is_its_mirror_behind_a_minus(value: float) -> None:
    for show in (percent, number, usd):
        assert show(-value) == MINUS + show(value)
        assert "-" not in show(-value)


@hypothesis_settings(max_examples=50, deadline=None)
@given(value=st.floats(min_value=-1e6, max_value=1e6))
def test_a_shown_number_reads_back_within_half_a_digit(value: float) -> None:
    read = Decimal(number(value).replace(",", "").replace(MINUS, "-"))
    assert abs(float(read) - value) <= 0.005 + 1e-9


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=-5), "just now"), (timedelta(seconds=59), "just now"), (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"), (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=23), "23 hours ago"), (timedelta(days=1), "1 day ago"), (timedelta(days=400), "400 days ago"),
    ],
)  # fmt: skip
def test_age_in_words(passed: timedelta, words: str) -> None:
    stamp = (NOW - passed).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert age(stamp, now=NOW) == words


def test_an_unknown_age_is_a_dash() -> None:
    assert age(None) == age("") == UNKNOWN


def test_age_is_measured_from_the_clock_where_no_time_is_given() -> None:
    assert age(datetime.now(UTC).isoformat()) == "just now"


@pytest.mark.parametrize(("seconds", "text"), [
    (0, "0 s"), (-3, "0 s"), (59.9, "59 s"), (60, "1 min 0 s"), (75, "1 min 15 s"), (3_599, "59 min 59 s"), (3_600, "1 h 0 min"), (7_260, "2 h 1 min"),
])  # fmt: skip
def test_a_length_of_time_is_told_in_its_two_largest_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("text", "shown"), [
    ("/srv/plumbline/data.db is damaged", "data.db is damaged"), ("in (/a/b c/d)", "in (b c/d)"), ("https://example.com/x/y", "https://example.com/x/y"),
    ("1/2 and and/or", "1/2 and and/or"), ("/tmp/x has 1 MB free", "x has 1 MB free"), ("", ""),
])  # fmt: skip
def test_messages_name_no_folder(text: str, shown: str) -> None:
    assert without_folders(text) == shown
