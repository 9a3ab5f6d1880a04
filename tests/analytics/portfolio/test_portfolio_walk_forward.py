"""Walk-forward of the frontier: by hand, against accounts kept share by share, and blind to the future."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import EXACT, PARITY

from analytics.conventions import TRADING_DAYS, FloatArray
from analytics.errors import InputError, MissingDataError
from analytics.metrics import Performance
from analytics.metrics.ratios import sharpe_ratio
from analytics.portfolio import efficient_frontier
from analytics.portfolio.covariance.ledoit_wolf import ledoit_wolf
from analytics.portfolio.intervals import portfolio_intervals
from analytics.portfolio.limits import Limit, feasible_set, long_only
from analytics.portfolio.walk_forward import WalkForward, summary, walk_forward

FREE = 0.0001  # risk-free, daily
SETTINGS = {"window": 60, "step": 20, "ranks": 3, "risk_free_returns": FREE}


def estimate(returns: FloatArray) -> tuple[FloatArray, FloatArray]:
    return TRADING_DAYS * returns.mean(axis=0), ledoit_wolf(returns)


def dates(n_sessions: int) -> FloatArray:
    return np.datetime64("2020-01-01") + np.arange(n_sessions)


def random_returns(seed: int, n_sessions: int, n_assets: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    return 0.0005 + 0.01 * rng.standard_normal((n_sessions, 1)) + 0.015 * rng.standard_normal((n_sessions, n_assets))


def run(returns: FloatArray) -> WalkForward:
    return walk_forward(returns, dates(len(returns)), estimate=estimate, **SETTINGS)


def test_two_assets_by_hand() -> None:
    """Window of two, held for two: what is given says nothing, the estimates are 5 and 10 % with 20 and 30 %."""
    returns = np.array([[0.0, 0.0], [0.0, 0.0], [0.1, 0.0], [0.0, 0.1], [0.2, -0.1]])
    found = walk_forward(
        pd.DataFrame(returns), dates(5), window=2, step=2, ranks=2, risk_free_returns=0.0,
        estimate=lambda known: (np.array([0.05, 0.10]), np.diag([0.04, 0.09])),
    )  # fmt: skip
    assert found.kinds == ("frontier", "frontier", "max_sharpe", "equal_weight")
    assert found.chosen_on.tolist() == dates(5)[[1, 3]].tolist()
    assert found.dates.tolist() == dates(5)[2:].tolist()
    assert (found.sessions.tolist(), found.n_assets.tolist(), found.left_out) == ([2, 1], [2, 2], 0)
    # Least variance is 9/13 and 4/13; the best ratio has weights as μ/σ²: 1.25 to 1.111, 9/17 and 8/17.
    weights = np.array([[9 / 13, 4 / 13], [0, 1], [9 / 17, 8 / 17], [0.5, 0.5]])
    np.testing.assert_allclose(found.weights, [weights, weights], rtol=PARITY, atol=PARITY)
    first, second = weights.T
    expected = [0.1 * first, (first * 1.1 + second * 1.1) / (first * 1.1 + second) - 1, 0.2 * first - 0.1 * second]
    np.testing.assert_allclose(found.returns, expected, rtol=PARITY, atol=PARITY)
    np.testing.assert_allclose(found.promised_return, weights @ [0.05, 0.10], rtol=PARITY)
    np.testing.assert_allclose(found.promised_volatility, np.sqrt(weights**2 @ [0.04, 0.09]), rtol=PARITY)
    np.testing.assert_allclose(
        found.promised_sharpe_ratio, found.promised_return / found.promised_volatility, rtol=PARITY
    )
    assert np.isnan(found.realised.mean_return).all()  # three sessions give no interval


def test_equals_accounts_kept_share_by_share() -> None:
    """Prices, shares and cash in place of returns; one asset lists late, one stops, one has a gap."""
    returns = random_returns(1, 200, 5)
    returns[:90, 1] = np.nan
    returns[130:, 2] = np.nan
    returns[100, 3] = np.nan
    found = run(returns)
    prices = 100 * np.cumprod(1 + np.nan_to_num(returns), axis=0)  # an unknown return keeps the price
    earned = []
    for first in range(60, 200, 20):
        known = [column for column in range(5) if np.isfinite(returns[first - 60 : first, column]).all()]
        mu, sigma = estimate(returns[first - 60 : first, known])
        frontier = efficient_frontier(mu, sigma, risk_free_rate=TRADING_DAYS * FREE, points=3)
        portfolios = [*frontier.weights, frontier.max_sharpe, np.full(len(known), 1 / len(known))]
        shares = np.array(portfolios) / prices[first - 1, known]
        value = prices[first - 1 : first + 20, known] @ shares.T
        earned.append(value[1:] / value[:-1] - 1)
    np.testing.assert_allclose(found.returns, np.vstack(earned), rtol=PARITY, atol=EXACT)
    # Row 150 of the late one begins a full window; the stopped one leaves; the gap keeps one out for 60 sessions.
    assert found.n_assets.tolist() == [4, 4, 4, 3, 2, 3, 4]


def test_statistics_are_those_of_the_metrics() -> None:
    free = np.random.default_rng(2).uniform(0, 0.0002, 300)
    returns = random_returns(3, 300, 6)
    found = walk_forward(returns, dates(300), estimate=estimate, **SETTINGS | {"risk_free_returns": free})
    for row in range(len(found.kinds)):
        record = Performance(found.dates, found.returns[:, row], risk_free_returns=free[60:])
        assert found.sharpe_ratio[row] == pytest.approx(sharpe_ratio(record), rel=PARITY)
    alone = portfolio_intervals(found.returns[:, 1])
    assert found.realised.volatility_high[1] == pytest.approx(alone.volatility_high, rel=PARITY)
    np.testing.assert_allclose(found.shortfall, found.promised_return - found.realised.mean_return, rtol=EXACT)
    np.testing.assert_allclose(
        found.realised.mean_return, TRADING_DAYS * found.returns.mean(axis=0), rtol=PARITY, atol=EXACT
    )


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1_000), st.integers(61, 159))
def test_the_future_changes_nothing(seed: int, until: int) -> None:
    returns = random_returns(seed, 160, 4)
    poisoned = returns.copy()
    poisoned[until:] = np.random.default_rng(seed + 1).uniform(-0.9, 5.0, (160 - until, 4))
    whole, other, cut = run(returns), run(poisoned), run(returns[:until])
    earned, chosen = until - 60, len(cut.chosen_on)  # what is earned before the change; choices made by then
    np.testing.assert_array_equal(whole.returns[:earned], other.returns[:earned])
    np.testing.assert_allclose(whole.returns[:earned], cut.returns, atol=EXACT)  # sums of other lengths, by BLAS
    np.testing.assert_array_equal(whole.weights[:chosen], other.weights[:chosen])
    np.testing.assert_array_equal(whole.weights[:chosen], cut.weights)
    # The choice of a session knows that session: another return of it makes other weights from the next day on.
    returns[79, 0] += 0.05
    changed = run(returns)
    np.testing.assert_array_equal(whole.weights[0], changed.weights[0])
    assert not np.array_equal(whole.weights[1], changed.weights[1])


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1_000))
def test_weights_add_up_and_lie_within_their_limits(seed: int) -> None:
    found = walk_forward(
        random_returns(seed, 120, 5), dates(120), estimate=estimate,
        make_feasible=lambda members: long_only(len(members), upper=0.3), **SETTINGS,
    )  # fmt: skip
    np.testing.assert_allclose(found.weights.sum(axis=2), 1, atol=PARITY)
    assert found.weights.min() >= -PARITY
    assert found.weights[:, :-1].max() <= 0.3 + PARITY


def test_cash_earns_the_risk_free_rate() -> None:
    half = [
        Limit("cash:min", "half in cash", "sum", "max", 0.5, np.ones(2)),
        Limit("cash:max", "half invested", "sum", "min", 0.5, np.ones(2)),
        Limit("short", "no short sales", "each", "min", 0.0, np.ones(2)),
    ]
    returns = random_returns(4, 61, 2)
    found = walk_forward(
        returns, dates(61), estimate=estimate, make_feasible=lambda members: feasible_set(half), **SETTINGS
    )
    np.testing.assert_allclose(found.weights[0, :4].sum(axis=1), 0.5, atol=PARITY)
    expected = found.weights[0, :4] @ returns[60] + 0.5 * FREE
    np.testing.assert_allclose(found.returns[0, :4], expected, rtol=PARITY, atol=EXACT)
    rate = TRADING_DAYS * FREE
    promised = found.weights[0, :4] @ (TRADING_DAYS * returns[:60].mean(axis=0)) + 0.5 * rate
    np.testing.assert_allclose(found.promised_return[:4], promised, rtol=PARITY)


def test_promises_of_luck_are_not_kept() -> None:
    """Twenty stocks that are alike: all that the frontier promises beyond the mean is luck, and none of it comes."""
    returns = np.random.default_rng(5).normal(0.0004, 0.015, (2_520, 20))
    found = walk_forward(returns, dates(2_520), estimate=estimate, risk_free_returns=FREE)
    assert (np.diff(found.shortfall[:11]) > 0).all()
    assert found.shortfall[10] > 0.2
    assert abs(found.shortfall[-1]) < 0.05  # equal weights promise no luck
    assert found.promised_sharpe_ratio[11] > found.sharpe_ratio[11] + 1


def test_choices_that_cannot_be_made_are_left_out() -> None:
    returns = random_returns(6, 200, 4)
    returns[:70, 2:] = np.nan  # two stocks until session 130, and no more than 30 % in each
    found = walk_forward(
        returns, dates(200), estimate=estimate,
        make_feasible=lambda members: long_only(len(members), upper=0.3), **SETTINGS,
    )  # fmt: skip
    assert found.left_out == 4
    assert found.chosen_on.tolist() == dates(200)[[139, 159, 179]].tolist()
    assert len(found.dates) == 60


def test_bad_input_is_named() -> None:
    returns = random_returns(7, 100, 3)
    for changes, message in (
        ({"returns": returns[:, 0]}, "sessions × assets"),
        ({"returns": np.where(returns > 0, -1.0, returns)}, "above −1"),
        ({"dates": dates(99)}, "100 rising dates"),
        ({"dates": dates(100)[::-1]}, "100 rising dates"),
        ({"risk_free_returns": np.nan}, "risk_free_returns"),
        ({"window": 1}, "window: got 1"),
        ({"step": 0}, "step: got 0"),
        ({"ranks": 1}, "ranks: got 1"),
    ):
        given_input = {"returns": returns, "dates": dates(100)} | SETTINGS | changes
        with pytest.raises(InputError, match=message):
            walk_forward(given_input.pop("returns"), given_input.pop("dates"), estimate=estimate, **given_input)
    with pytest.raises(MissingDataError, match="more than 60 sessions"):
        run(returns[:60])
    with pytest.raises(MissingDataError, match="No portfolio could be chosen"):
        run(np.full((100, 2), np.nan))


def test_only_members_of_the_day_are_chosen() -> None:
    """A stock that joins on day 90 and leaves on day 150 is held in between, though it is known all along."""
    returns = random_returns(5, 200, 4)
    member = np.ones((200, 4), dtype=bool)
    member[:90, 2] = member[150:, 2] = False
    found = walk_forward(returns, dates(200), estimate=estimate, eligible=member, **SETTINGS)
    assert found.n_assets.tolist() == [3, 3, 4, 4, 4, 3, 3]  # chosen on days 59, 79, 99, 119, 139, 159 and 179
    np.testing.assert_array_equal(found.weights[:, -1, 2] > 0, found.n_assets == 4)
    without = walk_forward(np.delete(returns, 2, axis=1), dates(200), estimate=estimate, **SETTINGS)
    np.testing.assert_allclose(found.returns[:40], without.returns[:40], rtol=EXACT, atol=EXACT)
    with pytest.raises(InputError, match="eligible"):
        walk_forward(returns, dates(200), estimate=estimate, eligible=member[:, :3], **SETTINGS)


def test_what_lies_beside_comes_as_further_columns_of_the_same_dates() -> None:
    returns, beside = random_returns(6, 120, 3), np.arange(240.0).reshape(120, 2)
    seen = []

    def noting(known: FloatArray) -> tuple[FloatArray, FloatArray]:
        seen.append(known[:, 3:])
        return estimate(known[:, :3])

    found = walk_forward(returns, dates(120), estimate=noting, beside=beside, **SETTINGS)
    for rows, first in zip(seen, (60, 80, 100), strict=True):
        np.testing.assert_array_equal(rows, beside[first - 60 : first])
    np.testing.assert_array_equal(found.returns, run(returns).returns)


def test_the_summary_repeats_the_record() -> None:
    found = run(random_returns(7, 200, 4))
    table = summary(found)
    assert table["kind"].tolist() == ["frontier"] * 3 + ["max_sharpe", "equal_weight"]
    np.testing.assert_array_equal(table["realised_return_high"], found.realised.mean_return_high)
    np.testing.assert_array_equal(table["promised_return"] - table["realised_return"], found.shortfall)
    first = table.iloc[0]
    assert (first["start_date"], first["end_date"]) == (str(found.dates[0]), str(found.dates[-1]))
    assert (first["n_choices"], first["n_sessions"], first["n_assets_min"], first["n_assets_max"]) == (7, 140, 4, 4)
    assert table["sharpe_ratio"].notna().all()
    assert summary(found, rate_known=False)[["sharpe_ratio", "promised_sharpe_ratio"]].isna().all(axis=None)
