"""Metrics of calendar months, quarters and years; the first and the last count as far as they go."""

from analytics.conventions import FloatArray
from analytics.metrics._arithmetic import growth_rate, largest, mean, ratio, smallest
from analytics.metrics._metric import Metric
from analytics.metrics._performance import Performance
from analytics.metrics.days import gains, losses


def _geometric_mean(returns: FloatArray) -> float:
    return growth_rate(returns, 1.0 / max(len(returns), 1))


def expected_monthly_return(performance: Performance) -> float:
    """Return the geometric mean return of a month. NaN when: no return is known, or over everything was lost."""
    return _geometric_mean(performance.monthly_returns)


def expected_yearly_return(performance: Performance) -> float:
    """Return the geometric mean of calendar years. NaN when: no return is known, or over everything was lost."""
    return _geometric_mean(performance.yearly_returns)


def best_month(performance: Performance) -> float:
    """Return the largest return of a calendar month. NaN when: no return is known."""
    return largest(performance.monthly_returns)


def worst_month(performance: Performance) -> float:
    """Return the smallest return of a calendar month. NaN when: no return is known."""
    return smallest(performance.monthly_returns)


def best_year(performance: Performance) -> float:
    """Return the largest return of a calendar year. NaN when: no return is known."""
    return largest(performance.yearly_returns)


def worst_year(performance: Performance) -> float:
    """Return the smallest return of a calendar year. NaN when: no return is known."""
    return smallest(performance.yearly_returns)


def average_up_month(performance: Performance) -> float:
    """Return the mean return of the months with a gain. NaN when: there is none."""
    return mean(gains(performance.monthly_returns))


def average_down_month(performance: Performance) -> float:
    """Return the mean return of the months with a loss, below 0. NaN when: there is none."""
    return mean(losses(performance.monthly_returns))


def positive_months(performance: Performance) -> float:
    """Return the share of calendar months with a gain, 0 to 1. NaN when: no return is known."""
    return mean(performance.monthly_returns > 0.0)


def positive_quarters(performance: Performance) -> float:
    """Return the share of calendar quarters with a gain, 0 to 1. NaN when: no return is known."""
    return mean(performance.quarterly_returns > 0.0)


def positive_years(performance: Performance) -> float:
    """Return the share of calendar years with a gain, 0 to 1. NaN when: no return is known."""
    return mean(performance.yearly_returns > 0.0)


def monthly_gain_to_pain_ratio(performance: Performance) -> float:
    """Return the sum of monthly returns over that of the losses among them. NaN when: no month lost."""
    months = performance.monthly_returns
    return ratio(float(months.sum()), -float(losses(months).sum()))


METRICS = (
    Metric(
        key="expected_monthly_return",
        label="Expected monthly return",
        level="period",
        formula="(1 + total return)^(1 / calendar months) − 1",
        unit="fraction",
        better="higher",
        func=expected_monthly_return,
        reference="geometric mean; QuantStats expected_return",
        description="The constant monthly return that would have led to the same final value.",
    ),
    Metric(
        key="expected_yearly_return",
        label="Expected yearly return",
        level="period",
        formula="(1 + total return)^(1 / calendar years) − 1",
        unit="fraction",
        better="higher",
        func=expected_yearly_return,
        reference="geometric mean; QuantStats expected_return",
        description="The geometric mean of the calendar years, in which an unfinished year counts as a whole one.",
    ),
    Metric(
        key="best_month",
        label="Best month",
        level="period",
        formula="max of the calendar months",
        unit="fraction",
        better="higher",
        func=best_month,
        reference="ffn best_month",
        description="The largest return of a calendar month.",
    ),
    Metric(
        key="worst_month",
        label="Worst month",
        level="period",
        formula="min of the calendar months",
        unit="fraction",
        better="higher",
        func=worst_month,
        reference="ffn worst_month",
        description="The smallest return of a calendar month.",
    ),
    Metric(
        key="best_year",
        label="Best year",
        level="period",
        formula="max of the calendar years",
        unit="fraction",
        better="higher",
        func=best_year,
        reference="ffn best_year",
        description="The largest return of a calendar year.",
    ),
    Metric(
        key="worst_year",
        label="Worst year",
        level="period",
        formula="min of the calendar years",
        unit="fraction",
        better="higher",
        func=worst_year,
        reference="ffn worst_year",
        description="The smallest return of a calendar year.",
    ),
    Metric(
        key="average_up_month",
        label="Average up month",
        level="period",
        formula="mean of the calendar months above 0",
        unit="fraction",
        better="higher",
        func=average_up_month,
        reference="ffn avg_up_month",
        description="The average return of the months that gained.",
    ),
    Metric(
        key="average_down_month",
        label="Average down month",
        level="period",
        formula="mean of the calendar months below 0",
        unit="fraction",
        better="higher",
        func=average_down_month,
        reference="ffn avg_down_month",
        description="The average return of the months that lost, as a negative return.",
    ),
    Metric(
        key="positive_months",
        label="Positive months",
        level="period",
        formula="share of calendar months above 0",
        unit="fraction",
        better="higher",
        func=positive_months,
        reference="ffn pos_month_perc",
        description="How many of the months ended with a gain.",
    ),
    Metric(
        key="positive_quarters",
        label="Positive quarters",
        level="period",
        formula="share of calendar quarters above 0",
        unit="fraction",
        better="higher",
        func=positive_quarters,
        reference="QuantStats win_rate",
        description="How many of the quarters ended with a gain.",
    ),
    Metric(
        key="positive_years",
        label="Positive years",
        level="period",
        formula="share of calendar years above 0",
        unit="fraction",
        better="higher",
        func=positive_years,
        reference="ffn win_year_perc",
        description="How many of the years ended with a gain.",
    ),
    Metric(
        key="monthly_gain_to_pain_ratio",
        label="Gain to pain, monthly",
        level="period",
        formula="Σ m / Σ max(−m, 0), m the returns of calendar months",
        unit="ratio",
        better="higher",
        func=monthly_gain_to_pain_ratio,
        reference="Schwager (2012)",
        description="The sum of the monthly returns against the sum of the monthly losses.",
    ),
)
