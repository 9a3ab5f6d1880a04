"""Parameter sets, plateaus and walk-forward choices, against brute force, pandas and by hand."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import generic_filter
from tolerances import EXACT, PARITY

from analytics.backtest.block_sums import block_numbers, of_returns
from analytics.backtest.parameter_sets import MOST_CELLS, Axis, Cell, Grid, Range, grid, random_sets, steps
from analytics.backtest.sensitivity import heat_map, plateau_scores, walk_forward
from analytics.backtest.spec import BacktestSpec
from analytics.errors import InputError, MissingDataError, UnknownKeyError

VOTE, REVERSION = "technical_vote", "mean_reversion"
HUGE = 10**4000
NAN = math.nan


def number_grid(*sizes: int) -> Grid:
    axes = tuple(Axis(name, tuple(range(size))) for name, size in zip("abcdef", sizes, strict=False))
    return Grid(axes, (True,) * len(axes))


def test_the_grid_is_every_combination_once_whatever_the_order():
    asked = [Axis("threshold", [4, 2, 3, "3"]), Axis("rsi.window", [14, 7.0])]
    found = grid(asked, strategy=VOTE)
    assert found == grid([Axis("rsi.window", (7, 14)), Axis("threshold", range(2, 5))], strategy=VOTE)
    assert [dict(cell.values) for cell in found.cells] == [
        {"rsi.window": window, "threshold": threshold} for window, threshold in itertools.product((7, 14), (2, 3, 4))
    ]
    assert found.cells[0].key == "rsi.window=7, threshold=2"
    assert len({cell.key for cell in found.cells}) == 6
    assert found.shape == (2, 3)


def test_selections_and_switches_keep_the_declared_order_and_have_no_neighbours():
    found = grid([Axis("signal", ["rsi", "both", "bollinger"]), Axis("window", [30, 20])], strategy=REVERSION)
    assert [axis.values for axis in found.axes] == [("bollinger", "rsi", "both"), (20, 30)]
    assert found.ordered == (False, True)
    votes = grid([Axis("votes", ["rsi,adx", ("macd", "ema")])], strategy=VOTE)
    assert votes.axes[0].values == (("adx", "rsi"), ("ema", "macd"))


def test_a_cell_sets_its_own_parameters_and_leaves_the_given_ones():
    given_ = {"threshold": 5, "indicator_parameters": "macd.fast=8,rsi.window=21"}
    cell = Cell((("rsi.window", 9), ("sma.sma_50", 30), ("threshold", 2)))
    found = BacktestSpec(parameters=cell.parameters(given_)).parameters
    assert found["indicator_parameters"] == "macd.fast=8,rsi.window=9,sma.sma_50=30"
    assert found["threshold"] == 2
    assert Cell((("threshold", 2),)).parameters(given_) == given_ | {"threshold": 2}
    default = BacktestSpec(parameters=Cell((("rsi.window", 14),)).parameters({})).parameters
    assert default == BacktestSpec().parameters  # the default written out is the same question


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ([Axis("rsi.window", range(10**5)), Axis("threshold", range(10**4))], "got '1,000,000,000'; allowed: 1 to 10,000"),
        ([Axis("threshold", range(HUGE))], "got 'more than 1e300'|got '1e\\+300'"),
        ([Axis("threshold", [])], "got '0'; allowed: 1 to 10,000"),
        ([Axis("rsi.window", range(2, 102)), Axis("sma.sma_50", range(2, 103))], "got '10,100'"),
        ([], "axes: got 0"),
        ([Axis("threshold", [1]), Axis("threshold", [2])], "each parameter once"),
        ([Axis("threshold", [3, NAN])], "threshold: got nan; allowed: a number from 1"),
        ([Axis("threshold", [HUGE])], "threshold: got '10000.*…'"),
        ([Axis("threshold", [HUGE**2])], "threshold: got 'a number of thousands of digits"),
        ([Axis("threshold", ["1e4000"])], "threshold: got '1e4000'"),
        ([Axis("threshold", [2.5])], "threshold: got 2.5; allowed: a whole number"),
        ([Axis("rsi.window", [1])], "rsi.window: got 1; allowed: a number from 2 to 200"),
        ([Axis("threshhold", [3])], "Did you mean 'threshold'"),
        ([Axis("rsi.windw", [14])], "Did you mean 'rsi.window'"),
        ([Axis("indicator_parameters", ["rsi.window=3"])], "parameter: got 'indicator_parameters'"),
        ([Axis(name, [3]) for name in ("threshold", "votes", "rsi.window", "macd.fast", "macd.slow", "adx.window", "cci.window")], "axes: got 7"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_with_the_limit(axes, message):
    with pytest.raises(InputError, match=message):
        grid(axes, strategy=VOTE)


def test_an_unknown_strategy_and_an_indicator_of_one_that_reads_none_are_refused():
    with pytest.raises(UnknownKeyError, match="Did you mean 'technical_vote'"):
        grid([Axis("threshold", [3])], strategy="technical_votes")
    with pytest.raises(UnknownKeyError, match=r"parameter: got 'rsi\.window'"):
        grid([Axis("rsi.window", [14])], strategy=REVERSION)


def test_steps_are_numpys_and_end_where_they_are_told():
    assert steps(Range("width", 0.5, 2.0), strategy=REVERSION).values == pytest.approx(np.arange(5, 21) / 10, rel=EXACT)
    assert steps(Range("width", 0.1, 0.5, 0.2), strategy=REVERSION).values == (0.1, 0.3, 0.5)
    assert steps(Range("window", 10, 31, 10), strategy=REVERSION).values == (10, 20, 30)
    assert steps(Range("window", 10, 10), strategy=REVERSION).values == (10,)


@pytest.mark.parametrize(
    ("span", "message"),
    [
        (Range("window", 30, 10), "the lower end first"),
        (Range("window", NAN, 10), "window: got nan"),
        (Range("window", 2, HUGE), "window: got '1000.*…'"),
        (Range("window", 2, 10, 0), "window step: got 0"),
        (Range("window", 2, 10, 0.5), "window step: got 0.5; allowed: a whole number"),
        (Range("width", 0.1, 5, 1e-9), "width: got '4,900,000,001'; allowed: 1 to 10,000"),
        (Range("signal", 1, 2), "Only numbers have a range"),
    ],
)
def test_a_range_that_is_none_is_refused(span, message):
    with pytest.raises(InputError, match=message):
        steps(span, strategy=REVERSION)


RANGES = (Range("window", 10, 60), Range("width", 1.0, 3.0), Range("rsi_window", 5, 30, 5))


def test_random_sets_are_different_within_their_ranges_and_the_same_for_the_same_seed():
    found = random_sets(RANGES, strategy=REVERSION, count=500, seed=7)
    assert found == random_sets(reversed(RANGES), strategy=REVERSION, count=500, seed=7)
    assert found != random_sets(RANGES, strategy=REVERSION, count=500, seed=8)
    assert len({cell.key for cell in found}) == 500
    frame = pd.DataFrame([dict(cell.values) for cell in found])
    assert list(frame.columns) == ["rsi_window", "width", "window"]
    assert set(frame["rsi_window"]) == {5, 10, 15, 20, 25, 30}
    assert frame["window"].between(10, 60).all()
    assert frame["width"].between(1.0, 3.0).all()
    assert frame["window"].mean() == pytest.approx(35, abs=4 * 14.7 / math.sqrt(500))  # four standard errors


def test_as_many_sets_as_there_are_is_the_grid():
    spans = [Range("window", 10, 14), Range("rsi_window", 5, 6)]
    found = random_sets(spans, strategy=REVERSION, count=10, seed=0)
    assert set(found) == set(grid([steps(span, strategy=REVERSION) for span in spans], strategy=REVERSION).cells)
    for count, message in [
        (11, "got 11; allowed: the number of different sets in the ranges, 10"),
        (MOST_CELLS + 1, "got '10,001'; allowed: 1 to 10,000"),
        (0, "got '0'"),
        (1.5, "a whole number"),
        (HUGE, "got 'more than 1e300'"),
        (NAN, "a whole number"),
    ]:
        with pytest.raises(InputError, match=message):
            random_sets(spans, strategy=REVERSION, count=count, seed=0)
    with pytest.raises(InputError, match="seed: got '-1'"):
        random_sets(spans, strategy=REVERSION, count=1, seed=-1)


@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4), seed=st.integers(0, 1_000), gaps=st.floats(0, 0.5))
@settings(max_examples=40, deadline=None)
def test_plateau_scores_are_scipys_median_filter(sizes, seed, gaps):
    rng = np.random.default_rng(seed)
    values = np.where(rng.random(math.prod(sizes)) < gaps, NAN, rng.normal(size=math.prod(sizes)))
    values[0] = 0.3
    found = plateau_scores(values, number_grid(*sizes))
    expected = generic_filter(
        values.reshape(sizes), lambda around: pd.Series(around).median(), size=3, mode="constant", cval=NAN
    ).ravel()
    np.testing.assert_array_equal(found.scores, np.where(np.isfinite(values), expected, NAN))
    assert values[found.peak] == np.nanmax(values)
    assert found.scores[found.plateau] == np.nanmax(found.scores)


def test_a_lonely_peak_scores_below_a_broad_hill():
    values = np.zeros((7, 7))
    values[1, 1] = 3.0
    values[3:6, 3:6] = 1.0
    found = plateau_scores(values.ravel(), number_grid(7, 7))
    assert np.unravel_index(found.peak, (7, 7)) == (1, 1)
    assert found.scores[found.peak] == 0.0
    assert values.ravel()[found.plateau] == found.scores[found.plateau] == 1.0


def test_a_selection_has_no_neighbours():
    two = Grid(number_grid(2, 3).axes, (False, True))
    found = plateau_scores(np.array([1.0, 2.0, 3.0, 50.0, 60.0, 70.0]), two)
    assert found.scores.tolist() == [1.5, 2.0, 2.5, 55.0, 60.0, 65.0]


def test_a_grid_without_values_and_values_of_another_grid_are_refused():
    with pytest.raises(MissingDataError, match="No parameter set has a value"):
        plateau_scores(np.full(4, NAN), number_grid(2, 2))
    with pytest.raises(InputError, match="one per cell, 4"):
        plateau_scores(np.zeros(5), number_grid(2, 2))


@pytest.mark.parametrize(("others", "reduce"), [("best", "max"), ("median", "median")])
def test_the_heat_map_is_pandas_pivot_table(others, reduce):
    values = np.random.default_rng(2).normal(size=60)
    values[[3, 20]] = NAN
    values[12:16] = NAN  # all that there is of a = 0, b = 3
    cells = number_grid(3, 5, 4)
    frame = pd.DataFrame(list(itertools.product(range(3), range(5), range(4))), columns=list("abc")).assign(v=values)
    for x, y in itertools.permutations("abc", 2):
        expected = frame.groupby([y, x])["v"].agg(reduce).unstack().to_numpy()
        np.testing.assert_array_equal(heat_map(values, cells, x=x, y=y, others=others), expected)
    assert np.isnan(heat_map(values, cells, x="a", y="b", others=others)[3, 0])


def test_a_heat_map_of_what_the_grid_does_not_have_is_refused():
    with pytest.raises(UnknownKeyError, match="axis: got 'z'"):
        heat_map(np.zeros(4), number_grid(2, 2), x="a", y="z")
    with pytest.raises(UnknownKeyError, match="others"):
        heat_map(np.zeros(4), number_grid(2, 2), x="a", y="b", others="mean")
    with pytest.raises(InputError, match="another axis"):
        heat_map(np.zeros(4), number_grid(2, 2), x="a", y="a")


@pytest.mark.parametrize("first_train", [1, 4, 15])
def test_walk_forward_is_the_choice_made_on_the_sessions_themselves(first_train):
    excess = pd.DataFrame(np.random.default_rng(9).normal(0.0003, 0.01, (1_005, 20)))
    blocks, year = block_numbers(len(excess)), math.sqrt(252)
    chosen, promised, held, weights = [], [], [], []
    for block in range(first_train, 16):
        known = excess[blocks < block]
        ratio = known.mean() / known.std()
        chosen.append(int(ratio.idxmax()))
        promised.append(ratio.max() * year)
        held.append(excess.loc[blocks == block, chosen[-1]])
        weights.append(len(held[-1]))
    later, earned = excess[blocks >= first_train], pd.concat(held)
    found = walk_forward(of_returns(excess.to_numpy().T), first_train=first_train)
    assert found.chosen.tolist() == chosen
    assert found.blocks.tolist() == list(range(first_train, 16))
    assert found.promised == pytest.approx(promised, rel=PARITY)
    assert found.earned == pytest.approx([year * part.mean() / part.std() for part in held], rel=PARITY)
    assert found.in_sample == pytest.approx(np.average(promised, weights=weights), rel=PARITY)
    assert found.out_of_sample == pytest.approx(year * earned.mean() / earned.std(), rel=PARITY)
    assert found.hindsight == pytest.approx((later.mean() / later.std()).max() * year, rel=PARITY)


def test_noise_promises_much_and_earns_nothing():
    """Of 200 rules without skill the best looks good on any past; what it earns afterwards has mean 0."""
    found = [
        walk_forward(of_returns(np.random.default_rng(seed).normal(0.0, 0.01, (200, 1_008)))) for seed in range(60)
    ]
    promised, earned = (np.array([getattr(one, name) for one in found]) for name in ("in_sample", "out_of_sample"))
    assert promised.min() > 1.0
    assert abs(earned.mean()) < 4 * earned.std(ddof=1) / math.sqrt(len(earned))
    assert min(one.hindsight for one in found) > 1.0  # the best of 200 over the blocks held, known afterwards


def test_a_cell_that_is_better_throughout_is_always_chosen():
    excess = np.random.default_rng(3).normal(0.0, 0.01, (10, 640))
    excess[6] += 0.01
    found = walk_forward(of_returns(excess))
    assert (found.chosen == 6).all()
    assert found.hindsight == pytest.approx(found.out_of_sample, rel=PARITY)


def test_what_cannot_be_chosen_is_not_held():
    excess = np.random.default_rng(1).normal(0.0, 0.01, (3, 160))
    excess[:, :60] = 0.0  # nobody trades in the first six blocks
    found = walk_forward(of_returns(excess), first_train=4)
    assert found.chosen[:3].tolist() == [-1, -1, -1]
    assert np.isnan(found.promised[:3]).all()
    assert np.isnan(found.earned[:3]).all()
    assert np.isfinite([found.in_sample, found.out_of_sample, found.hindsight]).all()
    nothing = walk_forward(of_returns(np.zeros((2, 160))))
    assert (nothing.chosen == -1).all()
    assert np.isnan([nothing.in_sample, nothing.out_of_sample, nothing.hindsight]).all()
    for first_train in (0, 16):
        with pytest.raises(InputError, match="1 to 15 of 16 blocks"):
            walk_forward(of_returns(excess), first_train=first_train)


@given(seed=st.integers(0, 1_000), order=st.permutations(range(6)))
@settings(max_examples=25, deadline=None)
def test_the_order_of_the_cells_changes_their_numbers_alone(seed, order):
    sums = of_returns(np.random.default_rng(seed).normal(0.0, 0.01, (6, 200)))
    found, again = walk_forward(sums), walk_forward(sums.take(order))
    assert [order[k] for k in again.chosen] == found.chosen.tolist()
    assert again.out_of_sample == found.out_of_sample
