"""Months, windows and drawdowns on small records worked out by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import EXACT

from analytics.metrics import METRICS, Performance, compute_metrics
from analytics.metrics.windows import months_before

CYCLE = 146_097  # days in the 400 years after which every date falls on the same weekday again


def on(dates: list[str], returns: list[float]) -> dict[str, float]:
    return compute_metrics(Performance(np.array(dates, dtype="datetime64[D]"), np.array(returns)))


def close(value: float):
    return pytest.approx(value, rel=EXACT, abs=EXACT)


def date(text: str) -> float:
    return float(np.datetime64(text).astype(int))


def test_months_quarters_and_years():
    metrics = on(
        ["2022-12-30", "2023-01-03", "2023-01-31", "2023-04-03", "2023-04-04", "2024-02-29"],
        [0.10, 0.10, 0.10, -0.10, -0.10, 0.00],
    )  # months 0.10, 0.21, −0.19, 0; quarters the same; years 0.10, 1.21 × 0.81 − 1 = −0.0199, 0
    assert (metrics["best_month"], metrics["worst_month"]) == (close(0.21), close(-0.19))
    assert (metrics["best_year"], metrics["worst_year"]) == (close(0.10), close(-0.0199))
    assert (metrics["average_up_month"], metrics["average_down_month"]) == (close(0.155), close(-0.19))
    assert (metrics["positive_months"], metrics["positive_quarters"]) == (close(0.5), close(0.5))
    assert metrics["positive_years"] == close(1 / 3)
    assert metrics["monthly_gain_to_pain_ratio"] == close(0.12 / 0.19)
    assert metrics["expected_monthly_return"] == close((1.1 * 1.21 * 0.81) ** (1 / 4) - 1)
    assert metrics["expected_yearly_return"] == close((1.1 * 1.21 * 0.81) ** (1 / 3) - 1)


def test_quarters_are_not_months():
    metrics = on(["2023-01-31", "2023-02-28", "2023-04-28"], [0.10, -0.20, 0.05])
    assert (metrics["positive_months"], metrics["positive_quarters"]) == (close(2 / 3), close(1 / 2))


@pytest.mark.parametrize(("day", "months", "expected"), [
    ("2024-03-31", 1, "2024-02-29"), ("2023-03-31", 1, "2023-02-28"), ("2024-05-15", 3, "2024-02-15"),
    ("2024-01-31", 3, "2023-10-31"), ("2024-02-29", 12, "2023-02-28"), ("2024-12-31", 6, "2024-06-30"),
])  # fmt: skip
def test_the_same_day_of_an_earlier_month(day, months, expected):
    assert months_before(np.datetime64(day), months) == np.datetime64(expected)


@settings(max_examples=200, deadline=None)
@given(st.dates(min_value=pd.Timestamp("1970-06-01").date()), st.integers(1, 120))
def test_earlier_months_equal_those_of_pandas(day, months):
    expected = pd.Timestamp(day).as_unit("s") - pd.DateOffset(months=months)
    assert months_before(np.datetime64(day), months) == np.datetime64(expected.date())


def test_a_window_begins_after_its_first_day_and_must_be_reached():
    metrics = on(["2024-02-15", "2024-02-16", "2024-05-02", "2024-05-15"], [0.10, 0.20, 0.30, 0.40])
    assert metrics["return_3m"] == close(1.2 * 1.3 * 1.4 - 1)  # that of 15 February was earned before
    assert metrics["return_mtd"] == close(1.3 * 1.4 - 1)
    assert metrics["return_ytd"] == close(1.1 * 1.2 * 1.3 * 1.4 - 1)
    assert math.isnan(metrics["return_6m"])
    short = on(["2024-02-16", "2024-05-15"], [0.10, 0.20])
    assert math.isnan(short["return_3m"])  # a day too late


def test_three_years_per_year():
    metrics = on(["2021-05-14", "2021-05-17", "2024-05-14"], [0.5, 0.1, 0.2])
    assert metrics["annual_return_3y"] == close((1.1 * 1.2) ** (252 / 2) - 1)
    assert math.isnan(metrics["annual_return_5y"])


def test_two_drawdowns_and_one_that_has_not_ended():
    metrics = on(
        ["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-08", "2024-01-09", "2024-01-10", "2024-01-20"],
        [-0.10, 0.25, -0.20, -0.25, 1.00, -0.05, 0.01],
    )  # wealth 1, 0.9, 1.125, 0.9, 0.675, 1.35, 1.2825, 1.295325
    assert metrics["n_drawdowns"] == 3
    assert metrics["max_drawdown"] == close(-0.4)
    assert metrics["average_drawdown"] == close(-(0.10 + 0.40 + 0.05) / 3)
    assert metrics["average_drawdown_days"] == close(
        (1 + 7 + 11) / 3
    )  # the first begins with the capital, on 1 January
    assert metrics["max_drawdown_days"] == 11
    assert metrics["max_drawdown_start"] == date("2024-01-02")
    assert metrics["max_drawdown_date"] == date("2024-01-08")
    assert metrics["max_drawdown_end"] == date("2024-01-09")
    below = np.array([0.1, 0.0, 0.2, 0.4, 0.0, 0.05, 1 - 1.295325 / 1.35])
    assert metrics["pain_index"] == close(below.mean())
    assert metrics["ulcer_index"] == close(np.sqrt((below**2).mean()))
    assert metrics["conditional_drawdown_at_risk"] == close(0.4)
    assert metrics["recovery_factor"] == close(0.295325 / 0.4)


def test_the_deepest_fall_may_not_have_ended():
    metrics = on(["2024-01-01", "2024-01-02", "2024-01-03"], [0.10, -0.20, 0.01])
    assert math.isnan(metrics["max_drawdown_end"])
    assert metrics["max_drawdown_start"] == date("2024-01-01")
    assert on(["2024-01-01"], [0.1])["n_drawdowns"] == 0


def test_the_calendar_repeats_after_400_years_and_only_the_dates_move():
    returns = np.random.default_rng(3).standard_normal(1_500) * 0.01
    days = np.datetime64("2023-01-01") + np.arange(1_500)
    early, late = (compute_metrics(Performance(dates, returns)) for dates in (days, days + CYCLE))
    moved = {key: value + CYCLE * (METRICS[key].unit == "date") for key, value in early.items()}
    np.testing.assert_equal(late, moved)
