"""Shocks by hand, drawn shocks against scipy, and tail risk against the metrics, closed forms and two libraries."""

import empyrical
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats
from skfolio.measures import cvar
from tolerances import EXACT, PARITY

from analytics.conventions import TRADING_DAYS, FloatArray
from analytics.errors import InputError
from analytics.metrics import Performance
from analytics.metrics.risk import expected_shortfall, kurtosis, skewness, value_at_risk
from analytics.portfolio.scenarios import SCENARIOS, random_shocks, sampling_spread, shock
from analytics.portfolio.tail_risk import LOSSES, METHODS, portfolio_risk, risk_in_worlds

QUADRATURE = 1e-7  # absolute; what scipy's adaptive integration is asked for
SIMULATED = 4  # standard errors that a simulated figure may lie from the true one
QUANTILE = 0.01  # relative; of 5 and 95 % quantiles of 100,000 draws, whose error is 0.5 % of the spread
DRAWN = 0.05  # relative; of a mean over 4,000 draws whose spread is about its size


def problem(seed: int, n_assets: int) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    draw = rng.standard_normal((n_assets, 2 * n_assets))
    return rng.normal(0.08, 0.05, n_assets), 0.04 * (draw @ draw.T / (2 * n_assets) + 0.1 * np.eye(n_assets))


def sample(seed: int, n_sessions: int, n_assets: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    return 0.0004 + 0.006 * rng.standard_t(5, (n_sessions, 1)) + 0.01 * rng.standard_t(6, (n_sessions, n_assets))


def correlation(sigma: FloatArray) -> FloatArray:
    return sigma / np.sqrt(np.outer(np.diag(sigma), np.diag(sigma)))


def test_shock_by_hand() -> None:
    mu, sigma = np.array([0.05, 0.10]), np.array([[0.04, 0.03], [0.03, 0.09]])  # 20 and 30 %, correlation ½
    found, covariance = shock(mu, sigma, expected_return_shift=[-0.10, 0.0], volatility_factor=2, correlation_shift=0.5)
    np.testing.assert_allclose(found, [-0.05, 0.10], rtol=EXACT)
    np.testing.assert_allclose(covariance, [[0.16, 0.18], [0.18, 0.36]], rtol=EXACT)  # 40 and 60 %, ¾
    _, apart = shock(mu, sigma, volatility_factor=[1, 0.5], correlation_shift=-0.5)
    np.testing.assert_allclose(apart, [[0.04, 0.0075], [0.0075, 0.0225]], rtol=EXACT)  # 20 and 15 %, ¼
    _, alone = shock(mu, sigma, correlation_shift=-1)
    np.testing.assert_allclose(alone, np.diag([0.04, 0.09]), rtol=EXACT)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1_000), st.integers(1, 12), st.floats(-1, 0.999), st.floats(0.1, 5))
def test_a_shock_leaves_a_covariance(seed: int, n_assets: int, shift: float, factor: float) -> None:
    mu, sigma = problem(seed, n_assets)
    same, covariance = shock(mu, sigma, volatility_factor=factor, correlation_shift=shift)
    np.testing.assert_array_equal(same, mu)
    np.testing.assert_array_equal(covariance, covariance.T)
    assert np.linalg.eigvalsh(covariance)[0] >= -EXACT
    np.testing.assert_allclose(np.diag(covariance), factor**2 * np.diag(sigma), rtol=PARITY)
    before, after = correlation(sigma), correlation(covariance)
    assert ((after - before) * np.sign(shift) * np.sign(1.0 if shift > 0 else before) >= -EXACT).all()
    np.testing.assert_array_equal(shock(mu, sigma)[1], sigma)


def test_named_scenarios_are_assumptions() -> None:
    mu, sigma = problem(1, 5)
    assert len({scenario.key for scenario in SCENARIOS}) == len(SCENARIOS)
    for scenario in SCENARIOS:
        assert scenario.description.startswith("Assumed: ")
        shifted, covariance = scenario.apply(mu, sigma)
        np.testing.assert_allclose(shifted - mu, scenario.expected_return_shift, atol=EXACT)
        assert np.linalg.eigvalsh(covariance)[0] > 0
    crash = SCENARIOS[0].apply(mu, sigma)[1]
    np.testing.assert_allclose(np.diag(crash), 6.25 * np.diag(sigma), rtol=PARITY)
    np.testing.assert_allclose(correlation(crash), (1 + correlation(sigma)) / 2, rtol=PARITY)


def test_random_shocks_are_the_posterior() -> None:
    mu, sigma = problem(2, 3)
    drawn_mu, drawn_sigma = random_shocks(mu, sigma, n_sessions=126, count=4_000, seed=1)
    law = stats.invwishart(df=125, scale=125 * sigma)
    np.testing.assert_allclose(drawn_sigma.mean(axis=0), law.mean(), atol=DRAWN * sigma.max())
    np.testing.assert_allclose(drawn_sigma.var(axis=0), law.var(), rtol=3 * DRAWN)
    for asset in range(3):  # a variance alone is inverse gamma
        alone = stats.invgamma(a=(125 - 2) / 2, scale=125 * sigma[asset, asset] / 2)
        assert stats.kstest(drawn_sigma[:, asset, asset], alone.cdf).pvalue > 0.001
    np.testing.assert_allclose(np.cov(drawn_mu.T), 2 * law.mean(), atol=2 * DRAWN * sigma.max())  # half a year
    np.testing.assert_allclose(drawn_mu.mean(axis=0), mu, atol=SIMULATED * np.sqrt(2 * sigma.max() / 4_000))
    assert (np.linalg.eigvalsh(drawn_sigma)[:, 0] > 0).all()
    again = random_shocks(mu, sigma, n_sessions=126, count=4_000, seed=1)
    assert drawn_sigma.tobytes() == again[1].tobytes()


def test_random_shocks_of_a_singular_covariance() -> None:
    mu, sigma = random_shocks([0.05, 0.05], np.full((2, 2), 0.04), n_sessions=252, count=10)
    np.testing.assert_allclose(mu[:, 0], mu[:, 1], atol=PARITY)
    np.testing.assert_allclose(sigma[:, 0, 0], sigma[:, 0, 1], rtol=PARITY)


def test_sampling_spread_equals_the_closed_forms() -> None:
    """A variance alone is inverse gamma, a mean Student t; the Sharpe ratio's error is Jobson and Korkie's (1981)."""
    mean, volatility, sessions = 0.08, 0.2, 504
    table = sampling_spread(mean, volatility, n_sessions=sessions, risk_free_rate=0.03, count=100_000)
    degrees = sessions - 1
    variance = stats.invgamma(a=degrees / 2, scale=degrees * volatility**2 / 2)
    means = stats.t(degrees, mean, volatility / np.sqrt(sessions / TRADING_DAYS))
    np.testing.assert_allclose(
        table.loc["volatility", ["low", "high"]], np.sqrt(variance.ppf([0.05, 0.95])), rtol=QUANTILE
    )
    np.testing.assert_allclose(
        table.loc["expected_return", ["low", "high"]], means.ppf([0.05, 0.95]), atol=QUANTILE * 0.2
    )
    ratio = 0.05 / 0.2
    error = np.sqrt((1 + ratio**2 / TRADING_DAYS / 2) / (sessions / TRADING_DAYS))
    np.testing.assert_allclose(
        table.loc["sharpe_ratio", ["low", "high"]], stats.norm(ratio, error).ppf([0.05, 0.95]), atol=2 * QUANTILE
    )
    np.testing.assert_allclose(table["estimate"], [mean, volatility, ratio], rtol=EXACT)
    assert (table["low"] < table["estimate"]).all()
    assert (table["estimate"] < table["high"]).all()


def test_sampling_spread_of_cash_and_without_a_rate() -> None:
    cash = sampling_spread(0.03, 0.0, n_sessions=252, risk_free_rate=0.03, count=100)
    np.testing.assert_allclose(cash.loc["expected_return"], 0.03, rtol=EXACT)
    assert cash.loc["sharpe_ratio"].isna().all()
    assert sampling_spread(0.1, 0.2, n_sessions=252, risk_free_rate=np.nan, count=100).loc["sharpe_ratio"].isna().all()


@pytest.fixture(scope="module")
def returns() -> FloatArray:
    return sample(3, 1_000, 4)


WEIGHTS = np.array([0.4, 0.3, 0.2, 0.1])


def moments(returns: FloatArray) -> tuple[FloatArray, FloatArray]:
    return TRADING_DAYS * returns.mean(axis=0), TRADING_DAYS * np.cov(returns.T)


def test_historical_equals_the_metrics_empyrical_and_skfolio(returns: FloatArray) -> None:
    table = portfolio_risk(WEIGHTS, returns, *moments(returns), horizon_sessions=1)
    row, held = table.loc["historical"], returns @ WEIGHTS
    record = Performance(np.arange(1_000).astype("datetime64[D]"), held)
    assert row.value_at_risk == pytest.approx(value_at_risk(record), rel=PARITY)
    assert row.expected_shortfall == pytest.approx(expected_shortfall(record), rel=PARITY)
    assert row.value_at_risk == pytest.approx(-empyrical.value_at_risk(held, 0.05), rel=PARITY)
    assert row.expected_shortfall == pytest.approx(cvar(held, beta=0.95), rel=PARITY)  # where 5 % is a whole number
    assert row.probability_of_loss == np.mean(held < 0)
    assert row.volatility == pytest.approx(held.std(ddof=1), rel=PARITY)
    # The error of a share of independent days is binomial.
    assert row.probability_of_loss_se == pytest.approx(0.5 / np.sqrt(1_000), rel=0.2)


def test_historical_windows_overlap(returns: FloatArray) -> None:
    row = portfolio_risk(WEIGHTS, returns, *moments(returns), horizon_sessions=21).loc["historical"]
    held = returns @ WEIGHTS
    windows = np.array([np.prod(1 + held[start : start + 21]) - 1 for start in range(980)])
    assert row.value_at_risk == pytest.approx(-np.quantile(windows, 0.05), rel=PARITY)
    assert row.expected_return == pytest.approx(windows.mean(), rel=PARITY)
    assert row.probability_of_loss == pytest.approx(np.mean(windows < 0), rel=PARITY)


@pytest.mark.parametrize(("horizon", "confidence"), [(1, 0.95), (21, 0.95), (252, 0.99)])
def test_normal_equals_scipy(returns: FloatArray, horizon: int, confidence: float) -> None:
    mu, sigma = moments(returns)
    row = portfolio_risk(WEIGHTS, returns, mu, sigma, horizon_sessions=horizon, confidence=confidence).loc["normal"]
    law = stats.norm(horizon / 252 * WEIGHTS @ mu, np.sqrt(horizon / 252 * WEIGHTS @ sigma @ WEIGHTS))
    assert row.expected_return == pytest.approx(law.mean(), rel=PARITY)
    assert row.volatility == pytest.approx(law.std(), rel=PARITY)
    assert row.probability_of_loss == pytest.approx(law.cdf(0), rel=PARITY)
    assert row.value_at_risk == pytest.approx(-law.ppf(1 - confidence), rel=PARITY)
    beyond = law.expect(ub=law.ppf(1 - confidence), conditional=True)
    assert row.expected_shortfall == pytest.approx(-beyond, abs=QUADRATURE)


@pytest.mark.parametrize("horizon", [1, 21])
def test_cornish_fisher_equals_its_quantiles(returns: FloatArray, horizon: int) -> None:
    mu, sigma = moments(returns)
    row = portfolio_risk(WEIGHTS, returns, mu, sigma, horizon_sessions=horizon).loc["cornish_fisher"]
    record = Performance(np.arange(1_000).astype("datetime64[D]"), returns @ WEIGHTS)
    skew, excess = skewness(record) / np.sqrt(horizon), kurtosis(record) / horizon

    def quantile(share: float) -> float:
        z = stats.norm.ppf(share)
        shape = z + (z**2 - 1) * skew / 6 + (z**3 - 3 * z) * excess / 24 - (2 * z**3 - 5 * z) * skew**2 / 36
        return float(row.expected_return + row.volatility * shape)

    assert row.value_at_risk == pytest.approx(-quantile(0.05), rel=PARITY)
    assert row.expected_shortfall == pytest.approx(-integrate.quad(quantile, 0, 0.05)[0] / 0.05, abs=QUADRATURE)
    assert row.probability_of_loss == pytest.approx(optimize.brentq(quantile, 0.01, 0.99, xtol=EXACT), abs=PARITY)


def test_cornish_fisher_is_unknown_beyond_its_domain() -> None:
    """One crash among still days: a skewness of −31, where the formula's quantiles turn back."""
    returns = np.where(np.arange(1_000) == 500, -0.5, 0.001)[:, None]
    table = portfolio_risk([1.0], returns, *([0.05], [[0.04]]), horizon_sessions=1)
    assert table.loc["cornish_fisher", [*LOSSES]].isna().all()
    assert table.loc["normal", [*LOSSES]].notna().all()


@pytest.mark.parametrize("degrees", [np.inf, 5.0])
def test_simulated_days_equal_closed_forms(returns: FloatArray, degrees: float) -> None:
    mu, sigma = moments(returns)
    row = portfolio_risk(WEIGHTS, returns, mu, sigma, horizon_sessions=1, degrees=degrees).loc["student_t"]
    mean, spread = WEIGHTS @ mu / 252, np.sqrt(WEIGHTS @ sigma @ WEIGHTS / 252)
    if np.isinf(degrees):
        law = stats.norm(mean, spread)
    else:
        law = stats.t(degrees, mean, spread * np.sqrt((degrees - 2) / degrees))
    quantile = law.ppf(0.05)
    expected = (law.cdf(0), -quantile, -law.expect(ub=quantile, conditional=True))
    for name, value in zip(LOSSES, expected, strict=True):
        assert abs(row[name] - value) <= SIMULATED * row[f"{name}_se"]
        assert 0 < row[f"{name}_se"] < 0.05 * value
    assert row.degrees == degrees


def test_simulated_horizons_compound(returns: FloatArray) -> None:
    mu, sigma = moments(returns)
    row = portfolio_risk(WEIGHTS, returns, mu, sigma, horizon_sessions=63, draws=20_000).loc["student_t"]
    assert row.expected_return == pytest.approx(
        (1 + WEIGHTS @ mu / 252) ** 63 - 1, abs=SIMULATED * row.volatility / 141
    )
    record = Performance(np.arange(1_000).astype("datetime64[D]"), returns @ WEIGHTS)
    assert row.degrees == pytest.approx(4 + 6 / kurtosis(record), rel=PARITY)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1_000), st.sampled_from([1, 5, 21]), st.floats(0.2, 3), st.floats(0.01, 0.2))
def test_order_scale_and_shift(seed: int, horizon: int, factor: float, shift: float) -> None:
    past = sample(seed, 300, 3)
    mu, sigma = moments(past)
    weights = np.random.default_rng(seed).dirichlet(np.ones(3))

    def table(*, factor: float = 1.0, shift: float = 0.0) -> FloatArray:
        world = shock(mu, sigma, expected_return_shift=shift, volatility_factor=factor)
        rows = portfolio_risk(weights, past, *world, horizon_sessions=horizon, degrees=5, draws=2_000)
        return rows.loc[known, [*LOSSES]].to_numpy()

    known = [*METHODS]
    if np.isnan(table()).any():  # a kurtosis beyond what that expansion bears
        known.remove("cornish_fisher")
    plain = table()
    assert (plain[:, 2] >= plain[:, 1]).all()  # the shortfall is beyond the value at risk
    assert ((plain[:, 0] >= 0) & (plain[:, 0] <= 1)).all()
    better = table(shift=shift)
    assert (better[1:] <= plain[1:] + EXACT).all()
    np.testing.assert_array_equal(better[0], plain[0])  # the past knows of no shock
    wilder = table(factor=1 + factor)
    assert (wilder[1:, 1:] > plain[1:, 1:]).all()


def test_the_table_and_its_seed(returns: FloatArray) -> None:
    first, again, other = (portfolio_risk(WEIGHTS, returns, *moments(returns), seed=seed) for seed in (1, 1, 2))
    assert first.index.tolist() == list(METHODS)
    assert first.equals(again)
    assert not first.equals(other)
    assert first.loc[["normal", "cornish_fisher"], [f"{name}_se" for name in LOSSES]].isna().all(axis=None)


def test_worlds_share_their_past_and_their_random_days(returns: FloatArray) -> None:
    mu, sigma = moments(returns)
    worlds = {"same": (mu, sigma), "bear": SCENARIOS[2].apply(mu, sigma)}
    risk = risk_in_worlds(WEIGHTS, returns, worlds, horizon_sessions=21)
    for key, world in worlds.items():
        assert risk.tables[key].equals(portfolio_risk(WEIGHTS, returns, *world, horizon_sessions=21))
        assert (risk.simulated[key] < 0).mean() == risk.tables[key].loc["student_t", "probability_of_loss"]
    assert risk.tables["bear"].loc["historical"].equals(risk.tables["same"].loc["historical"])
    assert (risk.past < 0).mean() == risk.tables["same"].loc["historical", "probability_of_loss"]
    assert len(risk.past) == 980
    # The same days: the ranks of the paths agree but where compounding at another volatility turns them.
    assert stats.spearmanr(risk.simulated["same"], risk.simulated["bear"]).statistic > 0.99
    lower = risk_in_worlds(WEIGHTS, returns, {"a": (mu, sigma), "b": (mu - 0.1, sigma)}, horizon_sessions=21).simulated
    assert (lower["b"] < lower["a"]).all()


def test_cash_cannot_lose(returns: FloatArray) -> None:
    mu, sigma = moments(returns)
    cash = portfolio_risk(np.zeros(4), returns, mu, sigma, horizon_sessions=21, risk_free_rate=0.0252)
    np.testing.assert_array_equal(cash["probability_of_loss"], 0)
    np.testing.assert_allclose(cash["value_at_risk"], -0.0021, rtol=0.002)  # compounding aside
    half = portfolio_risk(WEIGHTS / 2, returns, mu, sigma, horizon_sessions=1).loc["historical"]
    whole = portfolio_risk(WEIGHTS, returns, mu, sigma, horizon_sessions=1).loc["historical"]
    assert half.value_at_risk == pytest.approx(whole.value_at_risk / 2, rel=PARITY)


def test_bad_input_is_named(returns: FloatArray) -> None:
    mu, sigma = moments(returns)
    for options, message in (
        ({"correlation_shift": 1.0}, "correlation_shift: got 1.0"),
        ({"correlation_shift": -1.1}, "correlation_shift"),
        ({"volatility_factor": 0.0}, "volatility_factor"),
        ({"volatility_factor": [1, 2]}, "one number above 0, or 4"),
        ({"expected_return_shift": np.nan}, "expected_return_shift"),
    ):
        with pytest.raises(InputError, match=message):
            shock(mu, sigma, **options)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="n_sessions: got 6; allowed: a whole number from 7 on"):
        random_shocks(mu, sigma, n_sessions=6)
    for options, message in (
        ({"horizon_sessions": 0}, "horizon_sessions: got 0"),
        ({"horizon_sessions": 1_001}, "1 to the 1000 sessions"),
        ({"confidence": 0.05}, "confidence: got 0.05"),
        ({"degrees": 2}, "degrees: got 2"),
        ({"draws": 19}, "draws: got 19"),
    ):
        with pytest.raises(InputError, match=message):
            portfolio_risk(WEIGHTS, returns, mu, sigma, **options)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="one finite weight"):
        portfolio_risk(WEIGHTS[:3], returns, mu, sigma)
