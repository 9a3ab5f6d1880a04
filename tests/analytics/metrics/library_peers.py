"""The same metrics by other libraries: {metric: value of a Record}, with their conventions turned to ours.

What turns them: 252 sessions a year and daily rates above the dated risk-free rate are given to all of them; where more
is needed, the line says what. Value at risk and the like are negative returns there and positive losses here.
"""

import math
from functools import cache

import empyrical as em
import ffn.core as ff
import quantstats.stats as qs
from library_record import DAYS, Record, annual_of_sessions, population_kurtosis, population_skewness
from scipy import stats

ROOT = math.sqrt(DAYS)

QUANTSTATS = {
    "total_return": lambda x: qs.comp(x.r),
    "annual_return": lambda x: qs.cagr(x.r, periods=DAYS),
    "annual_risk_free_rate": lambda x: qs.cagr(x.f, periods=DAYS),
    "annual_mean_return": lambda x: DAYS * qs.avg_return(x.r),  # leaves out sessions without a change; there is none
    "average_daily_return": lambda x: qs.avg_return(x.r),
    "expected_daily_return": lambda x: qs.expected_return(x.r),
    "expected_monthly_return": lambda x: qs.expected_return(x.r, aggregate="ME"),
    "expected_yearly_return": lambda x: qs.expected_return(x.r, aggregate="YE"),
    "best_day": lambda x: qs.best(x.r),
    "worst_day": lambda x: qs.worst(x.r),
    "best_month": lambda x: qs.best(x.r, aggregate="ME"),
    "worst_month": lambda x: qs.worst(x.r, aggregate="ME"),
    "best_year": lambda x: qs.best(x.r, aggregate="YE"),
    "worst_year": lambda x: qs.worst(x.r, aggregate="YE"),
    "average_up_day": lambda x: qs.avg_win(x.r),
    "average_down_day": lambda x: qs.avg_loss(x.r),
    "average_up_month": lambda x: qs.avg_win(x.r, aggregate="ME"),
    "average_down_month": lambda x: qs.avg_loss(x.r, aggregate="ME"),
    "positive_days": lambda x: qs.win_rate(x.r),
    "positive_months": lambda x: qs.win_rate(x.r, aggregate="ME"),
    "positive_quarters": lambda x: qs.win_rate(x.r, aggregate="QE"),
    "positive_years": lambda x: qs.win_rate(x.r, aggregate="YE"),
    "max_consecutive_up_days": lambda x: qs.consecutive_wins(x.r),
    "max_consecutive_down_days": lambda x: qs.consecutive_losses(x.r),
    "daily_payoff_ratio": lambda x: qs.payoff_ratio(x.r),
    "daily_profit_factor": lambda x: qs.profit_factor(x.r),
    "profit_ratio": lambda x: qs.profit_ratio(x.r),
    "outlier_win_ratio": lambda x: qs.outlier_win_ratio(x.r),
    "outlier_loss_ratio": lambda x: qs.outlier_loss_ratio(x.r),
    "annual_volatility": lambda x: qs.volatility(x.r, periods=DAYS),
    "expected_shortfall": lambda x: -qs.cvar(x.r, method="historical"),
    "normal_value_at_risk": lambda x: -qs.value_at_risk(x.r),
    "normal_expected_shortfall": lambda x: -qs.cvar(x.r),
    "skewness": lambda x: population_skewness(qs.skew(x.r), x.n),  # pandas' unbiased estimate
    "kurtosis": lambda x: population_kurtosis(qs.kurtosis(x.r), x.n),  # the same
    "tail_ratio": lambda x: qs.tail_ratio(x.r),
    "max_drawdown": lambda x: qs.max_drawdown(x.r),
    "n_drawdowns": lambda x: len(details(x)),
    "average_drawdown": lambda x: details(x)["max drawdown"].mean() / 100,  # percent
    "average_drawdown_days": lambda x: details(x)["days"].mean() + 1,  # to the last session below the peak
    "max_drawdown_days": lambda x: details(x)["days"].max() + 1,  # the same
    "pain_index": lambda x: -qs.to_drawdown_series(x.r).mean(),
    "ulcer_index": lambda x: qs.ulcer_index(x.r) * math.sqrt((x.n - 1) / x.n),  # divides by n − 1
    "conditional_drawdown_at_risk": lambda x: -qs.cvar(qs.to_drawdown_series(x.r), method="historical"),
    "sharpe_ratio": lambda x: qs.sharpe(x.e, periods=DAYS),
    "smart_sharpe_ratio": lambda x: qs.smart_sharpe(x.e, periods=DAYS),
    "sortino_ratio": lambda x: qs.sortino(x.e, periods=DAYS),
    "smart_sortino_ratio": lambda x: qs.smart_sortino(x.e, periods=DAYS),
    "adjusted_sortino_ratio": lambda x: qs.adjusted_sortino(x.e, periods=DAYS),
    "smart_adjusted_sortino_ratio": lambda x: qs.adjusted_sortino(x.e, periods=DAYS, smart=True),
    "calmar_ratio": lambda x: qs.calmar(x.r, periods=DAYS),
    "omega_ratio": lambda x: qs.omega(x.e, periods=DAYS),
    "risk_return_ratio": lambda x: qs.risk_return_ratio(x.r),
    "gain_to_pain_ratio": lambda x: qs.gain_to_pain_ratio(x.r),
    "monthly_gain_to_pain_ratio": lambda x: qs.gain_to_pain_ratio(x.months),  # it adds up the days of a month
    "common_sense_ratio": lambda x: qs.common_sense_ratio(x.r),
    "cpc_index": lambda x: qs.cpc_index(x.r),
    "kelly_criterion": lambda x: qs.kelly_criterion(x.r),
    "risk_of_ruin": lambda x: qs.risk_of_ruin(x.r),
    "beta": lambda x: qs.greeks(x.e, x.eb, DAYS)["beta"],
    "annual_alpha": lambda x: qs.greeks(x.e, x.eb, DAYS)["alpha"],
    "r_squared": lambda x: qs.r_squared(x.e, x.eb),
    "information_ratio": lambda x: qs.information_ratio(x.r, x.b) * ROOT,  # per session
    "annual_tracking_error": lambda x: qs.volatility(x.active, periods=DAYS),
    "batting_average": lambda x: qs.win_rate(x.active),
    "benchmark_total_return": lambda x: qs.comp(x.b),
    "benchmark_annual_return": lambda x: qs.cagr(x.b, periods=DAYS),
    "benchmark_annual_volatility": lambda x: qs.volatility(x.b, periods=DAYS),
    "benchmark_sharpe_ratio": lambda x: qs.sharpe(x.eb, periods=DAYS),
    "benchmark_max_drawdown": lambda x: qs.max_drawdown(x.b),
    "return_mtd": lambda x: qs.comp(x.to_date("M")),
    "return_ytd": lambda x: qs.comp(x.to_date("Y")),
    "return_3m": lambda x: qs.comp(x.since(months=3)),
    "return_6m": lambda x: qs.comp(x.since(months=6)),
    "return_1y": lambda x: qs.comp(x.since(years=1)),
    "annual_return_3y": lambda x: qs.cagr(x.since(years=3), periods=DAYS),  # its report goes back 35 months
    "annual_return_5y": lambda x: qs.cagr(x.since(years=5), periods=DAYS),  # 59 months
    "annual_return_10y": lambda x: qs.cagr(x.since(years=10), periods=DAYS),  # 119 months
}


def details(x: Record):
    return qs.drawdown_details(qs.to_drawdown_series(x.r))


def by(x: Record, period: str):
    return em.aggregate_returns(x.r, period)


EMPYRICAL = {
    "total_return": lambda x: em.cum_returns_final(x.r),
    "annual_return": lambda x: em.annual_return(x.r, annualization=DAYS),
    "annual_risk_free_rate": lambda x: em.annual_return(x.f, annualization=DAYS),
    "expected_daily_return": lambda x: em.annual_return(x.r, annualization=1),  # a year of one session
    "expected_monthly_return": lambda x: em.annual_return(by(x, "monthly"), annualization=1),
    "expected_yearly_return": lambda x: em.annual_return(by(x, "yearly"), annualization=1),
    "best_month": lambda x: by(x, "monthly").max(),
    "worst_month": lambda x: by(x, "monthly").min(),
    "best_year": lambda x: by(x, "yearly").max(),
    "worst_year": lambda x: by(x, "yearly").min(),
    "positive_days": lambda x: em.batting_average(x.r, 0 * x.r)["batting average"],  # against a benchmark of 0
    "positive_months": lambda x: (by(x, "monthly") > 0).mean(),
    "positive_quarters": lambda x: (by(x, "quarterly") > 0).mean(),
    "positive_years": lambda x: (by(x, "yearly") > 0).mean(),
    "annual_volatility": lambda x: em.annual_volatility(x.r, annualization=DAYS),
    "annual_downside_deviation": lambda x: em.downside_risk(x.r, required_return=x.f, annualization=DAYS),
    "value_at_risk": lambda x: -em.value_at_risk(x.r),
    "expected_shortfall": lambda x: -em.conditional_value_at_risk(x.r),
    "tail_ratio": lambda x: em.tail_ratio(x.r),
    "stability": lambda x: em.stability_of_timeseries(x.r),
    "max_drawdown": lambda x: em.max_drawdown(x.r),
    "pain_index": lambda x: -em.stats.drawdown_series(x.r).mean(),
    "conditional_drawdown_at_risk": lambda x: -em.conditional_value_at_risk(em.stats.drawdown_series(x.r).to_numpy()),
    "sharpe_ratio": lambda x: em.sharpe_ratio(x.r, risk_free=x.f, annualization=DAYS),
    "sortino_ratio": lambda x: em.sortino_ratio(x.r, required_return=x.f, annualization=DAYS),
    "calmar_ratio": lambda x: em.calmar_ratio(x.r, annualization=DAYS),
    "omega_ratio": lambda x: em.omega_ratio(x.r, risk_free=x.f),
    "daily_profit_factor": lambda x: em.omega_ratio(x.r),  # at a required return of 0
    "gain_to_pain_ratio": lambda x: em.omega_ratio(x.r) - 1,  # Σ gains / Σ losses − 1
    "monthly_gain_to_pain_ratio": lambda x: em.omega_ratio(by(x, "monthly")) - 1,  # the same
    "common_sense_ratio": lambda x: em.omega_ratio(x.r) * em.tail_ratio(x.r),
    "beta": lambda x: em.beta(x.e, x.eb),
    "annual_alpha": lambda x: DAYS * ((1 + em.alpha(x.e, x.eb, annualization=DAYS)) ** (1 / DAYS) - 1),  # compounds it
    "information_ratio": lambda x: em.excess_sharpe(x.r, x.b) * ROOT,  # per session
    "annual_tracking_error": lambda x: em.annual_volatility(x.active, annualization=DAYS),
    "up_capture": lambda x: em.up_capture(x.r, x.b),
    "down_capture": lambda x: em.down_capture(x.r, x.b),
    "capture_ratio": lambda x: em.up_down_capture(x.r, x.b),
    "batting_average": lambda x: em.batting_average(x.r, x.b)["batting average"],
    "benchmark_total_return": lambda x: em.cum_returns_final(x.b),
    "benchmark_annual_return": lambda x: em.annual_return(x.b, annualization=DAYS),
    "benchmark_annual_volatility": lambda x: em.annual_volatility(x.b, annualization=DAYS),
    "benchmark_sharpe_ratio": lambda x: em.sharpe_ratio(x.b, risk_free=x.f, annualization=DAYS),
    "benchmark_max_drawdown": lambda x: em.max_drawdown(x.b),
    "return_mtd": lambda x: em.cum_returns_final(x.to_date("M")),
    "return_ytd": lambda x: em.cum_returns_final(x.to_date("Y")),
    "return_3m": lambda x: em.cum_returns_final(x.since(months=3)),
    "return_6m": lambda x: em.cum_returns_final(x.since(months=6)),
    "return_1y": lambda x: em.cum_returns_final(x.since(years=1)),
    "annual_return_3y": lambda x: em.annual_return(x.since(years=3), annualization=DAYS),
    "annual_return_5y": lambda x: em.annual_return(x.since(years=5), annualization=DAYS),
    "annual_return_10y": lambda x: em.annual_return(x.since(years=10), annualization=DAYS),
}


@cache
def ffn_stats(x: Record, of: str) -> ff.PerformanceStats:
    return ff.PerformanceStats(x.prices(getattr(x, of)), annualization_factor=DAYS)


def ffn(name: str, of: str = "r"):
    return lambda x: getattr(ffn_stats(x, of), name)


def ffn_annual(name: str, **since: int):
    """An annual return of ffn, which counts calendar days."""
    return lambda x: annual_of_sessions(getattr(ffn_stats(x, "r"), name), x.since(**since) if since else x.r)


FFN = {
    "total_return": ffn("total_return"),
    "annual_return": ffn_annual("cagr"),
    "annual_mean_return": ffn("daily_mean"),
    "average_daily_return": lambda x: ffn("daily_mean")(x) / DAYS,
    "best_day": ffn("best_day"),
    "worst_day": ffn("worst_day"),
    "best_month": ffn("best_month"),
    "worst_month": ffn("worst_month"),
    "best_year": ffn("best_year"),
    "worst_year": ffn("worst_year"),
    "average_up_month": ffn("avg_up_month"),
    "average_down_month": ffn("avg_down_month"),  # months of 0 count there; there is none
    "positive_months": ffn("pos_month_perc"),
    "positive_years": ffn("win_year_perc"),
    "expected_monthly_return": lambda x: stats.gmean(1 + ffn("monthly_returns")(x).dropna()) - 1,
    "expected_yearly_return": lambda x: stats.gmean(1 + ffn("yearly_returns")(x).dropna()) - 1,
    "annual_volatility": ffn("daily_vol"),
    "skewness": lambda x: population_skewness(ffn("daily_skew")(x), x.n),  # pandas' unbiased estimate
    "kurtosis": lambda x: population_kurtosis(ffn("daily_kurt")(x), x.n),  # the same
    "max_drawdown": ffn("max_drawdown"),
    "n_drawdowns": lambda x: len(ffn("drawdown_details")(x)),
    "average_drawdown": ffn("avg_drawdown"),
    "average_drawdown_days": lambda x: ffn("avg_drawdown_days")(x) + 1,  # from the first session below the peak
    "max_drawdown_days": lambda x: ffn("drawdown_details")(x)["Length"].max() + 1,  # the same
    "pain_index": lambda x: -ffn("drawdown")(x).iloc[1:].mean(),  # the initial capital is no session
    "ulcer_index": lambda x: ff.to_ulcer_index(x.prices(x.r)) / 100 * math.sqrt((x.n + 1) / x.n),  # percent; the same
    "sharpe_ratio": ffn("daily_sharpe", "e"),
    "sortino_ratio": ffn("daily_sortino", "e"),
    "adjusted_sortino_ratio": lambda x: ffn("daily_sortino", "e")(x) / math.sqrt(2),
    "risk_return_ratio": lambda x: ff.calc_risk_return_ratio(x.r, annualize=False),
    "calmar_ratio": lambda x: annual_of_sessions(ffn("cagr")(x), x.r) / -ffn("max_drawdown")(x),  # calendar days
    "information_ratio": lambda x: ff.calc_information_ratio(x.r, x.b) * ROOT,  # per session
    "annual_tracking_error": ffn("daily_vol", "active"),
    "benchmark_total_return": ffn("total_return", "b"),
    "benchmark_annual_return": lambda x: annual_of_sessions(ffn("cagr", "b")(x), x.b),  # calendar days
    "benchmark_annual_volatility": ffn("daily_vol", "b"),
    "benchmark_sharpe_ratio": ffn("daily_sharpe", "eb"),
    "benchmark_max_drawdown": ffn("max_drawdown", "b"),
    "return_mtd": ffn("mtd"),
    "return_ytd": ffn("ytd"),
    "return_3m": ffn("three_month"),
    "return_6m": ffn("six_month"),
    "return_1y": ffn("one_year"),
    "annual_return_3y": ffn_annual("three_year", years=3),
    "annual_return_5y": ffn_annual("five_year", years=5),
    "annual_return_10y": ffn_annual("ten_year", years=10),
}
