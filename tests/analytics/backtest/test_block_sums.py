"""Block sums against pandas and the metric registry on the sessions themselves."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import PARITY

from analytics.backtest.block_sums import BLOCKS, BlockSums, block_numbers, of_returns, sharpe_of_sums, stacked
from analytics.errors import InputError
from analytics.metrics import METRICS, Performance

YEAR = np.sqrt(252)


def excess_returns(n_cells: int = 5, n_sessions: int = 1_000, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0004, 0.01, (n_cells, n_sessions))


@pytest.mark.parametrize("n_sessions", [16, 17, 31, 252, 6_301])
def test_blocks_are_consecutive_and_of_equal_length(n_sessions):
    numbers = block_numbers(n_sessions)
    lengths = np.bincount(numbers)
    assert (np.diff(numbers) >= 0).all()
    assert len(lengths) == BLOCKS
    assert lengths.max() - lengths.min() <= 1


@pytest.mark.parametrize("blocks", [None, [3], [0, 5, 15], slice(4, 9), np.arange(BLOCKS) % 2 == 0])
def test_the_ratio_of_any_blocks_is_that_of_their_sessions_in_pandas(blocks):
    excess = excess_returns()
    chosen = np.isin(block_numbers(1_000), np.arange(BLOCKS)[slice(None) if blocks is None else blocks])
    sessions = pd.DataFrame(excess[:, chosen].T)
    sums = of_returns(excess)
    expected = (sessions.mean() / sessions.std()).to_numpy()
    assert sums.sharpe(blocks) == pytest.approx(expected, rel=PARITY)
    assert sums.sharpe_ratio(blocks) == pytest.approx(expected * YEAR, rel=PARITY)


def test_all_blocks_give_the_registrys_sharpe_ratio_where_some_rates_are_unknown():
    excess, dates = excess_returns(1), np.datetime64("2015-01-01") + np.arange(1_000)
    rates = np.where(np.random.default_rng(5).random(1_000) < 0.2, np.nan, 1e-4)
    performance = Performance(dates=dates, returns=excess[0] + 1e-4, risk_free_returns=rates)
    sums = of_returns(excess[0], known=np.isfinite(rates))
    assert sums.n.sum() == np.isfinite(rates).sum()
    assert sums.sharpe_ratio()[0] == pytest.approx(METRICS["sharpe_ratio"].func(performance), rel=PARITY)


def test_four_sessions_worked_out_by_hand():
    sums = of_returns([0.01, 0.03, -0.02, 0.02], blocks=2)
    assert sums.n.tolist() == [2, 2]
    assert sums.total == pytest.approx(np.array([[0.04, 0.0]]), abs=1e-15)
    assert sums.squares == pytest.approx(np.array([[0.0010, 0.0008]]), rel=PARITY)
    # mean 0.01; squared distances 0, 4, 9, 1 times 1e-4 over 3
    assert sums.sharpe()[0] == pytest.approx(0.01 / np.sqrt(14e-4 / 3), rel=PARITY)
    assert sums.sharpe([1])[0] == 0.0


@pytest.mark.parametrize("level", [0.0, 1e-4, -0.003, 0.02])
def test_a_constant_series_has_no_ratio(level):
    assert np.isnan(of_returns(np.full(6_300, level)).sharpe()[0])


def test_a_series_that_ends_earns_nothing_in_the_rest_of_its_block_and_is_unknown_after_it():
    excess = excess_returns(2, 160)
    excess[1, 35:] = np.nan  # within the fourth of sixteen blocks of ten
    sums = of_returns(excess)
    assert np.isfinite(sums.total[0]).all()
    assert sums.total[1, 3] == pytest.approx(excess[1, 30:35].sum(), rel=PARITY)
    assert np.isnan(sums.total[1, 4:]).all()
    assert np.isnan(sums.squares[1, 4:]).all()
    assert np.isfinite(sums.sharpe(slice(0, 4))).all()
    assert np.isnan(sums.sharpe(slice(0, 5))[1])


@given(seed=st.integers(0, 1_000), scale=st.floats(1e-3, 1e3), n=st.integers(32, 400))
@settings(max_examples=40, deadline=None)
def test_scale_leaves_the_ratio_and_the_sign_turns_it(seed, scale, n):
    excess = excess_returns(3, n, seed)
    found = of_returns(excess).sharpe()
    assert of_returns(scale * excess).sharpe() == pytest.approx(found, rel=1e-7)  # Σe² − (Σe)²/n costs digits
    assert of_returns(-excess).sharpe() == pytest.approx(-found, rel=PARITY)
    assert (np.abs(found) <= 1e3).all()


def test_parts_stacked_and_taken_are_the_bits_of_the_whole():
    excess = excess_returns(6)
    whole = of_returns(excess)
    again = stacked([of_returns(excess[0]), of_returns(excess[1:4]), of_returns(excess[4:])])
    assert again.total.tobytes() == whole.total.tobytes()
    assert again.squares.tobytes() == whole.squares.tobytes()
    assert len(again) == 6
    assert np.array_equal(whole.take([4, 0]).total, whole.total[[4, 0]])
    assert len(whole.take(np.arange(6) > 3)) == 2


def test_sums_broadcast():
    excess = excess_returns(2, 64)
    sums = of_returns(excess)
    masks = np.arange(BLOCKS) % 2 == np.array([[0], [1]])
    found = sharpe_of_sums(masks @ sums.n, sums.total @ masks.T, sums.squares @ masks.T)
    expected = np.column_stack([sums.sharpe(mask) for mask in masks])
    assert found == pytest.approx(expected, rel=PARITY)


def test_what_does_not_go_together_is_refused():
    with pytest.raises(InputError, match="2 to the number of sessions, 10"):
        of_returns(np.ones(10))
    with pytest.raises(InputError, match="a row of excess returns"):
        of_returns(np.ones((2, 3, 40)))
    with pytest.raises(InputError, match="a row of excess returns"):
        of_returns(np.ones(40), known=np.ones(39, dtype=bool))
    with pytest.raises(InputError, match="a row per series, 2 blocks"):
        BlockSums(np.array([1, 1]), np.ones((1, 2)), np.ones((1, 3)))
    with pytest.raises(InputError, match="the same blocks"):
        stacked([of_returns(np.ones(40)), of_returns(np.ones(41))])
