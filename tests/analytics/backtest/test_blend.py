"""Blends of runs against PyPortfolioOpt, scikit-learn and pandas, and by what must hold of any."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypfopt import EfficientFrontier
from sklearn.covariance import ledoit_wolf
from tolerances import PARITY, SOLVER

from analytics.backtest.blend import MEASURED, WAYS, blend
from analytics.errors import InputError, MissingDataError
from analytics.metrics import METRICS, Performance

NAMES = ("votes", "momentum", "hold")
RATE = 1e-4
WINDOW, STEP = 252, 63


def runs(n: int = 800, n_runs: int = 3, seed: int = 0) -> np.ndarray:
    """Runs that share a market and differ in mean and volatility."""
    rng = np.random.default_rng(seed)
    market, own = rng.normal(0.0003, 0.008, (n, 1)), rng.normal(0.0002, 0.006, (n, n_runs))
    return 0.6 * market + own * np.linspace(0.7, 1.5, n_runs)


def dates(n: int = 800) -> np.ndarray:
    return np.busday_offset("2018-01-01", np.arange(n), roll="forward")


def found(returns: np.ndarray, **options):
    n, k = returns.shape
    names = [f"run {number}" for number in range(k)]
    return blend(returns, dates(n), names, **({"risk_free_returns": np.full(n, RATE), "window": WINDOW} | options))


def pypfopt_weights(returns: np.ndarray, objective: str) -> np.ndarray:
    covariance = 252 * ledoit_wolf(returns)[0]
    problem = EfficientFrontier(252 * returns.mean(axis=0), covariance)
    weights = problem.max_sharpe(risk_free_rate=252 * RATE) if objective == "max_sharpe" else problem.min_volatility()
    return np.array(list(weights.values()))


@pytest.mark.parametrize("seed", range(4))
def test_the_marked_portfolios_are_pypfopts(seed):
    returns = runs(seed=seed)
    answer = found(returns)
    covariance = 252 * ledoit_wolf(returns)[0]
    for marked, objective in ((answer.frontier.min_variance, "min"), (answer.frontier.max_sharpe, "max_sharpe")):
        other = pypfopt_weights(returns, objective)
        ratio, expected = (
            (w @ (252 * returns.mean(axis=0)) - 252 * RATE) / np.sqrt(w @ covariance @ w) for w in (marked, other)
        )
        assert ratio == pytest.approx(expected, rel=SOLVER)
        assert marked == pytest.approx(other, abs=1e-4)  # an interior point stops short of weights of 0


def test_no_allocation_of_a_fine_net_beats_the_frontier():
    returns = runs(n_runs=2, seed=5)
    answer = found(returns)
    share = np.linspace(0, 1, 2_001)[:, None]
    weights = np.hstack([share, 1 - share])
    ratio = (
        (weights @ returns.mean(axis=0) - RATE)
        * 252
        / np.sqrt(((weights @ (252 * ledoit_wolf(returns)[0])) * weights).sum(axis=1))
    )
    assert ratio.max() <= answer.frontier.sharpe_ratio.max() + 1e-4  # the marked point lies between two of the 50
    best = int(np.argmax(ratio))
    assert answer.frontier.max_sharpe == pytest.approx(weights[best], abs=1e-3)  # the net's mesh is 5e-4


def test_the_record_is_the_choices_made_again_one_by_one():
    """Every choice from its window in PyPortfolioOpt, bought at the close after the next session and left alone."""
    returns, days = runs(n=520, seed=2) + 0.001, dates(520)  # PyPortfolioOpt needs a run that beats the rate
    held = found(returns).out_of_sample
    after = np.arange(WINDOW, 520 - 1, STEP)
    assert (held.chosen_on == days[after - 1]).all()
    assert (held.dates == days[WINDOW + 1 :]).all()
    parts = []
    for number, row in enumerate(after):
        weights = np.vstack([
            pypfopt_weights(returns[row - WINDOW : row], "min"), np.eye(3)[returns[row - WINDOW : row].mean(axis=0).argmax()],
            pypfopt_weights(returns[row - WINDOW : row], "max_sharpe"), np.full(3, 1 / 3),
        ])  # fmt: skip
        assert held.weights[number] == pytest.approx(weights, abs=1e-4)
        worth = (1 + pd.DataFrame(returns[row + 1 : row + 1 + STEP])).cumprod() @ held.weights[number].T
        parts.append(worth.div(worth.shift(1, fill_value=1.0)) - 1)
    expected = pd.concat(parts).to_numpy()
    assert held.returns[:, : len(WAYS)] == pytest.approx(expected, abs=PARITY)
    np.testing.assert_array_equal(held.returns[:, len(WAYS) :], returns[WINDOW + 1 :])
    assert held.names == (*WAYS, "run 0", "run 1", "run 2")


def test_metrics_are_the_registrys_and_pandas():
    held = found(runs()).out_of_sample
    frame = pd.DataFrame(held.returns)
    excess = frame - RATE
    assert held.metrics["sharpe_ratio"] == pytest.approx(excess.mean() / excess.std() * np.sqrt(252), rel=PARITY)
    assert held.metrics["annual_volatility"] == pytest.approx(frame.std() * np.sqrt(252), rel=PARITY)
    performance = Performance(held.dates, held.returns[:, 5], risk_free_returns=np.full(len(frame), RATE))
    for key in MEASURED:
        assert held.metrics[key][5] == METRICS[key].func(performance)
    assert np.isfinite(held.promised_sharpe_ratio[: len(WAYS)]).all()
    assert np.isnan(held.promised_sharpe_ratio[len(WAYS) :]).all()


def test_what_each_run_and_equal_weights_promise_stands_beside_the_frontier():
    returns = runs(seed=3)
    answer = found(returns)
    assert answer.runs.expected_return == pytest.approx(252 * returns.mean(axis=0), rel=PARITY)
    assert answer.equal_weight.expected_return[0] == pytest.approx(252 * returns.mean(), rel=PARITY)
    best = answer.frontier.sharpe_ratio.max() + 1e-3  # the marked point lies between two of the 50
    assert (answer.runs.sharpe_ratio <= best).all()
    assert answer.equal_weight.sharpe_ratio[0] <= best
    assert (answer.runs.volatility >= answer.frontier.volatility[0] - PARITY).all()


@given(seed=st.integers(0, 1_000), n_runs=st.integers(2, 5), order=st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_weights_are_long_only_and_follow_their_runs(seed, n_runs, order):
    returns, places = runs(n=400, n_runs=n_runs, seed=seed), list(range(n_runs))
    order.shuffle(places)
    answer, again = found(returns), found(returns[:, places])
    for weights in (answer.frontier.weights, answer.out_of_sample.weights):
        assert weights.min() >= -PARITY
        assert weights.sum(axis=-1) == pytest.approx(np.ones(weights.shape[:-1]), abs=PARITY)
    assert again.frontier.max_sharpe == pytest.approx(answer.frontier.max_sharpe[places], abs=SOLVER)
    assert again.out_of_sample.weights == pytest.approx(answer.out_of_sample.weights[..., places], abs=SOLVER)


def test_a_choice_knows_nothing_of_what_follows():
    returns = runs(n=600, seed=8)
    changed = returns.copy()
    changed[WINDOW + STEP :] = runs(n=600, seed=9)[WINDOW + STEP :]
    held, again = found(returns).out_of_sample, found(changed).out_of_sample
    np.testing.assert_array_equal(held.weights[:2], again.weights[:2])
    assert not np.allclose(held.weights[2:], again.weights[2:])


def test_only_sessions_that_all_runs_share_count():
    returns, rates = runs(n=700, seed=1), np.full(700, RATE)
    returns[:50, 0], returns[690:, 2], rates[300] = np.nan, np.nan, np.nan
    shared = np.r_[50:300, 301:690]
    answer = blend(returns, dates(700), NAMES, risk_free_returns=rates, window=WINDOW)
    expected = blend(returns[shared], dates(700)[shared], NAMES, risk_free_returns=rates[shared], window=WINDOW)
    assert (answer.dates == dates(700)[shared]).all()
    np.testing.assert_array_equal(answer.frontier.weights, expected.frontier.weights)
    np.testing.assert_array_equal(answer.out_of_sample.returns, expected.out_of_sample.returns)


@pytest.mark.parametrize("kind", ["the same", "no risk"])
def test_runs_that_cannot_be_told_apart_or_have_no_risk_are_blended_all_the_same(kind):
    returns = runs(n=400, seed=4)
    returns[:, 1] = returns[:, 0] if kind == "the same" else RATE
    answer = found(returns)
    assert np.isfinite(answer.frontier.weights).all()
    assert np.isfinite(answer.out_of_sample.returns).all()


def test_a_short_record_has_a_frontier_and_says_why_it_has_no_more():
    answer = found(runs(n=200))
    assert answer.out_of_sample is None
    assert "It takes more than 253 sessions, and there are 200" in answer.why_not
    assert answer.frontier.weights.shape == (50, 3)


@pytest.mark.parametrize(
    ("returns", "names", "error", "message"),
    [
        (runs(n=300), ["a", "b"], InputError, "a column for each of 2 runs"),
        (runs(n=300), ["a", "b", "a"], InputError, "2 to 50 different runs"),
        (runs(n=300, n_runs=1), ["a"], InputError, "2 to 50 different runs"),
        (np.full((300, 3), np.nan), NAMES, MissingDataError, "share 0 sessions"),
        (runs(n=29), NAMES, MissingDataError, "share 29 sessions"),
        (np.where(np.arange(900).reshape(300, 3) == 400, -1.0, 0.01), NAMES, InputError, "'momentum'.*never lost everything"),
    ],
)  # fmt: skip
def test_what_cannot_be_blended_is_refused(returns, names, error, message):
    with pytest.raises(error, match=message):
        blend(returns, dates(len(returns)), names, risk_free_returns=np.full(len(returns), RATE))
