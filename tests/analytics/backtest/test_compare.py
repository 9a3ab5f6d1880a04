"""What is said of several runs: the differences are the registry's, and no winner is named where there is none."""

import math

import numpy as np
import pandas as pd
import pytest
from arch.bootstrap import SPA, StationaryBootstrap
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests
from tolerances import EXACT, PARITY

from analytics.backtest.compare import (
    METRICS,
    _interval,
    best_of,
    compare,
    confidence_set,
    differences,
    holm,
    metric_differences,
    superior_ability,
)
from analytics.backtest.sharpe_difference import block_length_of
from analytics.errors import InputError
from analytics.metrics import METRICS as REGISTRY
from analytics.metrics import Performance


def runs(count: int = 4, *, n: int = 504, seed: int = 0, skill: float = 0.0) -> dict[str, np.ndarray]:
    """Runs that share a market; the last one earns `skill` more per session."""
    rng = np.random.default_rng([seed, n])
    market = rng.normal(0.0004, 0.008, n)
    found = {f"run {i}": market + rng.normal(0.0, 0.006, n) for i in range(count)}
    found[f"run {count - 1}"] = found[f"run {count - 1}"] + skill
    return found


def sharpe_of(returns: np.ndarray, free: np.ndarray) -> float:
    dates = np.datetime64("2020-01-01") + np.arange(len(returns))
    return REGISTRY["sharpe_ratio"].func(Performance(dates, returns, risk_free_returns=free))


@pytest.mark.parametrize("p_values", [[0.03], [0.04, 0.001, 0.04, 0.9], [0.01, 0.011, 0.012, 0.013, 0.0], [0.6, 0.5]])
def test_holm_is_statsmodels(p_values):
    expected = multipletests(p_values, method="holm")[1]
    assert holm(np.array(p_values)) == pytest.approx(expected, rel=PARITY, abs=PARITY)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12))
@settings(max_examples=50, deadline=None)
def test_holm_lies_between_the_p_value_and_bonferronis(p_values):
    given_ = np.array(p_values)
    found = holm(given_)
    assert (found >= given_).all()
    assert (found <= np.minimum(given_ * len(given_), 1.0)).all()
    assert (np.diff(found[np.argsort(given_, kind="stable")]) >= 0.0).all()


def test_holm_counts_only_what_was_tested():
    found = holm(np.array([0.01, np.nan, 0.04]))
    assert found[[0, 2]] == pytest.approx([0.02, 0.04], rel=EXACT)
    assert math.isnan(found[1])


def test_differences_are_of_the_registrys_metrics():
    given_, free = runs(3), np.full(504, 0.0001)
    found = compare(given_, free, seed=1)
    assert len(found.differences) == 3
    dates = np.datetime64("2020-01-01") + np.arange(504)
    of = {name: Performance(dates, series, risk_free_returns=free) for name, series in given_.items()}
    for row in found.differences.itertuples():
        expected = sharpe_of(given_[row.run], free) - sharpe_of(given_[row.other], free)
        assert row.difference == pytest.approx(expected, rel=PARITY)
    for row in found.metrics.itertuples():
        expected = REGISTRY[row.metric].func(of[row.run]) - REGISTRY[row.metric].func(of[row.other])
        assert row.difference == pytest.approx(expected, rel=PARITY), row.metric
        assert row.low <= row.high
        assert 0.0 < row.p_value <= 1.0
    assert set(found.metrics["metric"]) == set(METRICS)
    assert found.correlation.to_numpy() == pytest.approx(np.corrcoef(list(given_.values())), rel=PARITY)


def test_the_interval_of_a_difference_is_archs():
    names, values = ["a", "b"], np.column_stack(list(runs(2, skill=0.0004).values()))
    free = np.zeros(len(values))
    table = metric_differences(names, values, free, seed=1, draws=2_000).set_index("metric")
    row = table.loc["sharpe_ratio"]
    peer = StationaryBootstrap(block_length_of(values), values, seed=np.random.default_rng(2))
    drawn = peer.apply(lambda x: np.diff(-x.mean(axis=0) / x.std(axis=0, ddof=1) * math.sqrt(252)), 2_000)[:, 0]
    # an end of 2,000 draws is known to 0.015 of the width; the allowance is four errors of the difference of two
    assert [row["low"], row["high"]] == pytest.approx(
        np.quantile(drawn, [0.025, 0.975]), abs=0.09 * (row["high"] - row["low"])
    )


def test_the_ends_are_quantiles_and_the_p_value_has_two_sides():
    drawn = np.random.default_rng(0).permutation(np.arange(-19.5, 979.5, 1.0))  # 20 of 999 below 0
    expected = (np.quantile(drawn, 0.025), np.quantile(drawn, 0.975), 2 * 21 / 1_000)
    assert _interval(drawn, 1.0) == pytest.approx(expected, rel=EXACT)
    assert _interval(-drawn, 1.0)[2] == 2 * 21 / 1_000
    assert np.isnan(_interval(drawn, math.nan)).all()
    assert np.isnan(_interval(np.where(drawn < 500.0, np.nan, drawn), 1.0)).all()


def test_superior_ability_is_archs():
    given_ = runs(4, skill=0.0006)
    given_["run 1"] = given_["run 1"] * 8.0  # leverage is no ability
    losses = pd.DataFrame({name: -series / series.std() for name, series in given_.items()})
    block = math.ceil(block_length_of(np.column_stack(list(given_.values()))))
    own, others = losses["run 0"].to_numpy(), losses.drop(columns="run 0").to_numpy()
    test = SPA(own, others, block_size=block, reps=300, seed=4)
    test.compute()
    assert superior_ability(given_, "run 0", seed=4, draws=300) == test.pvalues["consistent"]


def test_equals_stay_together_and_the_best_stays_alone():
    alike = confidence_set(runs(4), seed=1, draws=300)
    assert alike == ("run 0", "run 1", "run 2", "run 3")
    assert superior_ability(runs(4), "run 0", seed=1, draws=300) > 0.05
    ahead = runs(4, n=1_260, skill=0.0015)
    assert confidence_set(ahead, seed=1, draws=300) == ("run 3",)
    assert superior_ability(ahead, "run 0", seed=1, draws=300) < 0.05
    assert superior_ability(ahead, "run 3", seed=1, draws=300) > 0.5


def test_the_better_run_is_named():
    found = compare(runs(4, n=1_260, skill=0.0015), np.zeros(1_260), seed=1, against="run 0")
    assert found.winner == "run 3"
    assert found.verdict.startswith("run 3 has a higher Sharpe ratio than every other run")
    assert found.confidence_set == ("run 3",)
    assert found.spa_p_value is not None
    assert found.spa_p_value < 0.05


def test_who_is_better_than_some_is_no_winner():
    given_ = runs(3, n=1_260, skill=0.0015)
    given_["twin"] = given_["run 2"] + np.random.default_rng(9).normal(0.0, 0.0005, 1_260)
    found = compare(given_, np.zeros(1_260), seed=1)
    assert found.winner is None
    assert "run 2 than run 0" in found.verdict
    assert "twin than run 1" in found.verdict
    assert set(found.confidence_set) <= {"run 2", "twin"}


def test_equal_runs_have_no_winner():
    """Of five runs with the same true mean, whatever they share."""
    winners = pairs = 0
    for seed in range(40):
        names, values = list(runs(5)), np.column_stack(list(runs(5, n=252, seed=seed).values()))
        table = differences(names, values, seed=seed, draws=1_000)
        pairs += table["better"].notna().any()
        winners += best_of(names, table) is not None
    assert winners == 0  # one run better than four others is rarer than any pair being told apart
    assert pairs <= 6  # 5 % of 40 are 2; one set in a hundred would have 7 or more


def test_cash_and_copies_do_not_compete():
    given_ = runs(3, n=1_260, skill=0.0015)
    given_ |= {"cash": np.zeros(1_260), "copy": given_["run 0"].copy(), "geared": 2.0 * given_["run 1"]}
    found = compare(given_, np.zeros(1_260), seed=1, against="cash")
    assert found.winner == "run 2"
    assert found.spa_p_value is not None
    assert math.isnan(found.spa_p_value)
    cash = found.differences[(found.differences["run"] == "cash") | (found.differences["other"] == "cash")]
    assert cash["p_value"].isna().all()
    same = confidence_set({"a": given_["run 0"], "b": given_["copy"], "c": 3 * given_["run 0"]}, seed=1, draws=100)
    assert same == ("a", "b", "c")
    nothing = compare({"a": given_["cash"], "b": given_["cash"]}, np.zeros(1_260), seed=1)
    assert nothing.winner is None
    assert nothing.verdict.startswith("Nothing to compare")


def test_only_common_sessions_count():
    given_, free = runs(2), np.full(504, 0.0001)
    given_["run 0"][:4], free[-3:] = np.nan, np.nan
    found = compare(given_, free, seed=1)
    cut = {name: series[4:-3] for name, series in given_.items()}
    assert found.n_sessions == 497
    pd.testing.assert_frame_equal(found.differences, compare(cut, free[4:-3], seed=1).differences)


def test_nonsense_is_refused():
    given_, free = runs(2), np.zeros(504)
    with pytest.raises(InputError, match="2 to 20 runs"):
        compare({"a": free}, free, seed=1)
    with pytest.raises(InputError, match="2 to 20 runs"):
        compare({str(i): free for i in range(21)}, free, seed=1)
    with pytest.raises(InputError, match="run 1"):
        compare(given_ | {"run 1": free[1:]}, free, seed=1)
    with pytest.raises(InputError, match="common sessions"):
        compare(given_, np.where(np.arange(504) < 59, 0.0, np.nan), seed=1)
    with pytest.raises(InputError, match="against"):
        compare(given_, free, seed=1, against="run 9")
