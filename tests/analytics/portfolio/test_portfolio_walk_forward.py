"""Walk-forward of the frontier: by hand, against accounts kept share by share, and blind to the future."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
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
from analytics.portfolio.walk_forward import DELAY, WalkForward, summary, walk_forward

FREE = 0.0001  # risk-free, daily
SETTINGS = {"window": 60, "step": 20, "ranks": 3, "risk_free_returns": FREE}


def estimate(returns: FloatArray) -> tuple[FloatArray, FloatArray]:
    return TRADING_DAYS * returns.mean(axis=0), ledoit_wolf(returns)


def dates(n_sessions: int) -> FloatArray:
    return np.datetime64("2020-01-01") + np.arange(n_sessions)


def random_returns(seed: int, n_sessions: int, n_assets: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    return 0.0005 + 0.01 * rng.standard_normal((n_sessions, 1)) + 0.015 * rng.standard_normal((n_sessions, n_assets))


def run(returns: FloatArray, **changes: Any) -> WalkForward:
    return walk_forward(returns, dates(len(returns)), **{"estimate": estimate} | SETTINGS | changes)


def test_two_assets_by_hand() -> None:
    """Window of two, held for two, bought one session late: the estimates are 5 and 10 % with 20 and 30 %, then 10 points more."""
    returns = np.array([[0.0, 0.0], [0.0, 0.0], [0.5, -0.5], [0.1, 0.0], [0.0, 0.1], [0.2, -0.1]])
    expected_returns = iter(np.array([[0.05, 0.10], [0.15, 0.20]]))
    found = walk_forward(
        pd.DataFrame(returns), dates(6), window=2, step=2, ranks=2, risk_free_returns=0.0,
        estimate=lambda known: (next(expected_returns), np.diag([0.04, 0.09])),
    )  # fmt: skip
    assert found.kinds == ("frontier", "frontier", "max_sharpe", "equal_weight")
    assert found.chosen_on.tolist() == dates(6)[[1, 3]].tolist()
    assert found.dates.tolist() == dates(6)[3:].tolist()  # session 2 decides no more and earns nothing yet
    assert (found.sessions.tolist(), found.n_assets.tolist(), found.left_out) == ([2, 1], [2, 2], 0)
    # Least variance is 9/13 and 4/13; the best ratio has weights as μ/σ²: 1.25 to 1.111, then 3.75 to 2.222.
    weights = np.array([[9 / 13, 4 / 13], [0, 1], [9 / 17, 8 / 17], [0.5, 0.5]])
    later = np.array([[9 / 13, 4 / 13], [0, 1], [27 / 43, 16 / 43], [0.5, 0.5]])
    np.testing.assert_allclose(found.weights, [weights, later], rtol=PARITY, atol=PARITY)
    first, second = weights.T
    expected = [0.1 * first, (first * 1.1 + second * 1.1) / (first * 1.1 + second) - 1, later @ [0.2, -0.1]]
    np.testing.assert_allclose(found.returns, expected, rtol=PARITY, atol=PARITY)
    # The first choice is held for two sessions of three, and counts for two thirds of what was promised.
    promised = np.array([weights @ [0.05, 0.10], later @ [0.15, 0.20]])
    variance = np.array([weights**2 @ [0.04, 0.09], later**2 @ [0.04, 0.09]])
    np.testing.assert_allclose(found.promised_return, (2 * promised[0] + promised[1]) / 3, rtol=PARITY)
    np.testing.assert_allclose(found.promised_volatility**2, (2 * variance[0] + variance[1]) / 3, rtol=PARITY)
    ratios = promised / np.sqrt(variance)
    np.testing.assert_allclose(found.promised_sharpe_ratio, (2 * ratios[0] + ratios[1]) / 3, rtol=PARITY)
    assert np.isnan(found.realised.mean_return).all()  # three sessions give no interval


@pytest.mark.parametrize("delay", [0, DELAY, 5])
def test_equals_accounts_kept_share_by_share(delay: int) -> None:
    """Prices, shares and cash in place of returns; one asset lists late, one stops, one has a gap."""
    returns = random_returns(1, 200, 5)
    returns[:90, 1] = np.nan
    returns[130:, 2] = np.nan
    returns[100, 3] = np.nan
    found = run(returns) if delay == DELAY else run(returns, delay=delay)
    prices = 100 * np.cumprod(1 + np.nan_to_num(returns), axis=0)  # an unknown return keeps the price
    earned = []
    for first in range(60, 200, 20):
        known = [column for column in range(5) if np.isfinite(returns[first - 60 : first, column]).all()]
        mu, sigma = estimate(returns[first - 60 : first, known])
        frontier = efficient_frontier(mu, sigma, risk_free_rate=TRADING_DAYS * FREE, points=3)
        portfolios = [*frontier.weights, frontier.max_sharpe, np.full(len(known), 1 / len(known))]
        bought = first - 1 + delay  # the close of the session, counted from the one that decides
        shares = np.array(portfolios) / prices[bought, known]
        value = prices[bought : bought + 21, known] @ shares.T
        earned.append(value[1:] / value[:-1] - 1)
    np.testing.assert_allclose(found.returns, np.vstack(earned), rtol=PARITY, atol=EXACT)
    # Row 150 of the late one begins a full window; the stopped one leaves; the gap keeps one out for 60 sessions.
    assert found.n_assets.tolist() == [4, 4, 4, 3, 2, 3, 4]


def test_statistics_are_those_of_the_metrics() -> None:
    free = np.random.default_rng(2).uniform(0, 0.0002, 300)
    returns = random_returns(3, 300, 6)
    found = run(returns, risk_free_returns=free)
    for row in range(len(found.kinds)):
        record = Performance(found.dates, found.returns[:, row], risk_free_returns=free[60 + DELAY :])
        assert found.sharpe_ratio[row] == pytest.approx(sharpe_ratio(record), rel=PARITY)
    alone = portfolio_intervals(found.returns[:, 1])
    assert found.realised.volatility_high[1] == pytest.approx(alone.volatility_high, rel=PARITY)
    np.testing.assert_allclose(found.shortfall, found.promised_return - found.realised.mean_return, rtol=EXACT)
    np.testing.assert_allclose(
        found.realised.mean_return, TRADING_DAYS * found.returns.mean(axis=0), rtol=PARITY, atol=EXACT
    )


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1_000), st.integers(62, 159))
@example(seed=0, until=80)  # the session after a choice
def test_the_future_changes_nothing(seed: int, until: int) -> None:
    """All that is given changes from session `until` on: what was chosen on the one before it or earned by it stays."""
    rng, returns = np.random.default_rng(seed), random_returns(seed, 160, 4)
    past = {"risk_free_returns": rng.uniform(0, 0.0002, 160), "eligible": np.ones((160, 4), dtype=bool)}
    other, future = returns.copy(), {name: values.copy() for name, values in past.items()}
    other[until:] = rng.uniform(-0.9, 5.0, (160 - until, 4))
    future["risk_free_returns"][until:] = 0.05
    future["eligible"][until:] = [True, False, True, False]
    whole, poisoned = run(returns, **past), run(other, **future)
    cut = run(returns[:until], **{name: values[:until] for name, values in past.items()})
    earned, chosen = until - 60 - DELAY, len(range(60, until + 1, 20))
    np.testing.assert_array_equal(whole.returns[:earned], poisoned.returns[:earned])
    np.testing.assert_array_equal(whole.weights[:chosen], poisoned.weights[:chosen])
    np.testing.assert_allclose(whole.returns[:earned], cut.returns, atol=EXACT)  # sums of other lengths, by BLAS
    np.testing.assert_array_equal(whole.weights[: len(cut.weights)], cut.weights)


def test_the_choice_of_a_session_knows_that_session_and_earns_from_the_second_after_it() -> None:
    returns = random_returns(0, 120, 4)
    before = run(returns)
    for session, weights, earned in ((79, 1, 79), (80, 2, 80)):  # the second choice is that of session 79
        changed = returns.copy()
        changed[session, 0] += 0.05
        after = run(changed)
        np.testing.assert_array_equal(before.weights[:weights], after.weights[:weights])
        assert not np.array_equal(before.weights[weights], after.weights[weights])
        differs = np.flatnonzero((before.returns != after.returns).any(axis=1)) + 60 + DELAY
        assert differs[0] == earned
    # Session 80 still pays those chosen on session 59, and those chosen on 79 from 81 on.
    value = np.vstack([np.ones(4), np.cumprod(1 + returns[61:81], axis=0)]) @ before.weights[0].T
    np.testing.assert_allclose(before.returns[19], value[20] / value[19] - 1, rtol=PARITY)
    np.testing.assert_allclose(before.returns[20], before.weights[1] @ returns[81], rtol=PARITY)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1_000))
def test_weights_add_up_and_lie_within_their_limits(seed: int) -> None:
    found = run(random_returns(seed, 120, 5), make_feasible=lambda members: long_only(len(members), upper=0.3))
    np.testing.assert_allclose(found.weights.sum(axis=2), 1, atol=PARITY)
    assert found.weights.min() >= -PARITY
    assert found.weights[:, :-1].max() <= 0.3 + PARITY


def test_cash_earns_the_risk_free_rate_upon_what_it_has_earned() -> None:
    half = [
        Limit("cash:min", "half in cash", "sum", "max", 0.5, np.ones(2)),
        Limit("cash:max", "half invested", "sum", "min", 0.5, np.ones(2)),
        Limit("short", "no short sales", "each", "min", 0.0, np.ones(2)),
    ]
    returns, free = random_returns(4, 65, 2), np.r_[np.full(60, FREE), 0.5, 0.01, 0.02, 0.0, 0.03]
    found = run(returns, make_feasible=lambda members: feasible_set(half), risk_free_returns=free)
    weights = found.weights[0, :4]
    np.testing.assert_allclose(weights.sum(axis=1), 0.5, atol=PARITY)
    cash = 0.5 * np.array([1, 1.01, 1.01 * 1.02, 1.01 * 1.02, 1.01 * 1.02 * 1.03])  # bought on session 60
    value = np.vstack([np.ones(2), np.cumprod(1 + returns[61:], axis=0)]) @ weights.T + cash[:, None]
    np.testing.assert_allclose(found.returns[:, :4], value[1:] / value[:-1] - 1, rtol=PARITY, atol=EXACT)
    promised = weights @ (TRADING_DAYS * returns[:60].mean(axis=0)) + 0.5 * TRADING_DAYS * FREE
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
    found = run(returns, make_feasible=lambda members: long_only(len(members), upper=0.3))
    assert found.left_out == 4
    assert found.chosen_on.tolist() == dates(200)[[139, 159, 179]].tolist()
    assert len(found.dates) == 60 - DELAY


def test_choices_without_an_estimate_are_left_out() -> None:
    """What the estimator refuses in a way that a user could mend ends no record; anything else is a bug."""
    returns = random_returns(6, 200, 4)

    def refusing(error: Exception, *, below: float = 0.1) -> Any:
        def refuse(known: FloatArray) -> tuple[FloatArray, FloatArray]:
            if np.abs(known).max() < below:
                return estimate(known)
            raise error

        return refuse

    returns[70, 0] = 0.2  # in the windows of the choices on sessions 79, 99 and 119
    for error in (MissingDataError("No fit."), InputError("returns", got=0.2, allowed="less")):
        found = run(returns, estimate=refusing(error))
        assert found.left_out == 3
        assert found.chosen_on.tolist() == dates(200)[[59, 139, 159, 179]].tolist()
        assert found.dates.tolist() == dates(200)[[*range(61, 81), *range(141, 200)]].tolist()
        with pytest.raises(MissingDataError, match=f"last of 7 choices failed: {error}"):
            run(returns, estimate=refusing(error, below=0.0))
    with pytest.raises(ZeroDivisionError):
        run(returns, estimate=refusing(ZeroDivisionError()))


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
        ({"delay": -1}, "delay: got -1"),
        ({"beside": np.zeros((99, 1))}, "beside: .*100 sessions"),
        ({"beside_known_on": dates(99)}, "beside_known_on: .*100 sessions"),
    ):
        with pytest.raises(InputError, match=message):
            walk_forward(**{"returns": returns, "dates": dates(100), "estimate": estimate} | SETTINGS | changes)
    with pytest.raises(MissingDataError, match="more than 61 sessions, and there are 61"):
        run(returns[:61])
    assert len(run(returns[:62]).dates) == 1
    with pytest.raises(MissingDataError, match=r"No portfolio could be chosen.*complete over 60 sessions"):
        run(np.full((100, 2), np.nan))


def test_only_members_of_the_day_are_chosen() -> None:
    """A stock that joins on day 90 and leaves on day 150 is held in between, though it is known all along."""
    returns = random_returns(5, 200, 4)
    member = np.ones((200, 4), dtype=bool)
    member[:90, 2] = member[150:, 2] = False
    found = run(returns, eligible=member)
    assert found.n_assets.tolist() == [3, 3, 4, 4, 4, 3, 3]  # chosen on days 59, 79, 99, 119, 139, 159 and 179
    np.testing.assert_array_equal(found.weights[:, -1, 2] > 0, found.n_assets == 4)
    without = run(np.delete(returns, 2, axis=1))
    np.testing.assert_allclose(found.returns[:40], without.returns[:40], rtol=EXACT, atol=EXACT)
    with pytest.raises(InputError, match="eligible"):
        run(returns, eligible=member[:, :3])


def test_what_lies_beside_comes_as_further_columns_of_the_same_dates_once_it_is_known() -> None:
    returns, beside = random_returns(6, 120, 3), np.arange(240.0).reshape(120, 2)
    seen = []

    def noting(known: FloatArray) -> tuple[FloatArray, FloatArray]:
        seen.append(known[:, 3:])
        return estimate(known[:, :3])

    same_day = run(returns, estimate=noting, beside=beside)
    run(returns, estimate=noting, beside=beside, beside_known_on=dates(120) + 10)
    for rows, later, first in zip(seen[:3], seen[3:], (60, 80, 100), strict=True):
        np.testing.assert_array_equal(rows, beside[first - 60 : first])
        # On session first − 1 those of the tenth session before it, first − 11, have just come.
        np.testing.assert_array_equal(later[:50], beside[first - 60 : first - 10])
        assert np.isnan(later[50:]).all()
    np.testing.assert_array_equal(same_day.returns, run(returns).returns)


def test_the_summary_repeats_the_record() -> None:
    found = run(random_returns(7, 200, 4))
    table = summary(found)
    assert table["kind"].tolist() == ["frontier"] * 3 + ["max_sharpe", "equal_weight"]
    np.testing.assert_array_equal(table["realised_return_high"], found.realised.mean_return_high)
    np.testing.assert_array_equal(table["promised_return"] - table["realised_return"], found.shortfall)
    first = table.iloc[0]
    assert (first["start_date"], first["end_date"]) == (str(found.dates[0]), str(found.dates[-1]))
    assert (first["n_choices"], first["n_sessions"], first["n_assets_min"], first["n_assets_max"]) == (7, 139, 4, 4)
    assert table["sharpe_ratio"].notna().all()
    assert summary(found, rate_known=False)[["sharpe_ratio", "promised_sharpe_ratio"]].isna().all(axis=None)
