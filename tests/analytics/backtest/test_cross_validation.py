"""The probability of backtest overfitting is ffn's, and says what it should of noise, of skill and of its loss."""

import math

import ffn
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import PARITY

from analytics.backtest.block_sums import BlockSums, of_returns
from analytics.backtest.cross_validation import probability_of_backtest_overfitting
from analytics.errors import InputError


def returns(cells: int, n: int = 320, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, cells]).normal(0.0002, 0.01, (cells, n))


@pytest.mark.parametrize(("cells", "blocks"), [(2, 8), (9, 8), (30, 10)])
def test_logits_are_ffns(cells, blocks):
    given_ = returns(cells)
    given_[1] = given_[0]  # ties are ranked alike
    found = probability_of_backtest_overfitting(of_returns(given_, blocks=blocks))
    expected = ffn.calc_prob_backtest_overfitting(pd.DataFrame(given_.T), blocks, full_output=True)
    assert found.logits == pytest.approx(np.asarray(expected["logits"]), rel=PARITY, abs=PARITY)
    assert found.pbo == expected["pbo"]
    assert len(found.logits) == math.comb(blocks, blocks // 2)


def test_the_choices_are_those_of_a_plain_loop():
    given_, year = returns(5, 96), math.sqrt(252)
    found = probability_of_backtest_overfitting(of_returns(given_, blocks=4))
    parts = np.split(given_, 4, axis=1)
    splits = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    for at, inside in enumerate(splits):
        first = np.hstack([parts[i] for i in inside])
        second = np.hstack([parts[i] for i in range(4) if i not in inside])
        ratios = [half.mean(axis=1) / half.std(axis=1, ddof=1) * year for half in (first, second)]
        best = int(np.argmax(ratios[0]))
        assert found.in_sample[at] == pytest.approx(ratios[0][best], rel=PARITY)
        assert found.out_of_sample[at] == pytest.approx(ratios[1][best], rel=PARITY)
    slope = np.polyfit(found.in_sample, found.out_of_sample, 1)[0]
    assert found.slope == pytest.approx(slope, rel=PARITY)
    assert found.loss_probability == (found.out_of_sample < 0).mean()


def test_choosing_among_noise_is_a_coin():
    pbo = [probability_of_backtest_overfitting(of_returns(returns(50, 640, seed), blocks=8)).pbo for seed in range(40)]
    assert np.mean(pbo) == pytest.approx(0.5, abs=0.1)  # one history has a deviation of 0.2, the mean of 40 of 0.03


def test_a_cell_with_skill_is_chosen_again():
    given_ = returns(50, 2_560)
    given_[11] += 0.0015
    found = probability_of_backtest_overfitting(of_returns(given_))
    assert found.pbo < 0.02
    assert found.loss_probability < 0.02
    assert len(found.logits) == 12_870


@given(seed=st.integers(0, 50), scale=st.floats(0.1, 10.0))
@settings(max_examples=15, deadline=None)
def test_leverage_and_the_order_of_the_cells_change_nothing(seed, scale):
    given_ = returns(7, 96, seed)
    base = probability_of_backtest_overfitting(of_returns(given_, blocks=6))
    other = probability_of_backtest_overfitting(of_returns(scale * given_[::-1], blocks=6))
    assert other.logits == pytest.approx(base.logits, rel=PARITY, abs=PARITY)
    assert other.slope == pytest.approx(base.slope, rel=1e-6)
    assert 0.0 <= base.pbo <= 1.0


def test_cells_that_stand_still_are_left_out():
    given_ = returns(6, 160)
    base = probability_of_backtest_overfitting(of_returns(given_, blocks=8))
    still, ended = np.zeros((1, 160)), np.full((1, 160), np.nan)
    half = returns(1, 160)
    half[:, :80] = 0.0  # four blocks of eight
    more = of_returns(np.vstack([given_, still, ended, half]), blocks=8, known=np.ones(160, dtype=bool))
    found = probability_of_backtest_overfitting(more)
    assert found.n_cells == base.n_cells == 6
    assert np.array_equal(found.logits, base.logits)
    cash = (
        np.full((1, 160), 1e-4) * (1.0 + 1e-13 * returns(1, 160)) - 1e-4
    )  # what rounding leaves of interest less the rate
    assert cash.any()
    found = probability_of_backtest_overfitting(of_returns(np.vstack([cash, given_]), blocks=8))
    assert np.array_equal(found.logits, base.logits)
    most = returns(1, 160)
    most[:, :60] = 0.0  # three of eight
    kept = probability_of_backtest_overfitting(of_returns(np.vstack([given_, most]), blocks=8))
    assert kept.n_cells == 7
    assert np.isfinite(kept.logits).all()


def test_one_cell_leaves_no_choice():
    found = probability_of_backtest_overfitting(of_returns(returns(1)))
    assert math.isnan(found.pbo)
    assert math.isnan(found.slope)
    assert len(found.logits) == 0


@pytest.mark.parametrize("blocks", [7, 22])
def test_nonsense_is_refused(blocks):
    with pytest.raises(InputError, match="blocks"):
        probability_of_backtest_overfitting(BlockSums(np.full(blocks, 20), np.ones((3, blocks)), np.ones((3, blocks))))
