"""More peers of the metrics, as in library_peers: skfolio's measures, vectorbt's accessors and scipy's statistics."""

import math

import numpy as np
import skfolio.measures as sk
import vectorbt  # noqa: F401  gives pandas its accessor
from library_record import DAYS, Record
from scipy import stats

ROOT = math.sqrt(DAYS)


def drawdowns(returns):
    return sk.get_drawdowns(returns.to_numpy(), compounded=True)  # adds returns up unless told


SKFOLIO = {
    "annual_mean_return": lambda x: DAYS * sk.mean(x.r),
    "average_daily_return": lambda x: sk.mean(x.r),
    "best_day": lambda x: sk.worst_realization(-x.r.to_numpy()),
    "worst_day": lambda x: -sk.worst_realization(x.r.to_numpy()),
    "average_up_day": lambda x: sk.mean(x.r[x.r > 0]),
    "average_down_day": lambda x: sk.mean(x.r[x.r < 0]),
    "daily_payoff_ratio": lambda x: sk.mean(x.r[x.r > 0]) / -sk.mean(x.r[x.r < 0]),
    "annual_volatility": lambda x: sk.standard_deviation(x.r) * ROOT,
    "annual_downside_deviation": lambda x: sk.semi_deviation(x.e, min_acceptable_return=0.0, biased=True) * ROOT,
    "skewness": lambda x: sk.skew(x.r),
    "kurtosis": lambda x: sk.kurtosis(x.r) - 3,  # not in excess of the normal distribution's
    "max_drawdown": lambda x: -sk.max_drawdown(drawdowns(x.r)),
    "pain_index": lambda x: sk.average_drawdown(drawdowns(x.r)),
    "ulcer_index": lambda x: sk.ulcer_index(drawdowns(x.r)),
    "sharpe_ratio": lambda x: sk.mean(x.e) / sk.standard_deviation(x.e) * ROOT,
    "sortino_ratio": lambda x: (
        sk.mean(x.e) / sk.semi_deviation(x.e, min_acceptable_return=0.0, biased=True) * ROOT  # unbiased unless told
    ),
    "probabilistic_sharpe_ratio": lambda x: sk.probabilistic_sharpe_ratio(x.e),
    "omega_ratio": lambda x: 1 + sk.mean(x.e) / sk.first_lower_partial_moment(x.e, min_acceptable_return=0.0),
    "risk_return_ratio": lambda x: sk.mean(x.r) / sk.standard_deviation(x.r),
    "daily_profit_factor": lambda x: 1 + sk.mean(x.r) / sk.first_lower_partial_moment(x.r, min_acceptable_return=0.0),
    "gain_to_pain_ratio": lambda x: sk.mean(x.r) / sk.first_lower_partial_moment(x.r, min_acceptable_return=0.0),
    "benchmark_correlation": lambda x: sk.correlation(np.column_stack([x.r, x.b]))[0, 1],
    "r_squared": lambda x: sk.correlation(np.column_stack([x.e, x.eb]))[0, 1] ** 2,
    "autocorrelation": lambda x: sk.correlation(np.column_stack([x.r[1:], x.r[:-1]]))[0, 1],
    "annual_tracking_error": lambda x: sk.standard_deviation(x.active) * ROOT,
    "information_ratio": lambda x: sk.mean(x.active) / sk.standard_deviation(x.active) * ROOT,
    "benchmark_annual_volatility": lambda x: sk.standard_deviation(x.b) * ROOT,
    "benchmark_max_drawdown": lambda x: -sk.max_drawdown(drawdowns(x.b)),
}


def vb(returns, days: int = DAYS):
    """vectorbt's accessor; a year has 365 days unless told."""
    return returns.vbt.returns(freq="1D", year_freq=f"{days} days")


VECTORBT = {
    "total_return": lambda x: vb(x.r).total(),
    "annual_return": lambda x: vb(x.r).annualized(),
    "annual_risk_free_rate": lambda x: vb(x.f).annualized(),
    "expected_daily_return": lambda x: vb(x.r, 1).annualized(),  # a year of one session
    "annual_volatility": lambda x: vb(x.r).annualized_volatility(),
    "annual_downside_deviation": lambda x: vb(x.e).downside_risk(),
    "value_at_risk": lambda x: -vb(x.r).value_at_risk(),
    "expected_shortfall": lambda x: -vb(x.r).cond_value_at_risk(),
    "conditional_drawdown_at_risk": lambda x: -vb(vb(x.r).drawdown()).cond_value_at_risk(),
    "tail_ratio": lambda x: vb(x.r).tail_ratio(),
    "max_drawdown": lambda x: vb(x.r).max_drawdown(),
    "pain_index": lambda x: -vb(x.r).drawdown().mean(),
    "ulcer_index": lambda x: vb(x.r).ulcer_index(),
    "n_drawdowns": lambda x: vb(x.r).drawdowns.count(),
    "average_drawdown": lambda x: vb(x.r).drawdowns.drawdown.values.mean(),
    "average_drawdown_days": lambda x: vb(x.r).drawdowns.duration.values.mean() + 1,  # from the first session below
    "max_drawdown_days": lambda x: vb(x.r).drawdowns.duration.values.max() + 1,  # the same
    "sharpe_ratio": lambda x: vb(x.e).sharpe_ratio(),
    "sortino_ratio": lambda x: vb(x.e).sortino_ratio(),
    "calmar_ratio": lambda x: vb(x.r).calmar_ratio(),
    "omega_ratio": lambda x: vb(x.e).omega_ratio(),
    "daily_profit_factor": lambda x: vb(x.r).omega_ratio(),  # at a required return of 0
    "gain_to_pain_ratio": lambda x: vb(x.r).omega_ratio() - 1,  # Σ gains / Σ losses − 1
    "monthly_gain_to_pain_ratio": lambda x: vb(x.months).omega_ratio() - 1,  # the same
    "common_sense_ratio": lambda x: vb(x.r).omega_ratio() * vb(x.r).tail_ratio(),  # its own is another ratio
    "ulcer_performance_index": lambda x: vb(x.r).martin_ratio(vb(x.f, 1).annualized()),  # a constant rate per session
    "beta": lambda x: vb(x.e).beta(x.eb),
    "annual_alpha": lambda x: DAYS * ((1 + vb(x.e).alpha(x.eb)) ** (1 / DAYS) - 1),  # compounds it
    "information_ratio": lambda x: vb(x.r).information_ratio(x.b) * ROOT,  # per session
    "annual_tracking_error": lambda x: vb(x.active).annualized_volatility(),
    "up_capture": lambda x: vb(x.r).up_capture(x.b),
    "down_capture": lambda x: vb(x.r).down_capture(x.b),
    "capture_ratio": lambda x: vb(x.r).up_capture(x.b) / vb(x.r).down_capture(x.b),
    "benchmark_total_return": lambda x: vb(x.b).total(),
    "benchmark_annual_return": lambda x: vb(x.b).annualized(),
    "benchmark_annual_volatility": lambda x: vb(x.b).annualized_volatility(),
    "benchmark_sharpe_ratio": lambda x: vb(x.eb).sharpe_ratio(),
    "benchmark_max_drawdown": lambda x: vb(x.b).max_drawdown(),
}


def quantile(returns, probability: float) -> float:
    return stats.mstats.mquantiles(returns, probability, alphap=1, betap=1)[0]  # type 7


def mean_above(returns) -> float:
    return stats.tmean(returns, (0, None), (False, False))


SCIPY = {
    "expected_daily_return": lambda x: stats.gmean(1 + x.r) - 1,
    "average_up_day": lambda x: mean_above(x.r),
    "average_down_day": lambda x: -mean_above(-x.r),
    "daily_payoff_ratio": lambda x: mean_above(x.r) / mean_above(-x.r),
    "positive_days": lambda x: 1 - stats.percentileofscore(x.r, 0.0, kind="weak") / 100,
    "value_at_risk": lambda x: -quantile(x.r, 0.05),
    "tail_ratio": lambda x: abs(quantile(x.r, 0.95) / quantile(x.r, 0.05)),
    "normal_value_at_risk": lambda x: -stats.norm.ppf(0.05, np.mean(x.r), np.std(x.r, ddof=1)),
    "normal_expected_shortfall": lambda x: (
        -stats.norm.expect(loc=x.r.mean(), scale=x.r.std(), ub=stats.norm.ppf(0.05, x.r.mean(), x.r.std())) / 0.05
    ),
    "outlier_win_ratio": lambda x: quantile(x.r, 0.99) / mean_above(x.r),
    "outlier_loss_ratio": lambda x: quantile(x.r, 0.01) / -mean_above(-x.r),
    "skewness": lambda x: stats.skew(x.r),
    "kurtosis": lambda x: stats.kurtosis(x.r),
    "autocorrelation": lambda x: stats.pearsonr(x.r[1:], x.r[:-1]).statistic,
    "stability": lambda x: stats.linregress(np.arange(x.n), np.log1p(x.r).cumsum()).rvalue ** 2,
    "sharpe_ratio": lambda x: -stats.ttest_1samp(-x.e, 0.0).statistic / math.sqrt(x.n) * ROOT,
    "probabilistic_sharpe_ratio": lambda x: stats.norm.cdf(sharpe_score(x)),
    "beta": lambda x: stats.linregress(x.eb, x.e).slope,
    "annual_alpha": lambda x: DAYS * stats.linregress(x.eb, x.e).intercept,
    "r_squared": lambda x: stats.linregress(x.eb, x.e).rvalue ** 2,
    "benchmark_correlation": lambda x: stats.pearsonr(x.r, x.b).statistic,
    "treynor_ratio": lambda x: DAYS * stats.tmean(x.e) / stats.linregress(x.eb, x.e).slope,
    "batting_average": lambda x: 1 - stats.percentileofscore(x.active, 0.0, kind="weak") / 100,
}


def sharpe_score(x: Record) -> float:
    """The Sharpe ratio over its standard error, as Bailey and López de Prado write it."""
    sharpe = stats.ttest_1samp(x.e, 0.0).statistic / math.sqrt(x.n)
    spread = 1 - stats.skew(x.e) * sharpe + (stats.kurtosis(x.e, fisher=False) - 1) / 4 * sharpe**2
    return sharpe * math.sqrt((x.n - 1) / spread)
