"""The sweep against the engine of record, against vectorbt and by hand; its states against pandas and the stored vote."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markets import flat_market, random_bars, random_market
from tolerances import EXACT, PARITY

from analytics.backtest import kernel
from analytics.backtest.engine import total_return_prices
from analytics.backtest.orders import schedule_orders
from analytics.backtest.round_trips import round_trips
from analytics.backtest.spec import BacktestSpec
from analytics.backtest.sweep import SWEPT_METRICS, TASK, moving_average_crossings, states_of, sweep
from analytics.backtest.terms import FREE, Costs, Rules
from analytics.errors import InputError, UnknownKeyError
from analytics.indicators import VOTES
from analytics.market import Panel
from analytics.metrics import METRICS, Performance, Trades

NAN = np.nan
NONE = Costs(**FREE)
FLAT_COSTS = replace(NONE, fee_rate=0.002, half_spread=0.001, slippage_rate=0.003, borrow_rate=0.08)
CAPITAL = 10_000.0
NEAR_ZERO = 1e-7  # added to relative tolerances: a ratio of numbers near 0 keeps fewer of their digits


def random_states(panel: Panel, n_sets: int, *, seed: int, often: float = 0.1) -> np.ndarray:
    """States that change now and then, shape (n_tickers, n_sets, n_dates)."""
    rng = np.random.default_rng(seed)
    shape = (len(panel.tickers), n_sets, len(panel.dates))
    drawn, rows = rng.integers(-1, 2, shape), np.where(rng.random(shape) < often, np.arange(shape[2]), 0)
    return np.take_along_axis(drawn, np.maximum.accumulate(rows, axis=2), axis=2).astype(np.int8)


def random_rates(panel: Panel) -> np.ndarray:
    rng = np.random.default_rng(7)
    n = len(panel.dates)
    return np.where(rng.random(n) < 0.1, NAN, rng.uniform(-5e-5, 3e-4, n))


def wild(panel: Panel, *, seed: int) -> Panel:
    """The same market with jumps that ruin shorts, some of them overnight."""
    rng = np.random.default_rng(seed)
    jump = np.where(rng.random(len(panel.dates)) < 0.03, rng.choice([0.3, 1.9, 3.5]), 1.0).cumprod()[:, None]
    opens = panel.open * jump * np.where(rng.random(len(panel.dates)) < 0.03, 1.8, 1.0)[:, None]
    return replace(panel, open=opens, close=panel.close * jump, adj_close=panel.adj_close * jump)


def engine_metrics(panel: Panel, states: np.ndarray, rates: np.ndarray, spec: BacktestSpec, first: int, last: int):
    """The metrics of the engine of record; panel of one ticker, states and rates by its bars."""
    in_force = np.where(np.arange(len(states)) >= first - 1, states, 0)
    if spec.rules.direction == "long_only":
        in_force = np.maximum(in_force, 0)
    changed = np.diff(in_force, prepend=0) != 0
    decisions = np.where(changed, in_force, NAN)[:, None]
    orders = schedule_orders(panel, decisions, start=panel.dates[first], end=panel.dates[last - 1]).due()
    prices = total_return_prices(panel)
    ledger = kernel.simulate(prices, orders, spec, rates, first, last)
    trips = round_trips(ledger, panel, prices, last=last, reasons=kernel.REASONS)
    trades = Trades(pnl=trips["pnl"].to_numpy(float), return_pct=np.zeros(len(trips)), fees=np.zeros(len(trips)),
                    slippage=np.zeros(len(trips)), days=np.zeros(len(trips)))  # fmt: skip
    performance = Performance(
        dates=panel.dates[first:last], returns=ledger.returns, risk_free_returns=rates[first:last],
        gross_exposure=ledger.gross_exposure, turnover=ledger.turnover, trades=trades,
    )  # fmt: skip
    return {key: METRICS[key].func(performance) for key in SWEPT_METRICS}


def check_against_engine(panel, states, costs, *, direction, cash_interest=True, first=0, last=None, rtol=PARITY):
    last = len(panel.dates) if last is None else last
    rates = random_rates(panel)
    found = sweep(
        total_return_prices(panel), states, costs=costs, risk_free=rates, direction=direction,
        cash_interest=cash_interest, initial_capital=CAPITAL, first=first, last=last,
    ).metrics  # fmt: skip
    rules = Rules(direction=direction, cash_interest=cash_interest)
    spec = BacktestSpec(initial_capital=CAPITAL, costs=costs, rules=rules)
    for column, ticker in enumerate(panel.tickers):
        bars = np.flatnonzero(panel.has_bar[:, column])
        own = Panel.of([panel.bars(ticker)])
        begin, end = np.searchsorted(bars, [first, last])
        for k in range(states.shape[1]):
            expected = engine_metrics(own, states[column, k, bars], rates[bars], spec, begin, end)
            got = {key: found[key][k, column] for key in SWEPT_METRICS}
            assert got == pytest.approx(expected, rel=rtol, abs=rtol, nan_ok=True), (ticker, k)
    return found


@pytest.mark.parametrize("direction", ["long_only", "long_short"])
@pytest.mark.parametrize("cash_interest", [True, False])
@pytest.mark.parametrize("costs", [NONE, FLAT_COSTS, replace(FLAT_COSTS, fixed_fee=3.0)])
def test_the_metrics_are_those_of_the_engine_of_record(direction, cash_interest, costs):
    panel = random_market(n=300, seed=3)
    states = random_states(panel, 3, seed=11)
    found = check_against_engine(panel, states, costs, direction=direction, cash_interest=cash_interest)
    assert all(np.isfinite(values).all() for values in found.values())
    assert found["n_trades"].min() > 2


@pytest.mark.parametrize(("first", "last"), [(1, 250), (0, 2), (120, 300), (200, 201)])
def test_a_window_begins_flat_and_acts_on_the_decision_before_it(first, last):
    market = random_market(n=300, seed=4)
    panel = (
        market if first == 120 else Panel.of([market.bars("T0"), market.bars("T3")])
    )  # the others list later or pause
    states = random_states(panel, 4, seed=first, often=0.3)
    check_against_engine(panel, states, FLAT_COSTS, direction="long_short", first=first, last=last)


@pytest.mark.parametrize("seed", range(6))
def test_ruined_shorts_end_as_in_the_engine_of_record(seed):
    panel = wild(random_market(n=300, n_tickers=3, seed=seed), seed=seed)
    states = random_states(panel, 4, seed=seed, often=0.05)
    found = check_against_engine(panel, states, FLAT_COSTS, direction="long_short")
    assert (found["total_return"] < -0.9).any()


def test_one_round_trip_each_way_worked_out_by_hand():
    panel = flat_market({"A": [50, 102, 105, 108, 96, 100]}, opens={"A": [50, 100, 104, 110, 90, 120]})
    states = np.array([[[1, 1, -1, -1, 0, 0]]], dtype=np.int8)
    costs = replace(NONE, fee_rate=0.01, slippage_rate=0.015, half_spread=0.005, borrow_rate=0.252)
    found = sweep(total_return_prices(panel), states, costs=costs, direction="long_short", initial_capital=CAPITAL)
    # all cash at the open of 100: 10,000 / (102 × 1.01) shares; turned round at 110: sold at 107.8, twice as many
    bought = CAPITAL / 103.02
    long_pnl = bought * 107.8 * 0.99 - CAPITAL
    cash = 2 * bought * 107.8 * 0.99
    borrow = bought * (108 + 96) * 0.001
    covered = bought * 120 * 1.02 * 1.01
    short_pnl = cash / 2 - borrow - covered
    total = (cash - borrow - covered) / CAPITAL - 1
    got = {key: values[0, 0] for key, values in found.metrics.items()}
    assert got["total_return"] == pytest.approx(total, rel=EXACT)
    assert got["n_trades"] == 2
    assert got["win_rate"] == 0.5
    assert got["profit_factor"] == pytest.approx(long_pnl / -short_pnl, rel=EXACT)
    assert got["exposure_share"] == pytest.approx(4 / 6, rel=EXACT)
    assert np.isnan(got["sharpe_ratio"])  # no risk-free rate is known


def test_total_returns_and_trades_equal_vectorbt():
    import vectorbt as vbt

    panel = Panel.of([random_bars("A", seed=1), random_bars("B", seed=2)])
    states = random_states(panel, 5, seed=2)
    prices = total_return_prices(panel)
    costs = replace(NONE, fee_rate=0.002, slippage_rate=0.003)
    found = sweep(prices, states, costs=costs, initial_capital=CAPITAL).metrics
    held = np.concatenate([np.zeros((2, 5, 1)), states[:, :, :-1]], axis=2) > 0
    for column in range(2):
        close, quote = pd.Series(prices.close[:, column]), pd.Series(prices.fill[:, column])
        signals = pd.DataFrame(held[column].T)
        portfolio = vbt.Portfolio.from_signals(
            close, signals, ~signals, price=quote, fees=0.002, slippage=0.003, init_cash=CAPITAL, freq="1D"
        )
        np.testing.assert_allclose(found["total_return"][:, column], portfolio.total_return(), rtol=PARITY)
        np.testing.assert_array_equal(found["n_trades"][:, column], portfolio.trades.count())
        np.testing.assert_allclose(found["win_rate"][:, column], portfolio.trades.win_rate(), rtol=PARITY)
        np.testing.assert_allclose(found["profit_factor"][:, column], portfolio.trades.profit_factor(), rtol=PARITY)
        np.testing.assert_allclose(found["max_drawdown"][:, column], portfolio.max_drawdown(), rtol=PARITY)


def test_the_answer_does_not_depend_on_threads_or_on_the_company_of_other_sets():
    panel = random_market(n=150, seed=5)
    states = random_states(panel, TASK + 7, seed=1)
    prices, rates = total_return_prices(panel), random_rates(panel)

    def run(states, threads=1):
        return sweep(prices, states, costs=FLAT_COSTS, risk_free=rates, direction="long_short", threads=threads).metrics

    alone, together, turned = run(states), run(states, threads=3), run(np.ascontiguousarray(states[:, ::-1]))
    for key in SWEPT_METRICS:
        assert alone[key].tobytes() == together[key].tobytes()
        assert alone[key].tobytes() == np.ascontiguousarray(turned[key][::-1]).tobytes()


def test_nothing_after_the_window_and_no_state_of_its_last_bar_is_read():
    panel = random_market(n=200, seed=6)
    states, rates, last = random_states(panel, 3, seed=3), random_rates(panel), 150
    prices = total_return_prices(panel)
    later = np.arange(200)[:, None] >= last
    other = replace(prices, open=np.where(later, 1.0, prices.open), close=np.where(later, 1.0, prices.close))
    turned = states.copy()
    turned[:, :, last - 1 :] = -1
    turned[2][:, ~panel.has_bar[:, 2]] = 1  # nor one of a date without a bar
    kept = sweep(prices, states, costs=FLAT_COSTS, risk_free=rates, last=last, direction="long_short").metrics
    changed = sweep(other, turned, costs=FLAT_COSTS, risk_free=rates, last=last, direction="long_short").metrics
    for key in SWEPT_METRICS:
        np.testing.assert_array_equal(kept[key], changed[key])


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1_000), fee=st.floats(0.0, 0.02), scale=st.floats(0.01, 1_000.0))
def test_costs_never_help_and_the_size_of_prices_and_capital_does_not_matter(seed, fee, scale):
    panel = random_market(n=60, n_tickers=1, seed=seed)
    states = random_states(panel, 3, seed=seed)
    prices = total_return_prices(panel)
    scaled = replace(prices, open=prices.open * scale, close=prices.close * scale)
    free = sweep(prices, states, costs=NONE).metrics
    paid = sweep(prices, states, costs=replace(NONE, fee_rate=fee)).metrics
    same = sweep(scaled, states, costs=replace(NONE, fee_rate=fee), initial_capital=CAPITAL * scale).metrics
    assert (paid["total_return"] <= free["total_return"] + EXACT).all()
    for key in SWEPT_METRICS:
        np.testing.assert_allclose(same[key], paid[key], rtol=NEAR_ZERO, atol=NEAR_ZERO)
    assert (paid["max_drawdown"] <= 0.0).all()


def test_a_set_that_never_trades_and_a_ticker_without_a_bar():
    panel = flat_market({"A": [1, 2, 3, NAN], "B": [NAN, NAN, NAN, 5]})
    found = sweep(
        total_return_prices(panel), np.zeros((2, 1, 4), dtype=np.int8), costs=FLAT_COSTS, risk_free=np.full(4, 1e-4),
        cash_interest=False, last=3,
    ).metrics  # fmt: skip
    got = {key: values[0, 0] for key, values in found.items()}
    undefined = {"sharpe_ratio", "calmar_ratio", "win_rate", "profit_factor"}
    assert {key for key in got if np.isnan(got[key])} == undefined
    assert {got[key] for key in set(got) - undefined - {"sortino_ratio"}} == {0.0}
    assert got["sortino_ratio"] == pytest.approx(-np.sqrt(252), rel=EXACT)
    assert all(np.isnan(values[0, 1]) for values in found.values())


def test_averages_cross_as_in_pandas_and_as_the_stored_vote():
    panel = random_market(n=400, seed=9)
    pairs = [(5, 20), (50, 200), (2, 3), (30, 500)]
    found = moving_average_crossings(panel.close, pairs)
    vote = VOTES["sma"]
    for column in range(len(panel.tickers)):
        has_bar = panel.has_bar[:, column]
        close = pd.Series(panel.close[has_bar, column])
        for k, (fast, slow) in enumerate(pairs):
            expected = np.sign(close.rolling(fast).mean() - close.rolling(slow).mean()).fillna(0.0)
            np.testing.assert_array_equal(found[column, k, has_bar], expected)
        assert not found[column][:, ~has_bar].any()
        windows = {item.name: item.default for item in vote.indicator.parameters}
        averages = dict(
            zip(vote.indicator.outputs, vote.indicator.compute({"close": close.to_numpy()}, **windows), strict=True)
        )
        stored = vote.vote.decide({"close": close.to_numpy()}, averages)
        np.testing.assert_array_equal(found[column, 1, has_bar], np.nan_to_num(stored))
    assert {-1, 0, 1} == set(np.unique(found))


def test_averages_of_a_price_that_never_moves_are_equal():
    close = np.full((300, 1), 0.1) * 3
    assert not moving_average_crossings(close, [(7, 30), (50, 200)]).any()


def test_states_are_the_signs_of_the_decisions_in_force():
    decisions = np.array([[NAN, 0.2], [0.5, NAN], [NAN, -0.3], [0.1, NAN], [0.0, 0.0], [NAN, NAN]])
    states = states_of([decisions, -decisions])
    np.testing.assert_array_equal(states[0], [[0, 1, 1, 1, 0, 0], [0, -1, -1, -1, 0, 0]])
    np.testing.assert_array_equal(states[1], [[1, 1, -1, -1, 0, 0], [-1, -1, 1, 1, 0, 0]])
    assert states.dtype == np.int8
    assert states_of([np.full((3, 2), NAN)]).tolist() == [[[0, 0, 0]], [[0, 0, 0]]]


def test_what_cannot_be_swept_is_refused():
    panel = flat_market({"A": [1, 2, 3]})
    prices, states = total_return_prices(panel), np.zeros((1, 2, 3), dtype=np.int8)
    with pytest.raises(InputError, match=r"states: got \(1, 2, 2\); allowed: shape \(1, n_sets, 3\)"):
        sweep(prices, states[:, :, 1:], costs=NONE)
    with pytest.raises(InputError, match=r"states: got \[0, 2\]; allowed: -1, 0 and 1"):
        sweep(prices, states + np.int8([0, 1, 2]), costs=NONE)
    with pytest.raises(InputError, match=r"risk_free: got \(2,\); allowed: one value per date, 3"):
        sweep(prices, states, costs=NONE, risk_free=np.zeros(2))
    with pytest.raises(UnknownKeyError, match="Did you mean 'long_only'"):
        sweep(prices, states, costs=NONE, direction="longonly")
    with pytest.raises(InputError, match=r"impact_coefficient: got 0\.1; allowed: 0 in a sweep"):
        sweep(prices, states, costs=replace(NONE, impact_coefficient=0.1))
    with pytest.raises(InputError, match=r"participation_cap: got 0\.1; allowed: 0 in a sweep"):
        sweep(prices, states, costs=replace(NONE, participation_cap=0.1))
    with pytest.raises(InputError, match=r"pairs: got \[1, 20\]; allowed: windows from 2 to 100,000"):
        moving_average_crossings(panel.close, [(1, 20)])
