"""Metrics from traders' books and reports: rules of thumb that others quote and so are quoted here."""

from analytics.metrics._arithmetic import ratio
from analytics.metrics._metric import Metric
from analytics.metrics._performance import Performance
from analytics.metrics.days import daily_payoff_ratio, daily_profit_factor, gains, losses
from analytics.metrics.drawdowns import conditional_drawdown_at_risk, max_drawdown, ulcer_index
from analytics.metrics.returns import annual_return, annual_risk_free_rate, total_return
from analytics.metrics.risk import annual_volatility, tail_ratio


def ulcer_performance_index(performance: Performance) -> float:
    """Return the annual return above the risk-free rate per ulcer index. NaN when: there was no drawdown."""
    return ratio(annual_return(performance) - annual_risk_free_rate(performance), ulcer_index(performance))


def serenity_index(performance: Performance) -> float:
    """Return the ulcer performance index per pitfall. NaN when: there was no drawdown, or returns are constant."""
    pitfall = ratio(conditional_drawdown_at_risk(performance), annual_volatility(performance))
    return ratio(ulcer_performance_index(performance), pitfall)


def recovery_factor(performance: Performance) -> float:
    """Return the total return per maximum drawdown. NaN when: there was no drawdown."""
    return ratio(total_return(performance), -max_drawdown(performance))


def gain_to_pain_ratio(performance: Performance) -> float:
    """Return the sum of the returns over that of the losses among them. NaN when: there was no loss."""
    returns = performance.known_returns
    return ratio(float(returns.sum()), -float(losses(returns).sum()))


def common_sense_ratio(performance: Performance) -> float:
    """Return the profit factor of days × the tail ratio. NaN when: either is."""
    return daily_profit_factor(performance) * tail_ratio(performance)


def winning_share(performance: Performance) -> float:
    """Return gaining sessions over those with any change, 0 to 1. NaN when: none has changed."""
    won, lost = len(gains(performance.known_returns)), len(losses(performance.known_returns))
    return ratio(won, won + lost)


def cpc_index(performance: Performance) -> float:
    """Return profit factor × share of winning days × payoff ratio. NaN when: one of them is."""
    return daily_profit_factor(performance) * winning_share(performance) * daily_payoff_ratio(performance)


def kelly_criterion(performance: Performance) -> float:
    """Return the share of the capital to stake on each day's bet. NaN when: there is no gain or no loss."""
    won = winning_share(performance)
    return won - ratio(1.0 - won, daily_payoff_ratio(performance))


def risk_of_ruin(performance: Performance) -> float:
    """Return QuantStats' gambler's-ruin figure, 0 to 1. NaN when: no session has changed the account."""
    won = winning_share(performance)
    return ratio(1.0 - won, 1.0 + won) ** max(len(performance.known_returns), 1)  # NaN⁰ would be 1


METRICS = (
    Metric(
        key="ulcer_performance_index",
        label="Ulcer performance index",
        level="period",
        formula="(annual return − annual risk-free rate) / ulcer index",
        unit="ratio",
        better="higher",
        func=ulcer_performance_index,
        reference="Martin and McCann (1989); vectorbt martin_ratio",
        description="Yearly return above the risk-free rate per unit of the ulcer index; also called Martin ratio.",
    ),
    Metric(
        key="serenity_index",
        label="Serenity index",
        level="period",
        formula="ulcer performance index / (conditional drawdown at risk / annual volatility)",
        unit="ratio",
        better="higher",
        func=serenity_index,
        reference="KeyQuant, The Serenity Ratio",
        description="The ulcer performance index, less where the worst drawdowns are deep for the volatility.",
    ),
    Metric(
        key="recovery_factor",
        label="Recovery factor",
        level="period",
        formula="total return / −maximum drawdown",
        unit="ratio",
        better="higher",
        func=recovery_factor,
        reference="QuantStats recovery_factor, compounded",
        description="How many times the deepest fall was earned over the whole period.",
    ),
    Metric(
        key="gain_to_pain_ratio",
        label="Gain to pain, daily",
        level="period",
        formula="Σ r_t / Σ max(−r_t, 0)",
        unit="ratio",
        better="higher",
        func=gain_to_pain_ratio,
        reference="Schwager (2012); QuantStats gain_to_pain_ratio",
        description="The sum of the returns of sessions against the sum of the losses.",
    ),
    Metric(
        key="common_sense_ratio",
        label="Common sense ratio",
        level="period",
        formula="profit factor of days × tail ratio",
        unit="ratio",
        better="higher",
        func=common_sense_ratio,
        reference="Bernut (2021); QuantStats common_sense_ratio",
        description="Above 1 where the account earns more than it loses and its tails do not speak against it.",
    ),
    Metric(
        key="cpc_index",
        label="CPC index",
        level="period",
        formula="profit factor of days × up days / (up + down days) × payoff ratio of days",
        unit="ratio",
        better="higher",
        func=cpc_index,
        reference="QuantStats cpc_index",
        description="Three measures of gains against losses in one product; 1.2 is a usual threshold.",
    ),
    Metric(
        key="kelly_criterion",
        label="Kelly criterion",
        level="period",
        formula="w − (1 − w) / payoff ratio of days, w = up days / (up + down days)",
        unit="fraction",
        better="higher",
        func=kelly_criterion,
        reference="Kelly (1956); QuantStats kelly_criterion",
        description="The stake that would have grown fastest if each day were a bet with two outcomes.",
    ),
    Metric(
        key="risk_of_ruin",
        label="Risk of ruin",
        level="period",
        formula="((1 − w) / (1 + w))^sessions, w = up days / (up + down days)",
        unit="fraction",
        better="lower",
        func=risk_of_ruin,
        reference="QuantStats risk_of_ruin",
        description="A gambler's-ruin rule of thumb that is nearly 0 for any daily record of some length.",
    ),
)
