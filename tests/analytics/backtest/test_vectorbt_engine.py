"""Two engines, one answer: the compiled account and vectorbt on everything that vectorbt knows too, and by hand."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from given_strategy import decide_as_given
from markets import flat_market, inputs_of, random_market
from tolerances import EXACT, PARITY

from analytics.backtest import BacktestResult, BacktestSpec, Costs, Rules, kernel, run_backtest, vectorbt_engine
from analytics.backtest.engine import Ledger, total_return_prices
from analytics.backtest.orders import schedule_orders
from analytics.backtest.result import SESSION_COLUMNS
from analytics.backtest.strategies import changes_only
from analytics.backtest.terms import FREE, LONG_ONLY, LONG_SHORT
from analytics.errors import InputError
from analytics.market import Panel

NAN = np.nan
NO_COSTS = Costs(**FREE)
NO_INTEREST = Rules(cash_interest=False)
# Costs above 0: free of them, a purchase at the close earns ± the last bit of the account, and which sign is chance.
FLAT = replace(NO_COSTS, fee_rate=0.001, half_spread=0.0002, slippage_rate=0.0005)
STOPS = (
    {"stop_loss": 0.04}, {"trailing_stop": 0.06}, {"take_profit": 0.05}, {"stop_loss": 0.04, "take_profit": 0.08},
    {"trailing_stop": 0.05, "take_profit": 0.06},
)  # fmt: skip
CENT = 1e-7  # USD; of the sums that two orders of addition give of some 100,000 USD
both = pytest.mark.parametrize("engine", [kernel, vectorbt_engine], ids=["kernel", "vectorbt"])


def with_opens(panel: Panel) -> Panel:
    """The panel with the close as the open where there is none: vectorbt sees no stop on the bar of a late fill."""
    return replace(panel, open=np.where(np.isnan(panel.open), panel.close, panel.open))


def random_decisions(panel: Panel, *, seed: int, direction: str) -> np.ndarray:
    """Now and then a ticker's target becomes nothing, a half or all of its share, or the same sold short."""
    rng = np.random.default_rng(seed)
    sizes = [0.0, 0.5, 1.0] if direction == LONG_ONLY else [0.0, 0.5, 1.0, -1.0]
    share = rng.choice(sizes, panel.close.shape) / len(panel.tickers)
    return np.where(panel.has_bar & (rng.random(panel.close.shape) < 0.03), share, NAN)


def assert_same_answer(one: BacktestResult, other: BacktestResult) -> None:
    for name in SESSION_COLUMNS:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=PARITY, atol=PARITY, err_msg=name)
    assert one.orders.equals(other.orders)
    assert len(one.trades) == len(other.trades)
    for name in one.trades:
        mine, theirs = one.trades[name], other.trades[name]
        if pd.api.types.is_numeric_dtype(mine):
            np.testing.assert_allclose(mine, theirs, rtol=PARITY, atol=CENT, err_msg=name)
        else:
            assert mine.tolist() == theirs.tolist(), name
    assert one.metrics.keys() == other.metrics.keys()
    for key, value in one.metrics.items():
        assert other.metrics[key] == pytest.approx(value, rel=PARITY, abs=PARITY, nan_ok=True), key


@pytest.mark.parametrize("direction", [LONG_ONLY, LONG_SHORT])
@pytest.mark.parametrize("stops", [{}, *STOPS], ids=lambda stops: " ".join(stops) or "none")
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_both_engines_give_the_same_account_trades_and_metrics(monkeypatch, seed, stops, direction):
    panel = random_market(n=900, n_tickers=5, seed=seed)
    panel = with_opens(panel) if stops else panel
    given = decide_as_given(monkeypatch, random_decisions(panel, seed=seed, direction=direction))
    rules = replace(NO_INTEREST, direction=direction, **stops)
    spec = BacktestSpec(strategy=given, costs=FLAT, rules=rules, start=str(panel.dates[100]))
    ours, theirs = (run_backtest(inputs_of(panel), replace(spec, engine=engine)) for engine in ("kernel", "vectorbt"))
    assert_same_answer(ours, theirs)
    assert len(ours.trades) >= 20
    stopped = {"stop loss", "trailing stop", "take profit"} & set(ours.trades["reason"])
    assert stopped == {name.replace("_", " ") for name in stops}
    assert (direction == LONG_SHORT) == ("short" in set(ours.trades["direction"]))


@pytest.mark.parametrize("seed", [3, 4])
def test_both_engines_charge_the_same_fixed_commission(monkeypatch, seed):
    panel = random_market(n=900, n_tickers=5, seed=seed)
    decisions = random_decisions(panel, seed=seed, direction=LONG_SHORT)
    # Changes alone: vectorbt refuses a sale that brings in less than its commission, as a small rebalancing may.
    given = decide_as_given(monkeypatch, changes_only(decisions, np.zeros(5, dtype=int)))
    rules = replace(NO_INTEREST, direction=LONG_SHORT)
    spec = BacktestSpec(strategy=given, costs=replace(FLAT, fixed_fee=7.5), rules=rules)
    ours, theirs = (run_backtest(inputs_of(panel), replace(spec, engine=engine)) for engine in ("kernel", "vectorbt"))
    assert_same_answer(ours, theirs)
    assert ours.metrics["total_fees"] > 7.5 * ours.audit["fills"]


def test_the_two_could_differ():
    panel = random_market(n=200, n_tickers=2)
    spec = BacktestSpec(strategy="buy_and_hold", costs=FLAT, rules=NO_INTEREST)
    ours = run_backtest(inputs_of(panel), spec)
    dearer = run_backtest(inputs_of(panel), replace(spec, engine="vectorbt", costs=replace(FLAT, fee_rate=0.00101)))
    with pytest.raises(AssertionError):
        assert_same_answer(ours, dearer)


def test_vectorbt_refuses_an_account_that_loses_everything(monkeypatch):
    """Its account would trade on with what it owes; the other engine closes it."""
    panel = flat_market({"A": [10, 10, 20, 40, 10]})
    given = decide_as_given(monkeypatch, [[-0.5]] + [[NAN]] * 4)
    spec = BacktestSpec(strategy=given, costs=NO_COSTS, rules=replace(NO_INTEREST, direction=LONG_SHORT))
    message = r"engine: got 'vectorbt, .* lost everything'; allowed: .*Choose the engine 'kernel'.*or trade long only"
    with pytest.raises(InputError, match=message):
        run_backtest(inputs_of(panel), replace(spec, engine="vectorbt", rules=replace(spec.rules, max_position=1.0)))
    ours = run_backtest(inputs_of(panel), replace(spec, rules=replace(spec.rules, max_position=1.0)))
    assert ours.audit["liquidated_on"] == "2024-01-04"
    gained = replace(spec, engine="vectorbt", rules=replace(spec.rules, max_position=0.2))  # −60 % of 1.2 is no ruin
    assert run_backtest(inputs_of(panel), gained).equity.min() > 0.0


def test_vectorbt_takes_a_borrow_rate_where_nothing_is_sold_short():
    panel = random_market(n=60)
    spec = BacktestSpec(strategy="buy_and_hold", costs=replace(FLAT, borrow_rate=0.05), rules=NO_INTEREST)
    ours, theirs = (run_backtest(inputs_of(panel), replace(spec, engine=engine)) for engine in ("kernel", "vectorbt"))
    assert_same_answer(ours, theirs)
    assert theirs.audit["engine"].startswith("vectorbt-rust ")
    assert ours.audit["engine"].startswith("Plumbline kernel, numba ")


# ---- where vectorbt differs, as its docstring says ------------------------------------------------------------


def test_vectorbt_keeps_what_was_delisted_at_its_last_value():
    panel = flat_market({"A": [10, 10, 12] + [NAN] * 6, "B": [1] * 9})
    decisions = np.full((9, 2), NAN)
    decisions[0, 0] = 0.5
    ours, theirs = (ledger_of(engine, panel, decisions) for engine in (kernel, vectorbt_engine))
    assert ours.equity.tolist() == theirs.equity.tolist()
    assert (ours.gross_exposure[-1], theirs.gross_exposure[-1]) == (0.0, pytest.approx(600 / 1_100, rel=EXACT))


def test_vectorbt_makes_no_sale_that_brings_in_less_than_its_fixed_fee():
    panel = flat_market({"A": [10.0] * 5})
    decisions = [[0.5], [NAN], [0.499], [NAN], [NAN]]
    ours, theirs = (
        ledger_of(engine, panel, decisions, replace(NO_COSTS, fixed_fee=5.0)) for engine in (kernel, vectorbt_engine)
    )
    assert (len(ours.fills), len(theirs.fills)) == (2, 1)


def test_vectorbt_hits_no_stop_on_a_bar_at_whose_close_an_order_is_filled(monkeypatch):
    panel = flat_market({"A": [10, 10, 8, 8]}, opens={"A": [10, 10, NAN, 8]})
    given = decide_as_given(monkeypatch, [[0.5], [0.4], [NAN], [NAN]])
    spec = BacktestSpec(strategy=given, costs=NO_COSTS, rules=replace(NO_INTEREST, stop_loss=0.1))
    days = [
        run_backtest(inputs_of(panel), replace(spec, engine=engine)).trades["exit_date"].tolist()
        for engine in ("kernel", "vectorbt")
    ]
    assert days == [["2024-01-03"], ["2024-01-04"]]


# ---- worked out by hand, for both -----------------------------------------------------------------------------


def ledger_of(engine, panel: Panel, decisions, costs: Costs = NO_COSTS, capital: float = 1_000.0) -> Ledger:
    orders = schedule_orders(panel, np.asarray(decisions), start=panel.dates[0], end=panel.dates[-1]).due()
    spec = BacktestSpec(initial_capital=capital, costs=costs, rules=NO_INTEREST)
    n = len(panel.dates)
    return engine.simulate(total_return_prices(panel), orders, spec, np.zeros(n), 0, n)


@both
def test_one_round_trip(engine):
    panel = flat_market({"A": [90, 102, 105, 108]}, opens={"A": [90, 100, 104, 110]})
    costs = replace(NO_COSTS, fee_rate=0.01, slippage_rate=0.015, half_spread=0.005)
    ledger = ledger_of(engine, panel, [[1.0], [NAN], [0.0], [NAN]], costs, capital=10_000.0)
    # all cash at the open of 100: price 102, and 1 % of what is bought is the fee: 10,000 / (102 × 1.01) shares
    shares = 10_000 / 103.02
    np.testing.assert_allclose(ledger.fills.quantity, [shares, -shares], rtol=EXACT)
    np.testing.assert_allclose(ledger.fills.price, [102.0, 107.8], rtol=EXACT)
    np.testing.assert_allclose(ledger.fills.quote, [100.0, 110.0], rtol=EXACT)
    np.testing.assert_allclose(ledger.fills.fee, [shares * 1.02, shares * 1.078], rtol=EXACT)
    np.testing.assert_allclose(ledger.fills.spread, [shares * 0.5, shares * 0.55], rtol=EXACT)
    np.testing.assert_allclose(ledger.fills.slippage, [shares * 1.5, shares * 1.65], rtol=EXACT)
    np.testing.assert_allclose(ledger.equity, [10_000, shares * 102, shares * 105, shares * 106.722], rtol=EXACT)
    np.testing.assert_allclose(ledger.gross_exposure, [0, 1, 1, 0], atol=EXACT)
    np.testing.assert_allclose(ledger.traded, [0, shares * 102, 0, shares * 107.8], rtol=EXACT)


@both
def test_sales_come_first_then_buys_from_the_smallest_and_the_last_is_cut(engine):
    panel = flat_market({"A": [10] * 4, "B": [10] * 4, "C": [10] * 4})
    decisions = [[0.6, 0.2, NAN], [NAN, NAN, NAN], [0.0, 0.5, 0.4], [NAN, NAN, NAN]]
    fills = ledger_of(engine, panel, decisions, replace(NO_COSTS, slippage_rate=0.25)).fills
    # day 1, price 12.5: B for 200 → 20 shares cost 250; A for 600 → 60 shares cost 750: the cash is gone
    # day 3, value 800: A sells 60 at 7.5 → 450; then B wants 400 − 200 → 20 shares, C wants 320 → 32 shares,
    # and of the 200 left after B's 250, C gets 200 / 12.5 = 16
    assert list(zip(fills.row, fills.column, strict=True)) == [(1, 1), (1, 0), (3, 0), (3, 1), (3, 2)]
    np.testing.assert_allclose(fills.quantity, [20, 60, -60, 20, 16], rtol=EXACT)


@both
def test_equal_buys_go_by_ticker_and_what_cash_does_not_cover_is_cut(engine):
    panel = flat_market({"A": [10] * 3, "B": [10] * 3})
    decisions = [[0.5, 0.5], [NAN, NAN], [NAN, NAN]]
    fills = ledger_of(engine, panel, decisions, replace(NO_COSTS, half_spread=0.4, slippage_rate=0.1)).fills
    assert fills.column.tolist() == [0, 1]
    np.testing.assert_allclose(fills.quantity, [50, 50 / 3], rtol=EXACT)  # 750 of 1,000 spent, 250 / 15 left for B


@both
def test_an_order_fills_at_the_close_where_there_is_no_open_and_in_the_total_return_basis(engine):
    panel = flat_market({"A": [50, 50, 50]}, opens={"A": [NAN, NAN, NAN]})
    halved = replace(panel, adj_close=panel.close * [[0.5], [0.5], [1.0]])
    fills = ledger_of(engine, halved, [[1.0], [NAN], [NAN]]).fills
    assert (fills.price[0], fills.quantity[0]) == (25.0, 40.0)


@both
def test_a_held_ticker_without_a_bar_is_valued_at_its_last_close(engine):
    panel = flat_market({"A": [10, 10, 20, NAN, 20, 20], "B": [10] * 6})
    decisions = [[0.5, NAN], [NAN, NAN], [NAN, 0.5], [NAN, NAN], [NAN, NAN], [NAN, NAN]]
    ledger = ledger_of(engine, panel, decisions)
    np.testing.assert_allclose(
        ledger.fills.quantity, [50, 50], rtol=EXACT
    )  # half of 1,500 is 750, but only 500 is cash
    np.testing.assert_allclose(ledger.equity, [1_000, 1_000, 1_500, 1_500, 1_500, 1_500], rtol=EXACT)


@both
def test_a_short_sale_turns_into_a_purchase_through_zero(engine):
    panel = flat_market({"A": [10, 10, 8, 8]})
    ledger = ledger_of(engine, panel, [[-0.5], [0.5], [NAN], [NAN]])
    # day 1: 50 sold at 10. Day 2 at 8: worth 1,500 − 400 = 1,100, half of it is 68.75 shares: buys 118.75
    np.testing.assert_allclose(ledger.fills.quantity, [-50, 118.75], rtol=EXACT)
    np.testing.assert_allclose(ledger.equity, [1_000, 1_000, 1_100, 1_100], rtol=EXACT)
    np.testing.assert_allclose(ledger.net_exposure, [0, -0.5, 0.5, 0.5], rtol=EXACT)


@both
def test_without_orders_nothing_is_traded(engine):
    ledger = ledger_of(engine, flat_market({"A": [10, 11, 12]}), np.full((3, 1), NAN))
    assert len(ledger.fills) == 0
    assert ledger.equity.tolist() == ledger.cash.tolist() == [1_000.0] * 3
    assert ledger.gross_exposure.tolist() == ledger.traded.tolist() == [0.0] * 3


NOTHING_LEFT_TO_COMPILE = """
from analytics.backtest import simulate
simulate.warm_up()

import numba
from dataclasses import replace
from numba.core.event import install_recorder
from analytics.backtest import BacktestSpec, Costs, Rules, run_backtest
from analytics.backtest.strategies import STRATEGIES
from analytics.backtest.terms import FREE
from markets import inputs_of, random_market

inputs = inputs_of(random_market())
votes = STRATEGIES["technical_vote"].parameters[1].choices
rules = Rules(cash_interest=False, direction="long_short", stop_loss=0.1)
spec = BacktestSpec(parameters={"threshold": 1, "votes": votes}, costs=Costs(**FREE), rules=rules)
with install_recorder("numba:compile") as recorder:
    trades = [len(run_backtest(inputs, replace(spec, engine=engine)).trades) for engine in ("kernel", "vectorbt")]
print("trades", min(trades) > 0, "compiled", len(recorder.buffer))
with install_recorder("numba:compile") as recorder:
    numba.njit(lambda x: x + 1)(1)
print("a compilation is noticed", len(recorder.buffer) > 0)
"""


def test_a_first_run_after_the_warm_up_compiles_nothing():
    root = Path(__file__).parents[3]
    paths = [str(root), str(Path(__file__).parent)]
    code = f"import sys; sys.path[:0] = {paths!r}\n{NOTHING_LEFT_TO_COMPILE}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "trades True compiled 0\na compilation is noticed True\n", done.stderr[-2_000:]
