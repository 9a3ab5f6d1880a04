"""The joint test of all alphas: against three other ways to the same number, under the null, and where it is refused."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import f, kstest
from statsmodels.multivariate.multivariate_ols import _MultivariateOLS
from tolerances import PARITY, ROUNDED_SOURCE

from analytics.errors import InputError
from analytics.factor_models import grs_test

Sample = tuple[np.ndarray, np.ndarray]


def simulated(seed: int, n_obs: int, n_tickers: int, n_factors: int, alpha: float = 0.0) -> Sample:
    """Excess returns with correlated normal residuals, and factors with a premium."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(0.005, 0.04, (n_obs, n_factors))
    residuals = rng.normal(0, 0.05, (n_obs, n_tickers)) @ (np.eye(n_tickers) + 0.3)
    return alpha + factors @ rng.normal(0.8, 0.4, (n_factors, n_tickers)) + residuals, factors


def squared_sharpe(returns: np.ndarray) -> float:
    """Of the best portfolio, with divisor T."""
    mean = returns.mean(axis=0)
    covariance = np.atleast_2d(np.cov(returns, rowvar=False, ddof=0))
    return float(mean @ np.linalg.inv(covariance) @ mean)


@pytest.mark.parametrize(("n_tickers", "n_factors"), [(1, 1), (10, 1), (10, 3), (25, 6)])
def test_equals_the_gain_in_the_sharpe_ratio(n_tickers: int, n_factors: int) -> None:
    """(T − N − K) / N (θ_q² − θ_p²) / (1 + θ_p²): by how much the tickers improve the best portfolio of the factors."""
    excess, factors = simulated(1, 240, n_tickers, n_factors, alpha=0.004)
    of_factors, of_all = squared_sharpe(factors), squared_sharpe(np.hstack([factors, excess]))
    degrees = 240 - n_tickers - n_factors
    expected = degrees / n_tickers * (of_all - of_factors) / (1 + of_factors)
    found = grs_test(excess, factors)
    assert found.statistic == pytest.approx(expected, rel=PARITY)
    assert found.p_value == pytest.approx(f.sf(expected, n_tickers, degrees), rel=PARITY)
    assert (found.n_obs, found.n_tickers, found.n_factors) == (240, n_tickers, n_factors)


@pytest.mark.parametrize(("n_tickers", "n_factors"), [(2, 1), (8, 3), (20, 5)])
def test_equals_the_multivariate_regression_of_statsmodels(n_tickers: int, n_factors: int) -> None:
    """Hotelling's test that all intercepts are 0 is the same F, exact because one row of coefficients is tested."""
    excess, factors = simulated(2, 120, n_tickers, n_factors, alpha=0.003)
    constant_only = np.eye(1, n_factors + 1)
    tested = _MultivariateOLS(excess, sm.add_constant(factors)).fit().mv_test([("alpha", constant_only)])
    expected = tested.results["alpha"]["stat"].loc["Hotelling-Lawley trace"].astype(float)
    found = grs_test(excess, factors)
    assert found.statistic == pytest.approx(expected["F Value"], rel=PARITY)
    assert found.p_value == pytest.approx(expected["Pr > F"], rel=PARITY)
    degrees = (n_tickers, 120 - n_tickers - n_factors)
    assert (round(expected["Num DF"]), round(expected["Den DF"])) == degrees


def test_one_ticker_gives_the_squared_t_of_its_alpha() -> None:
    excess, factors = simulated(3, 90, 1, 2, alpha=0.01)
    fit = sm.OLS(excess[:, 0], sm.add_constant(factors)).fit()
    found = grs_test(excess, factors)
    assert found.statistic == pytest.approx(fit.tvalues[0] ** 2, rel=PARITY)
    assert found.p_value == pytest.approx(fit.pvalues[0], rel=PARITY)
    assert found.mean_abs_alpha == pytest.approx(abs(fit.params[0]), rel=PARITY)


def test_p_values_are_uniform_where_all_alphas_are_zero() -> None:
    """2,000 samples with a fixed seed; few observations, where a χ² in place of the F would reject far too often."""
    p_values = [grs_test(*simulated(seed, 40, 12, 3)).p_value for seed in range(2_000)]
    assert kstest(p_values, "uniform").pvalue > 0.01
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / 2_000))


def test_alphas_that_are_not_zero_are_seen() -> None:
    assert grs_test(*simulated(4, 300, 10, 3, alpha=0.05)).p_value < 1e-6


def test_the_order_and_the_mix_of_the_tickers_do_not_matter() -> None:
    """The best portfolio does not change when the tickers are repackaged."""
    excess, factors = simulated(5, 100, 4, 2, alpha=0.003)
    mixed = excess @ np.array([[1, 2, 0, 0], [0, 1, 0, 0], [0, -1, 3, 1], [0, 0, 0, 0.1]])
    assert grs_test(mixed, factors).statistic == pytest.approx(grs_test(excess, factors).statistic, rel=PARITY)


@pytest.mark.parametrize("n_obs", [12, 13])
def test_too_few_observations_are_refused(n_obs: int) -> None:
    """10 tickers and 3 factors need 14 observations."""
    with pytest.raises(InputError, match=r"common sample.*Choose a longer window or fewer tickers"):
        grs_test(*simulated(6, n_obs, 10, 3))
    assert np.isfinite(grs_test(*simulated(6, 14, 10, 3)).p_value)


def test_no_tickers_are_refused() -> None:
    with pytest.raises(InputError, match="at least one ticker"):
        grs_test(np.empty((50, 0)), simulated(6, 50, 1, 1)[1])


@pytest.mark.parametrize("of_tickers", [True, False])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_missing_value_is_refused(of_tickers: bool, value: float) -> None:
    excess, factors = simulated(7, 60, 3, 2)
    (excess if of_tickers else factors)[5, 1] = value
    with pytest.raises(InputError, match="missing values"):
        grs_test(excess, factors)


def test_a_repeated_ticker_and_an_exact_fit_are_refused() -> None:
    """Rounding leaves residuals of about 1e-18 in an exact fit; they must not pass for a ticker's own risk."""
    excess, factors = simulated(8, 60, 3, 2)
    exact = (0.001 + factors @ [[0.3], [1.7]], factors[:, :1], np.full((60, 1), 0.01), np.zeros((60, 1)))
    for repeated in (excess[:, :1], 2 * excess[:, 1:2] - factors[:, :1], *exact):
        with pytest.raises(InputError, match=r"residuals.*Leave out the ticker"):
            grs_test(np.hstack([excess, repeated]), factors)


def test_repeated_factors_are_refused() -> None:
    excess, factors = simulated(9, 60, 3, 2)
    for repeated in (factors[:, :1] - factors[:, 1:], np.full((60, 1), 0.01), np.zeros((60, 1))):
        with pytest.raises(InputError, match="factors: got"):
            grs_test(excess, np.hstack([factors, repeated]))


# ---- a published table ----

# Campbell, Lo and MacKinlay (1997), table 5.3, ten size portfolios over five years: the likelihood ratio J2 of the
# Sharpe-Lintner CAPM, and the exact J1 (ours) with its p value.
PUBLISHED = {"1965-69": (20.867, 2.038, 0.049), "1970-74": (21.712, 2.136, 0.039), "1975-79": (19.784, 1.914, 0.066)}


def likelihood_ratio(excess: np.ndarray, factors: np.ndarray) -> float:
    """T log(|Σ without intercepts| / |Σ|), from two multivariate regressions."""
    determinants = []
    for design in (factors, np.column_stack([np.ones(len(factors)), factors])):
        residuals = excess - design @ np.linalg.pinv(design) @ excess
        determinants.append(np.linalg.slogdet(residuals.T @ residuals)[1])
    return len(excess) * (determinants[0] - determinants[1])


@pytest.mark.parametrize("years", PUBLISHED)
def test_a_published_table(years: str) -> None:
    """A sample of the table's size, its alphas scaled until its likelihood ratio is the published J2."""
    ratio, statistic, p_value = PUBLISHED[years]
    rng = np.random.default_rng(7)
    factors = rng.normal(0.005, 0.04, (60, 1))
    excess = factors + rng.normal(0, 0.03, (60, 10)) @ rng.normal(size=(10, 10))
    design = np.column_stack([np.ones(60), factors])
    alphas = np.linalg.lstsq(design, excess, rcond=None)[0][0]
    low, high = 0.0, 100.0
    for _ in range(200):
        scale = (low + high) / 2
        low, high = (scale, high) if likelihood_ratio(excess + (scale - 1) * alphas, factors) < ratio else (low, scale)
    found = grs_test(excess + (scale - 1) * alphas, factors)
    assert found.statistic == pytest.approx(statistic, abs=ROUNDED_SOURCE)
    assert found.p_value == pytest.approx(p_value, abs=ROUNDED_SOURCE)
