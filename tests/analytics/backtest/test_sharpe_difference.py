"""Ledoit and Wolf's test: its parts are arch's and statsmodels', and equals are told apart as rarely as it says."""

import math

import numpy as np
import pytest
from arch.covariance.kernel import Parzen
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.api import VAR
from tolerances import EXACT, PARITY

from analytics.backtest.sharpe_difference import (
    _bandwidth,
    _gradient,
    _parzen,
    _whiten,
    block_length_of,
    hac_standard_error,
    sharpe_differences,
)
from analytics.conventions import TRADING_DAYS
from analytics.errors import InputError

YEAR = math.sqrt(TRADING_DAYS)


def pair(kind: str, correlation: float, *, n: int = 504, seed: int = 0, gap: float = 0.0) -> np.ndarray:
    """Two series of daily returns, mean 0.0004 and deviation 0.01, the first ahead by `gap`."""
    rng = np.random.default_rng([seed, n, int(100 * correlation)])
    noise = rng.standard_t(4, (n, 2)) / math.sqrt(2.0) if kind == "fat tails" else rng.standard_normal((n, 2))
    noise = noise @ np.linalg.cholesky([[1.0, correlation], [correlation, 1.0]]).T
    if kind == "autocorrelated":
        for t in range(1, n):
            noise[t] = 0.15 * noise[t - 1] + math.sqrt(1.0 - 0.15**2) * noise[t]
    return 0.0004 + np.array([gap, 0.0]) + 0.01 * noise


def dependent(n: int = 300) -> np.ndarray:
    """Two centred series that remember: 0.6 and −0.3 of what they were."""
    noise = np.random.default_rng(8).standard_normal((n, 2))
    for t in range(1, n):
        noise[t] += np.array([0.6, -0.3]) * noise[t - 1]
    return noise - noise.mean(axis=0)


@pytest.mark.parametrize("width", [1, 2, 7, 20])
def test_the_kernel_is_archs(width):
    series = dependent()
    peer = Parzen(series, bandwidth=width - 1, center=False)  # it divides lags by its bandwidth + 1
    assert _parzen(series, width) == pytest.approx(np.asarray(peer.cov.long_run) * 300 / 298, rel=PARITY)


def test_the_bandwidth_is_andrews():
    """From first-order autoregressions with an intercept, fitted one by one."""
    series = dependent()
    top = bottom = 0.0
    for column in series.T:
        design = np.column_stack([np.ones(299), column[:-1]])
        coefficients, *_ = np.linalg.lstsq(design, column[1:], rcond=None)
        rho, variance = coefficients[1], ((column[1:] - design @ coefficients) ** 2).mean()
        top += 4 * rho**2 * variance**2 / (1 - rho) ** 8
        bottom += variance**2 / (1 - rho) ** 4
    assert _bandwidth(series) == pytest.approx(2.6614 * (300 * top / bottom) ** 0.2, rel=PARITY)
    assert _bandwidth(series) > 5.0


@pytest.mark.parametrize("kind", ["independent", "autocorrelated", "fat tails"])
def test_the_standard_error_whitens_as_statsmodels_does(kind):
    """The gradient by differences; no root reaches the bound of 0.97 here."""
    values = pair(kind, 0.4, n=800)
    moments = np.hstack([values, values**2])
    centre, scale = moments.mean(axis=0), moments.std(axis=0)
    fit = VAR((moments - centre) / scale).fit(1, trend="n")

    def lead(of: np.ndarray) -> float:
        first, second = of[:2] / np.sqrt(of[2:] - of[:2] ** 2)
        return first - second

    steps = np.diag(1e-6 * scale)
    gradient = np.array([lead(centre + step) - lead(centre - step) for step in steps]) / 2e-6
    pull = gradient @ np.linalg.inv(np.eye(4) - fit.coefs[0])
    variance = pull @ _parzen(fit.resid, _bandwidth(fit.resid)) @ pull / 800
    assert hac_standard_error(values) == pytest.approx(math.sqrt(variance), rel=1e-6)  # what differences leave


def test_what_nearly_never_forgets_is_taken_to_forget():
    wandering = np.cumsum(np.random.default_rng(0).standard_normal((300, 2)), axis=0)
    _, back = _whiten(wandering - wandering.mean(axis=0))
    assert 10.0 < np.linalg.norm(back, 2) <= (1.0 + EXACT) / (1.0 - 0.97)


def test_the_normal_case_is_jobson_and_korkies():
    """Independent normal returns: variance of the difference by Jobson and Korkie (1981), corrected by Memmel (2003)."""
    values = pair("independent", 0.5, n=20_000)
    first, second = values.mean(axis=0) / values.std(axis=0)
    rho = np.corrcoef(values.T)[0, 1]
    variance = 2 - 2 * rho + 0.5 * (first**2 + second**2 - 2 * first * second * rho**2)
    # the estimate of a long-run variance from 20,000 sessions is known to a few percent
    assert hac_standard_error(values) == pytest.approx(math.sqrt(variance / 20_000), rel=0.03)


def test_each_draw_is_what_a_plain_loop_finds():
    values, length, draws = pair("autocorrelated", 0.3, n=60), 4, 199
    found = sharpe_differences(values, seed=5, draws=draws, block_length=length)
    sharpe = values.mean(axis=0) / values.std(axis=0)
    estimate = found.difference[0, 1] / YEAR
    starts = np.random.default_rng(5).integers(0, 60, (draws, 15))
    ratios = []
    for own in starts:
        sample = values[(own[:, None] + np.arange(length)).ravel() % 60]
        moments = np.hstack([sample, sample**2])
        centre = moments.mean(axis=0)
        of_mean, of_second = _gradient(centre[:2], centre[2:])
        gradient = np.concatenate([of_mean, of_second]) * [1, -1, 1, -1]
        zeta = (moments - centre).reshape(15, length, 4).sum(axis=1) / math.sqrt(length)
        std_err = math.sqrt(gradient @ (zeta.T @ zeta / 15) @ gradient / 60)
        drawn = sample.mean(axis=0) / sample.std(axis=0)
        ratios.append(abs((drawn[0] - drawn[1] - (sharpe[0] - sharpe[1])) / std_err))
    ahead = abs(estimate) / (found.std_err[0, 1] / YEAR)
    assert found.p_value[0, 1] == (sum(ratio >= ahead for ratio in ratios) + 1) / (draws + 1)
    reach = np.quantile(ratios, 0.95) * found.std_err[0, 1] / YEAR
    assert found.high[0, 1] == pytest.approx((estimate + reach) * YEAR, rel=PARITY)


def test_all_pairs_at_once_are_the_pairs_one_by_one():
    values = np.hstack([pair("independent", 0.3, n=120), pair("fat tails", 0.6, n=120, seed=1)])
    whole = sharpe_differences(values, seed=2, draws=99, block_length=3)
    for first, second in [(0, 1), (0, 3), (2, 1)]:
        alone = sharpe_differences(values[:, [first, second]], seed=2, draws=99, block_length=3)
        for name in ("difference", "std_err", "p_hac", "p_value", "low", "high"):
            found = getattr(whole, name)[first, second]
            assert found == pytest.approx(getattr(alone, name)[0, 1], rel=PARITY), name


@given(seed=st.integers(0, 50), scales=st.tuples(st.floats(0.1, 50.0), st.floats(0.1, 50.0)))
@settings(max_examples=15, deadline=None)
def test_leverage_changes_nothing_and_order_the_sign(seed, scales):
    values = pair("fat tails", 0.5, n=120, seed=seed)
    base, scaled, turned = (
        sharpe_differences(series, seed=1, draws=99, block_length=2)
        for series in (values, values * np.array(scales), values[:, ::-1])
    )
    for name in ("difference", "std_err", "low", "high"):
        assert getattr(scaled, name)[0, 1] == pytest.approx(getattr(base, name)[0, 1], rel=1e-6), name
    assert turned.difference[0, 1] == -base.difference[0, 1]
    assert turned.p_value[0, 1] == base.p_value[0, 1]
    assert base.low[0, 1] <= base.difference[0, 1] <= base.high[0, 1]


@pytest.mark.parametrize("kind", ["independent", "fat tails", "autocorrelated"])
@pytest.mark.parametrize("correlation", [0.0, 0.95])
def test_equals_have_no_winner(kind, correlation):
    found = 0
    for seed in range(100):
        test = sharpe_differences(pair(kind, correlation, seed=1_000 + seed), seed=seed, draws=199)
        found += test.p_value[0, 1] < 0.05
    # 8 % is asked for; of 100 histories at 5 %, one set in a hundred would have 11 or more
    assert found <= 10


def test_a_better_run_is_found():
    test = sharpe_differences(pair("autocorrelated", 0.9, n=1_260, gap=0.0008), seed=1, draws=999)
    assert test.p_value[0, 1] == 0.001
    assert test.low[0, 1] > 0.0
    assert test.p_hac[0, 1] < 0.001


def test_what_does_not_vary_has_no_test():
    values = np.column_stack([pair("independent", 0.0, n=100), np.zeros(100)])
    test = sharpe_differences(values, seed=1, draws=99)
    assert np.isfinite(test.p_value[0, 1])
    assert np.isnan(test.p_value[:, 2]).all()
    assert np.isnan(test.p_value.diagonal()).all()
    twins = sharpe_differences(values[:, [0, 0]], seed=1, draws=99)
    assert math.isnan(twins.p_value[0, 1])
    assert twins.difference[0, 1] == 0.0


def test_blocks_are_longer_where_returns_depend():
    trend = np.cumsum(np.random.default_rng(0).standard_normal((500, 1)), axis=0) * 0.001
    assert block_length_of(pair("independent", 0.0)) < 10.0 < block_length_of(trend) <= 250.0
    assert block_length_of(np.zeros((100, 2))) == 1.0


def test_nonsense_is_refused():
    values = pair("independent", 0.0, n=50)
    with pytest.raises(InputError, match="excess"):
        sharpe_differences(values[:5], seed=1)
    with pytest.raises(InputError, match="excess"):
        sharpe_differences(np.where(values == values[3, 0], np.nan, values), seed=1)
    with pytest.raises(InputError, match="block_length"):
        sharpe_differences(values, seed=1, block_length=26)
    assert sharpe_differences(values, seed=1, draws=9).std_err[0, 1] == pytest.approx(
        hac_standard_error(values) * YEAR, rel=EXACT
    )
