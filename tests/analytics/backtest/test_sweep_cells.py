"""A cell of a sweep is the backtest of its parameters: against run_backtest, pandas and itself in another order."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markets import flat_market, inputs_of, random_bars, random_market
from tolerances import PARITY

from analytics.backtest import BacktestSpec, Costs, Rules, StrategyInputs, kernel, run_backtest, sweep_cells
from analytics.backtest.block_sums import block_numbers
from analytics.backtest.decisions import begin
from analytics.backtest.parameter_sets import Axis, Cell, Grid, grid
from analytics.backtest.strategies import STRATEGIES
from analytics.backtest.sweep_cells import KEPT, Batch, SweepPlan
from analytics.backtest.terms import FREE
from analytics.errors import InputError, MissingDataError, UnknownKeyError
from analytics.market import Panel

ZERO = 1e-15  # a sum of excess returns that cancel: each of them is known to about 1e-18


def one_ticker(n: int = 500, seed: int = 3) -> StrategyInputs:
    return inputs_of(Panel.of([random_bars("A", n=n, seed=seed)]))


def votes_grid() -> Grid:
    axes = [Axis("rsi.window", [7, 14]), Axis("sma.sma_50", [10, 40]), Axis("sma.sma_200", [50, 90])]
    return grid([*axes, Axis("threshold", [1, 2, 3])], strategy="technical_vote")


def joined(batches) -> Batch:
    parts = list(batches)
    return Batch(
        tuple(cell for part in parts for cell in part.cells),
        {key: np.concatenate([part.metrics[key] for part in parts]) for key in KEPT},
        sweep_cells.stacked([part.sums for part in parts]),
        tuple(problem for part in parts for problem in part.problems),
    )


def check_against_backtests(inputs: StrategyInputs, spec: BacktestSpec, cells) -> Batch:
    """Each cell's metrics are bit for bit those of run_backtest, its sums those of the result's sessions in pandas."""
    found = joined(SweepPlan(inputs, spec).evaluate(cells))
    assert found.cells == tuple(cells)
    for place, cell in enumerate(cells):
        result = run_backtest(inputs, replace(spec, parameters=cell.parameters(spec.parameters)))
        got = {key: found.metrics[key][place] for key in KEPT}
        np.testing.assert_equal(got, {key: result.metrics[key] for key in KEPT})
        excess = pd.Series(result.returns(spec.initial_capital) - result.risk_free)
        by_block = excess.groupby(block_numbers(len(excess)))
        assert found.sums.n.tolist() == by_block.count().tolist()
        assert found.sums.total[place] == pytest.approx(by_block.sum().to_numpy(), rel=PARITY, abs=ZERO)
        assert found.sums.squares[place] == pytest.approx(
            (excess**2).groupby(block_numbers(len(excess))).sum(), rel=PARITY
        )
    return found


def test_cells_of_the_voting_strategy_are_its_backtests():
    found = check_against_backtests(one_ticker(n=512), BacktestSpec(), votes_grid().cells)
    assert found.metrics["n_trades"].max() > 3
    assert len(np.unique(found.metrics["sharpe_ratio"])) > len(found.cells) / 2


@pytest.mark.parametrize(
    "spec",
    [
        BacktestSpec(start="2015-07-01", end="2016-03-31"),
        BacktestSpec(rules=Rules(direction="long_short", stop_loss=0.05), costs=Costs(fixed_fee=2.0)),
        BacktestSpec(rules=Rules(target_volatility=0.1, max_position=0.5, cash_interest=False)),
        BacktestSpec(parameters={"votes": ("sma", "macd", "rsi"), "indicator_parameters": "macd.fast=8"}),
    ],
)
@pytest.mark.parametrize("n_tickers", [1, 4])
def test_dates_rules_and_given_parameters_hold_in_every_cell(spec, n_tickers):
    inputs = inputs_of(random_market(n=400, n_tickers=n_tickers))
    rates = np.where(np.random.default_rng(1).random(400) < 0.1, np.nan, 1e-4)
    check_against_backtests(replace(inputs, risk_free=rates), spec, votes_grid().cells[::5])


@pytest.mark.parametrize(
    ("strategy", "axes"),
    [
        ("mean_reversion", [Axis("window", [10, 20]), Axis("width", [1.0, 1.5]), Axis("signal", ["rsi", "bollinger"])]),
        ("momentum_12_1", [Axis("fraction", [0.25, 0.5])]),
        ("rating", [Axis("buy_above", [0.1, 0.3])]),
        ("sized", [Axis("threshold", [1, 2]), Axis("rsi.window", [5, 20])]),
    ],
)
def test_every_strategy_can_be_swept(strategy, axes):
    inputs = inputs_of(random_market(n=400))
    if "factors" in STRATEGIES[strategy].needs:
        plan = SweepPlan(inputs, BacktestSpec(strategy=strategy))
        with pytest.raises(MissingDataError, match="needs factor fits"):
            list(plan.evaluate(grid(axes, strategy=strategy).cells))
        return
    check_against_backtests(inputs, BacktestSpec(strategy=strategy), grid(axes, strategy=strategy).cells)


@given(
    seed=st.integers(0, 10_000), threshold=st.integers(1, 4), window=st.integers(2, 60), n_tickers=st.integers(1, 3),
    start=st.integers(0, 150),
)  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_remembered_votes_decide_bit_for_bit_as_the_strategy(seed, threshold, window, n_tickers, start):
    inputs = inputs_of(random_market(n=160, n_tickers=n_tickers, seed=seed))
    given_ = BacktestSpec(
        parameters={"threshold": threshold, "indicator_parameters": f"rsi.window={window},sma.sma_50=5,sma.sma_200=30"}
    ).parameters
    begun = begin(inputs, inputs.panel.dates[start])
    votes = sweep_cells._Votes(begun)
    found = votes.decisions(*votes.agreed(given_))
    np.testing.assert_array_equal(found, STRATEGIES["technical_vote"].decide(begun, **given_))


def test_an_answer_does_not_depend_on_batch_order_or_what_was_asked_before(monkeypatch):
    inputs, cells = one_ticker(), votes_grid().cells
    whole = joined(SweepPlan(inputs, BacktestSpec()).evaluate(cells))
    order = np.random.default_rng(4).permutation(len(cells))
    plan = SweepPlan(inputs, BacktestSpec())
    parts = joined(plan.evaluate([cells[k] for k in order], batch=5))
    monkeypatch.setattr(sweep_cells, "VOTE_BYTES", 4 * 500)  # room for four votes: most are computed again
    again = joined(plan.evaluate(cells[7:9], batch=1))
    forgetful = joined(SweepPlan(inputs, BacktestSpec()).evaluate(cells))
    for key in KEPT:
        assert parts.metrics[key].tobytes() == whole.metrics[key][order].tobytes()
        assert again.metrics[key].tobytes() == whole.metrics[key][7:9].tobytes()
        assert forgetful.metrics[key].tobytes() == whole.metrics[key].tobytes()
    assert parts.sums.total.tobytes() == whole.sums.total[order].tobytes()
    assert parts.sums.squares.tobytes() == whole.sums.squares[order].tobytes()
    assert again.sums.total.tobytes() == whole.sums.total[7:9].tobytes()


def test_votes_are_computed_once_for_their_parameters(monkeypatch):
    asked = []

    def counted(bars, **given_):
        asked.append((bars.ticker, *given_["keys"], str(given_["parameters"])))
        return original(bars, **given_)

    original = sweep_cells.compute_votes
    monkeypatch.setattr(sweep_cells, "compute_votes", counted)
    list(SweepPlan(one_ticker(), BacktestSpec()).evaluate(votes_grid().cells))
    assert len(asked) == len(set(asked)) == 2 + 4 + 5  # windows of the RSI, pairs of averages, the five others


def test_cells_that_order_the_same_are_run_once(monkeypatch):
    asked = []

    def counted(*given_):
        asked.append(given_)
        return original(*given_)

    original = kernel.simulate
    monkeypatch.setattr(kernel, "simulate", counted)
    cells = grid([Axis("rsi.window", range(10, 30)), Axis("threshold", [4])], strategy="technical_vote").cells
    found = joined(SweepPlan(one_ticker(), BacktestSpec()).evaluate(cells))
    ran = len(np.unique(found.sums.total, axis=0))
    assert len(asked) == ran < len(cells)


def test_parameters_that_do_not_go_together_are_told_and_stop_nothing():
    cells = grid([Axis("sma.sma_50", [20, 60]), Axis("sma.sma_200", [40])], strategy="technical_vote").cells
    found = joined(SweepPlan(one_ticker(), BacktestSpec()).evaluate(cells))
    assert found.problems[0] is None
    assert "sma_50: got 60; allowed: less than sma_200 (40)" in found.problems[1]
    assert np.isfinite([found.metrics[key][0] for key in KEPT]).all()
    assert np.isnan([found.metrics[key][1] for key in KEPT]).all()
    assert np.isnan(found.sums.total[1]).all()
    assert np.isfinite(found.sums.total[0]).all()


def test_what_is_nonsense_is_refused_before_anything_is_computed(monkeypatch):
    monkeypatch.setattr(sweep_cells, "total_return_prices", None)
    plan = SweepPlan(one_ticker(), BacktestSpec())
    with pytest.raises(UnknownKeyError, match="Did you mean 'threshold'"):
        next(plan.evaluate([Cell((("threshold", 3),)), Cell((("treshold", 3),))]))
    with pytest.raises(InputError, match="a number from 2 to 200"):
        next(plan.evaluate([Cell((("rsi.window", 1),))]))
    with pytest.raises(MissingDataError, match="No prices of A"):
        next(SweepPlan(one_ticker(), BacktestSpec(start="2030-01-01")).evaluate([Cell((("threshold", 3),))]))


def test_a_ruined_account_is_unknown_in_the_blocks_after_its_end():
    """A short that opens at six times its price owes more than there is."""
    falling = np.linspace(160, 100, 60).tolist()
    inputs = inputs_of(flat_market({"A": [*falling, *[900.0] * 100]}))
    spec = BacktestSpec(
        parameters={"votes": ("sma_10",), "threshold": 1}, rules=Rules(direction="long_short", max_position=1.0),
        costs=Costs(**FREE),
    )  # fmt: skip
    found = joined(SweepPlan(inputs, spec).evaluate([Cell((("sma.sma_10", 5),))]))
    assert found.metrics["total_return"][0] <= -1.0
    assert np.isfinite(found.sums.total[0, :7]).all()
    assert found.sums.total[0, 6] < -0.9
    assert np.isnan(found.sums.total[0, 7:]).all()
