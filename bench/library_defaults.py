"""What other libraries say of one record of returns when they are asked as they come, and why it is not what we say.

LIBRARIES[name][metric] is (value of a Sample, reason); no reason where the number is ours. Nothing is turned to our
conventions here: each call is what its documentation shows first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import empyrical as em
import ffn.core as ff
import numpy as np
import pandas as pd
import quantstats.stats as qs
import skfolio
import skfolio.measures as sk
import vectorbt  # noqa: F401  gives pandas its accessor

vars(np).setdefault("NINF", -np.inf)  # empyrical 0.5.9 still uses the name numpy 2 removed

FREE = "no risk-free rate unless given"
CALENDAR = "years of 365.25 calendar days"
YEAR_365 = "365 sessions a year"
NEGATIVE = "negative where it is a loss"
POSITIVE = "positive where it is a loss"
UNBIASED = "pandas' unbiased estimate"
PER_SESSION = "per session, not per year"
ADDED = "adds returns up"


@dataclass(frozen=True, eq=False)
class Sample:
    """Returns of an account and of its benchmark on the sessions of a calendar; the close before them is `base`."""

    r: pd.Series
    b: pd.Series
    base: pd.Timestamp

    @cached_property
    def ffn(self) -> Any:
        return ff.PerformanceStats(pd.concat([pd.Series([100.0], [self.base]), 100.0 * (1 + self.r).cumprod()]))

    @cached_property
    def skfolio(self) -> Any:
        return skfolio.Portfolio(X=self.r.to_frame("account"), weights=[1.0])

    @cached_property
    def vectorbt(self) -> Any:
        return self.r.vbt.returns(freq="1D")

    @cached_property
    def drawdowns(self) -> pd.DataFrame:
        return qs.drawdown_details(qs.to_drawdown_series(self.r))

    def since(self, **offset: int) -> pd.Series:
        """The returns from the day so long before the last session, as QuantStats' report takes them."""
        return self.r[self.r.index >= self.r.index[-1] - pd.DateOffset(**offset)]


Answer = tuple[Callable[[Sample], float], str]


def _of(name: str, reason: str = "", **options: Any) -> Answer:
    return (lambda x: getattr(qs, name)(x.r, **options)), reason


FROM_DAY = "counts the day the window starts from too"
FIRST_BELOW = "from the first session below the peak to the last"
QUANTSTATS: Mapping[str, Answer] = {
    "total_return": _of("comp"),
    "annual_return": _of("cagr"),
    "annual_volatility": _of("volatility"),
    "average_daily_return": _of("avg_return", "sessions without a change are left out"),
    "expected_daily_return": _of("expected_return"),
    "expected_monthly_return": _of("expected_return", aggregate="ME"),
    "expected_yearly_return": _of("expected_return", aggregate="YE"),
    "best_day": _of("best"),
    "worst_day": _of("worst"),
    "best_month": _of("best", aggregate="ME"),
    "worst_month": _of("worst", aggregate="ME"),
    "best_year": _of("best", aggregate="YE"),
    "worst_year": _of("worst", aggregate="YE"),
    "average_up_day": _of("avg_win"),
    "average_down_day": _of("avg_loss"),
    "average_up_month": _of("avg_win", aggregate="ME"),
    "average_down_month": _of("avg_loss", aggregate="ME"),
    "positive_days": _of("win_rate", "sessions without a change are left out"),
    "positive_months": _of("win_rate", "months without a change are left out", aggregate="ME"),
    "positive_quarters": _of("win_rate", aggregate="QE"),
    "positive_years": _of("win_rate", aggregate="YE"),
    "max_consecutive_up_days": _of("consecutive_wins"),
    "max_consecutive_down_days": _of("consecutive_losses"),
    "daily_payoff_ratio": _of("payoff_ratio"),
    "daily_profit_factor": _of("profit_factor"),
    "profit_ratio": _of("profit_ratio", "sessions without a change count as gains"),
    "outlier_win_ratio": _of("outlier_win_ratio", "sessions without a change count as gains"),
    "outlier_loss_ratio": _of("outlier_loss_ratio"),
    "value_at_risk": _of("value_at_risk", f"of a normal distribution; {NEGATIVE}"),
    "expected_shortfall": _of("expected_shortfall", f"of a normal distribution; {NEGATIVE}"),
    "normal_value_at_risk": _of("value_at_risk", NEGATIVE),
    "normal_expected_shortfall": _of("expected_shortfall", NEGATIVE),
    "skewness": _of("skew", UNBIASED),
    "kurtosis": _of("kurtosis", UNBIASED),
    "tail_ratio": _of("tail_ratio"),
    "max_drawdown": _of("max_drawdown"),
    "max_drawdown_days": ((lambda x: x.drawdowns["days"].max()), FIRST_BELOW),
    "n_drawdowns": ((lambda x: len(x.drawdowns)), ""),
    "average_drawdown": ((lambda x: x.drawdowns["max drawdown"].mean()), "in percent"),
    "average_drawdown_days": ((lambda x: x.drawdowns["days"].mean()), FIRST_BELOW),
    "ulcer_index": _of("ulcer_index", "divides by n − 1"),
    "sharpe_ratio": _of("sharpe", FREE),
    "probabilistic_sharpe_ratio": _of("probabilistic_sharpe_ratio", f"{FREE}; {UNBIASED} of the moments"),
    "smart_sharpe_ratio": _of("smart_sharpe", FREE),
    "sortino_ratio": _of("sortino", FREE),
    "smart_sortino_ratio": _of("smart_sortino", FREE),
    "adjusted_sortino_ratio": _of("adjusted_sortino", FREE),
    "smart_adjusted_sortino_ratio": _of("adjusted_sortino", FREE, smart=True),
    "calmar_ratio": _of("calmar"),
    "omega_ratio": _of("omega", FREE),
    "risk_return_ratio": _of("risk_return_ratio"),
    "ulcer_performance_index": _of("ulcer_performance_index", f"the total return, not the annual; {FREE}"),
    "serenity_index": _of(
        "serenity_index", "the sum of returns; a normal distribution of drawdowns; a session's deviation"
    ),
    "recovery_factor": _of("recovery_factor", ADDED),
    "gain_to_pain_ratio": _of("gain_to_pain_ratio"),
    "monthly_gain_to_pain_ratio": _of("gain_to_pain_ratio", "adds the days of a month up", resolution="ME"),
    "common_sense_ratio": _of("common_sense_ratio"),
    "cpc_index": _of("cpc_index"),
    "kelly_criterion": _of("kelly_criterion"),
    "risk_of_ruin": _of("risk_of_ruin"),
    "exposure_share": _of("exposure", "sessions with a return other than 0, rounded up to a percent"),
    "risk_adjusted_return": _of("rar", "its own time in the market"),
    "beta": ((lambda x: qs.greeks(x.r, x.b)["beta"]), FREE),
    "annual_alpha": ((lambda x: qs.greeks(x.r, x.b)["alpha"]), FREE),
    "r_squared": ((lambda x: qs.r_squared(x.r, x.b)), FREE),
    "information_ratio": ((lambda x: qs.information_ratio(x.r, x.b)), PER_SESSION),
    "treynor_ratio": ((lambda x: qs.treynor_ratio(x.r, x.b)), f"the total return; {FREE}"),
    "return_mtd": ((lambda x: qs.comp(x.r[x.r.index >= x.r.index[-1].replace(day=1)])), ""),
    "return_ytd": ((lambda x: qs.comp(x.r[x.r.index >= x.r.index[-1].replace(month=1, day=1)])), ""),
    "return_3m": ((lambda x: qs.comp(x.since(months=3))), FROM_DAY),
    "return_6m": ((lambda x: qs.comp(x.since(months=6))), FROM_DAY),
    "return_1y": ((lambda x: qs.comp(x.since(years=1))), FROM_DAY),
    "annual_return_3y": ((lambda x: qs.cagr(x.since(months=35))), "35 months"),
    "annual_return_5y": ((lambda x: qs.cagr(x.since(months=59))), "59 months"),
    "annual_return_10y": ((lambda x: qs.cagr(x.since(months=119))), "of what there is where the record is shorter"),
}

EMPYRICAL: Mapping[str, Answer] = {
    "total_return": ((lambda x: em.cum_returns_final(x.r)), ""),
    "annual_return": ((lambda x: em.annual_return(x.r)), ""),
    "annual_volatility": ((lambda x: em.annual_volatility(x.r)), ""),
    "annual_downside_deviation": ((lambda x: em.downside_risk(x.r)), "below 0, not below the risk-free rate"),
    "value_at_risk": ((lambda x: em.value_at_risk(x.r)), NEGATIVE),
    "expected_shortfall": ((lambda x: em.conditional_value_at_risk(x.r)), NEGATIVE),
    "tail_ratio": ((lambda x: em.tail_ratio(x.r)), ""),
    "stability": ((lambda x: em.stability_of_timeseries(x.r)), ""),
    "max_drawdown": ((lambda x: em.max_drawdown(x.r)), ""),
    "sharpe_ratio": ((lambda x: em.sharpe_ratio(x.r)), FREE),
    "sortino_ratio": ((lambda x: em.sortino_ratio(x.r)), "against 0, not the risk-free rate"),
    "calmar_ratio": ((lambda x: em.calmar_ratio(x.r)), ""),
    "omega_ratio": ((lambda x: em.omega_ratio(x.r)), FREE),
    "beta": ((lambda x: em.beta(x.r, x.b)), FREE),
    "annual_alpha": ((lambda x: em.alpha(x.r, x.b)), f"compounded over the year; {FREE}"),
    "information_ratio": ((lambda x: em.excess_sharpe(x.r, x.b)), PER_SESSION),
    "up_capture": ((lambda x: em.up_capture(x.r, x.b)), ""),
    "down_capture": ((lambda x: em.down_capture(x.r, x.b)), ""),
    "capture_ratio": ((lambda x: em.up_down_capture(x.r, x.b)), ""),
    "batting_average": ((lambda x: em.batting_average(x.r, x.b)["batting average"]), ""),
}


def _ffn(name: str, reason: str = "") -> Answer:
    return (lambda x: getattr(x.ffn, name)), reason


FFN: Mapping[str, Answer] = {
    "total_return": _ffn("total_return"),
    "annual_return": _ffn("cagr", CALENDAR),
    "annual_mean_return": _ffn("daily_mean"),
    "annual_volatility": _ffn("daily_vol"),
    "best_day": _ffn("best_day"),
    "worst_day": _ffn("worst_day"),
    "best_month": _ffn("best_month"),
    "worst_month": _ffn("worst_month"),
    "best_year": _ffn("best_year"),
    "worst_year": _ffn("worst_year"),
    "average_up_month": _ffn("avg_up_month"),
    "average_down_month": _ffn("avg_down_month", "months without a change are counted in"),
    "positive_months": _ffn("pos_month_perc"),
    "positive_years": _ffn("win_year_perc"),
    "skewness": _ffn("daily_skew", UNBIASED),
    "kurtosis": _ffn("daily_kurt", UNBIASED),
    "max_drawdown": _ffn("max_drawdown"),
    "max_drawdown_days": ((lambda x: x.ffn.drawdown_details["Length"].max()), "from the first session below the peak"),
    "n_drawdowns": ((lambda x: len(x.ffn.drawdown_details)), ""),
    "average_drawdown": _ffn("avg_drawdown"),
    "average_drawdown_days": _ffn("avg_drawdown_days", "from the first session below the peak"),
    "ulcer_index": ((lambda x: ff.to_ulcer_index(x.ffn.daily_prices)), "in percent; the initial capital counts as a session"),
    "ulcer_performance_index": (
        (lambda x: ff.to_ulcer_performance_index(x.ffn.daily_prices)), f"{FREE}; {CALENDAR}; the initial capital as a session",
    ),
    "sharpe_ratio": _ffn("daily_sharpe", FREE),
    "sortino_ratio": _ffn("daily_sortino", FREE),
    "calmar_ratio": _ffn("calmar", CALENDAR),
    "information_ratio": ((lambda x: ff.calc_information_ratio(x.r, x.b)), PER_SESSION),
    "return_mtd": _ffn("mtd"),
    "return_ytd": _ffn("ytd"),
    "return_3m": _ffn("three_month"),
    "return_6m": _ffn("six_month"),
    "return_1y": _ffn("one_year"),
    "annual_return_3y": _ffn("three_year", CALENDAR),
    "annual_return_5y": _ffn("five_year", CALENDAR),
}  # fmt: skip


def _skfolio(name: str, reason: str = "") -> Answer:
    return (lambda x: getattr(x.skfolio, name)), reason


ORDER_STATISTIC = "an order statistic, not interpolated"
SKFOLIO: Mapping[str, Answer] = {
    "total_return": ((lambda x: x.skfolio.cumulative_returns[-1]), ADDED),
    "annual_mean_return": _skfolio("annualized_mean"),
    "annual_volatility": _skfolio("annualized_standard_deviation"),
    "annual_downside_deviation": _skfolio("annualized_semi_deviation", "below the mean, not below the risk-free rate"),
    "average_daily_return": _skfolio("mean"),
    "worst_day": _skfolio("worst_realization", POSITIVE),
    "value_at_risk": _skfolio("value_at_risk", ORDER_STATISTIC),
    "expected_shortfall": _skfolio("cvar", "the tail is exactly a twentieth, part of a session included"),
    "skewness": _skfolio("skew"),
    "kurtosis": _skfolio("kurtosis", "not in excess of 3"),
    "max_drawdown": _skfolio("max_drawdown", f"{ADDED}; {POSITIVE}"),
    "pain_index": _skfolio("average_drawdown", ADDED),
    "ulcer_index": _skfolio("ulcer_index", ADDED),
    "conditional_drawdown_at_risk": _skfolio("cdar", ADDED),
    "sharpe_ratio": _skfolio("annualized_sharpe_ratio", FREE),
    "probabilistic_sharpe_ratio": ((lambda x: sk.probabilistic_sharpe_ratio(x.r)), FREE),
    "sortino_ratio": _skfolio("annualized_sortino_ratio", f"{FREE}; deviation below the mean"),
    "calmar_ratio": _skfolio("calmar_ratio", f"the mean of a session, not the annual return; {ADDED}"),
    "benchmark_correlation": ((lambda x: sk.correlation(np.column_stack([x.r, x.b]))[0, 1]), ""),
}


def _vectorbt(name: str, reason: str = "", *, benchmark: bool = False) -> Answer:
    return (lambda x: getattr(x.vectorbt, name)(*([x.b] if benchmark else []))), reason


SESSIONS = "in sessions, from the first one below the peak"
VECTORBT: Mapping[str, Answer] = {
    "total_return": _vectorbt("total"),
    "annual_return": _vectorbt("annualized", YEAR_365),
    "annual_volatility": _vectorbt("annualized_volatility", YEAR_365),
    "annual_downside_deviation": _vectorbt("downside_risk", f"{YEAR_365}; below 0, not below the risk-free rate"),
    "value_at_risk": _vectorbt("value_at_risk", NEGATIVE),
    "expected_shortfall": _vectorbt("cond_value_at_risk", NEGATIVE),
    "tail_ratio": _vectorbt("tail_ratio"),
    "max_drawdown": _vectorbt("max_drawdown"),
    "max_drawdown_days": ((lambda x: x.vectorbt.drawdowns.duration.values.max()), SESSIONS),
    "n_drawdowns": ((lambda x: x.vectorbt.drawdowns.count()), ""),
    "average_drawdown": ((lambda x: x.vectorbt.drawdowns.drawdown.values.mean()), ""),
    "average_drawdown_days": ((lambda x: x.vectorbt.drawdowns.duration.values.mean()), SESSIONS),
    "ulcer_index": _vectorbt("ulcer_index"),
    "ulcer_performance_index": _vectorbt("martin_ratio", f"{YEAR_365}; {FREE}"),
    "sharpe_ratio": _vectorbt("sharpe_ratio", f"{YEAR_365}; {FREE}"),
    "sortino_ratio": _vectorbt("sortino_ratio", f"{YEAR_365}; against 0, not the risk-free rate"),
    "calmar_ratio": _vectorbt("calmar_ratio", YEAR_365),
    "omega_ratio": _vectorbt("omega_ratio", FREE),
    "common_sense_ratio": _vectorbt("common_sense_ratio", "(1 + annual return) × tail ratio"),
    "beta": _vectorbt("beta", FREE, benchmark=True),
    "annual_alpha": _vectorbt("alpha", f"{YEAR_365}, compounded; {FREE}", benchmark=True),
    "information_ratio": _vectorbt("information_ratio", PER_SESSION, benchmark=True),
    "up_capture": _vectorbt("up_capture", YEAR_365, benchmark=True),
    "down_capture": _vectorbt("down_capture", YEAR_365, benchmark=True),
}

LIBRARIES = {"quantstats": QUANTSTATS, "empyrical": EMPYRICAL, "ffn": FFN, "skfolio": SKFOLIO, "vectorbt": VECTORBT}
