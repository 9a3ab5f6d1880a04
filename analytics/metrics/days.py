"""Metrics of single sessions: how many gained, how much, how many in a row."""

from analytics.conventions import FloatArray
from analytics.metrics._arithmetic import growth_rate, largest, longest_run, mean, quantile, ratio, smallest
from analytics.metrics._metric import Metric
from analytics.metrics._performance import Performance

OUTLIER = 0.01  # share of the sessions at each end that outlier ratios look at


def best_day(performance: Performance) -> float:
    """Return the largest return of a session. NaN when: no return is known."""
    return largest(performance.known_returns)


def worst_day(performance: Performance) -> float:
    """Return the smallest return of a session. NaN when: no return is known."""
    return smallest(performance.known_returns)


def positive_days(performance: Performance) -> float:
    """Return the share of sessions with a gain, 0 to 1. NaN when: no return is known."""
    return mean(performance.known_returns > 0.0)


def average_daily_return(performance: Performance) -> float:
    """Return the mean return of a session. NaN when: no return is known."""
    return mean(performance.known_returns)


def expected_daily_return(performance: Performance) -> float:
    """Return the geometric mean return of a session. NaN when: none is known, or over everything was lost."""
    returns = performance.known_returns
    return growth_rate(returns, 1.0 / max(len(returns), 1))


def gains(returns: FloatArray) -> FloatArray:
    """Return the returns above 0."""
    return returns[returns > 0.0]


def losses(returns: FloatArray) -> FloatArray:
    """Return the returns below 0."""
    return returns[returns < 0.0]


def average_up_day(performance: Performance) -> float:
    """Return the mean return of the sessions with a gain. NaN when: there is none."""
    return mean(gains(performance.known_returns))


def average_down_day(performance: Performance) -> float:
    """Return the mean return of the sessions with a loss, below 0. NaN when: there is none."""
    return mean(losses(performance.known_returns))


def daily_payoff_ratio(performance: Performance) -> float:
    """Return the average gain of a session over the average loss. NaN when: there is no gain or no loss."""
    return ratio(average_up_day(performance), -average_down_day(performance))


def daily_profit_factor(performance: Performance) -> float:
    """Return the sum of the gains of sessions over that of the losses. NaN when: there was no loss."""
    returns = performance.known_returns
    return ratio(float(gains(returns).sum()), -float(losses(returns).sum()))


def profit_ratio(performance: Performance) -> float:
    """Return the payoff ratio times losing over winning sessions. NaN when: there is no gain or no loss."""
    returns = performance.known_returns
    return daily_payoff_ratio(performance) * ratio(len(losses(returns)), len(gains(returns)))


def max_consecutive_up_days(performance: Performance) -> float:
    """Return the most sessions in a row with a gain. NaN when: no return is known."""
    return longest_run(performance.known_returns > 0.0)


def max_consecutive_down_days(performance: Performance) -> float:
    """Return the most sessions in a row with a loss. NaN when: no return is known."""
    return longest_run(performance.known_returns < 0.0)


def outlier_win_ratio(performance: Performance) -> float:
    """Return the 99 % quantile over the average gain of a session. NaN when: there is no gain."""
    return ratio(quantile(performance.known_returns, 1.0 - OUTLIER), average_up_day(performance))


def outlier_loss_ratio(performance: Performance) -> float:
    """Return the 1 % quantile over the average loss of a session. NaN when: there is no loss."""
    return ratio(quantile(performance.known_returns, OUTLIER), average_down_day(performance))


METRICS = (
    Metric(
        key="best_day",
        label="Best day",
        level="period",
        formula="max r_t",
        unit="fraction",
        better="higher",
        func=best_day,
        reference="definition",
        description="The largest gain of a single session.",
    ),
    Metric(
        key="worst_day",
        label="Worst day",
        level="period",
        formula="min r_t",
        unit="fraction",
        better="higher",
        func=worst_day,
        reference="definition",
        description="The largest loss of a single session, as a negative return.",
    ),
    Metric(
        key="positive_days",
        label="Positive days",
        level="period",
        formula="share of sessions with r_t > 0",
        unit="fraction",
        better="higher",
        func=positive_days,
        reference="definition",
        description="How many of the sessions ended with a gain.",
    ),
    Metric(
        key="average_daily_return",
        label="Average daily return",
        level="period",
        formula="mean(r)",
        unit="fraction",
        better="higher",
        func=average_daily_return,
        reference="arithmetic mean",
        description="The average return of a session.",
    ),
    Metric(
        key="expected_daily_return",
        label="Expected daily return",
        level="period",
        formula="(1 + total return)^(1 / sessions) − 1",
        unit="fraction",
        better="higher",
        func=expected_daily_return,
        reference="geometric mean; QuantStats expected_return",
        description="The constant return of a session that would have led to the same final value.",
    ),
    Metric(
        key="average_up_day",
        label="Average up day",
        level="period",
        formula="mean(r_t : r_t > 0)",
        unit="fraction",
        better="higher",
        func=average_up_day,
        reference="QuantStats avg_win",
        description="The average gain of the sessions that gained.",
    ),
    Metric(
        key="average_down_day",
        label="Average down day",
        level="period",
        formula="mean(r_t : r_t < 0)",
        unit="fraction",
        better="higher",
        func=average_down_day,
        reference="QuantStats avg_loss",
        description="The average loss of the sessions that lost, as a negative return.",
    ),
    Metric(
        key="daily_payoff_ratio",
        label="Payoff ratio of days",
        level="period",
        formula="average up day / −average down day",
        unit="ratio",
        better="higher",
        func=daily_payoff_ratio,
        reference="QuantStats payoff_ratio, win_loss_ratio",
        description="The average gain of a session against the average loss.",
    ),
    Metric(
        key="daily_profit_factor",
        label="Profit factor of days",
        level="period",
        formula="Σ max(r_t, 0) / Σ max(−r_t, 0)",
        unit="ratio",
        better="higher",
        func=daily_profit_factor,
        reference="QuantStats profit_factor; the Omega ratio at 0",
        description="All gains of sessions against all losses.",
    ),
    Metric(
        key="profit_ratio",
        label="Profit ratio",
        level="period",
        formula="(average up day / up days) / (−average down day / down days)",
        unit="ratio",
        better="higher",
        func=profit_ratio,
        reference="QuantStats profit_ratio",
        description="The payoff ratio of days divided by how many gained for each that lost.",
    ),
    Metric(
        key="max_consecutive_up_days",
        label="Most up days in a row",
        level="period",
        formula="longest run of r_t > 0",
        unit="count",
        better="higher",
        func=max_consecutive_up_days,
        reference="QuantStats consecutive_wins",
        description="The longest run of sessions with a gain.",
    ),
    Metric(
        key="max_consecutive_down_days",
        label="Most down days in a row",
        level="period",
        formula="longest run of r_t < 0",
        unit="count",
        better="lower",
        func=max_consecutive_down_days,
        reference="QuantStats consecutive_losses",
        description="The longest run of sessions with a loss.",
    ),
    Metric(
        key="outlier_win_ratio",
        label="Outlier win ratio",
        level="period",
        formula="quantile(r, 0.99) / average up day",
        unit="ratio",
        better="higher",
        func=outlier_win_ratio,
        reference="QuantStats outlier_win_ratio",
        description="How much larger the best hundredth of the sessions was than an average gain.",
    ),
    Metric(
        key="outlier_loss_ratio",
        label="Outlier loss ratio",
        level="period",
        formula="quantile(r, 0.01) / average down day",
        unit="ratio",
        better="lower",
        func=outlier_loss_ratio,
        reference="QuantStats outlier_loss_ratio",
        description="How much larger the worst hundredth of the sessions was than an average loss.",
    ),
)
