"""Whole backtests: bounds, identities, what is said of a run, each ticker alone, and what is refused."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from given_strategy import decide_as_given
from hypothesis import given, settings
from hypothesis import strategies as st
from markets import flat_market, inputs_of, random_bars, random_market
from tolerances import EXACT, PARITY
from wild_strategies import wild_question

from analytics.backtest import BacktestResult, BacktestSpec, Costs, Rules, each_alone, run_backtest
from analytics.backtest.result import SESSION_COLUMNS
from analytics.backtest.strategies import STRATEGIES
from analytics.backtest.terms import FREE
from analytics.errors import InputError, MissingDataError
from analytics.market import Panel
from analytics.metrics import METRICS
from pipeline.schema import backtesting_equity

NO_COSTS = Costs(**FREE)
NO_INTEREST = Rules(cash_interest=False)
VOTES = STRATEGIES["technical_vote"].parameters[1].choices
EAGER = BacktestSpec(parameters={"threshold": 1, "votes": VOTES})


def run(panel: Panel, spec: BacktestSpec = EAGER, **changes) -> BacktestResult:
    return run_backtest(inputs_of(panel), replace(spec, **changes))


def assert_same_bytes(one: BacktestResult, other: BacktestResult) -> None:
    for name in ("dates", *SESSION_COLUMNS):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name
    assert one.trades.to_csv() == other.trades.to_csv()
    assert one.orders.to_csv() == other.orders.to_csv()
    assert repr(one.metrics) == repr(other.metrics)
    assert one.audit == other.audit


# ---- bounds and identities ------------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 500), st.sampled_from(["technical_vote", "buy_and_hold"]))
def test_bounds_and_identities_hold_on_any_market(seed, strategy):
    panel = random_market(n=160, seed=seed)
    spec = EAGER if strategy == "technical_vote" else BacktestSpec(strategy=strategy)
    result = run(panel, spec, initial_capital=50_000.0)
    assert len(result.dates) == len(result.equity) == len(panel.dates)
    assert ((result.gross_exposure >= 0) & (result.gross_exposure <= 1 + PARITY)).all()  # no leverage
    np.testing.assert_array_equal(result.gross_exposure, result.net_exposure)  # no short positions
    assert (result.equity > 0).all()
    assert (result.drawdown <= 0).all()
    assert result.metrics["max_drawdown"] == pytest.approx(result.drawdown.min(), rel=PARITY, abs=PARITY)
    gained = result.equity[-1] - 50_000.0
    earned = result.trades["pnl"].sum() + result.metrics["total_interest"]
    assert earned == pytest.approx(gained, rel=PARITY, abs=1e-4)
    assert result.metrics["total_return"] == pytest.approx(gained / 50_000.0, rel=PARITY, abs=PARITY)
    np.testing.assert_allclose(result.cash, result.equity * (1.0 - result.net_exposure), rtol=PARITY, atol=1e-4)
    assert set(result.metrics) == set(METRICS)
    assert result.metrics["n_trades"] == len(result.trades)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_identities_hold_on_irregular_markets_under_any_costs_and_rules(seed):
    """Late listings, gaps, delistings, unknown prices and volumes; shorts, caps, impact, stops, halts and ruin."""
    question = wild_question(seed)
    spec = replace(EAGER, costs=question.costs, rules=question.rules, start=str(question.panel.dates[30]))
    result = run_backtest(replace(inputs_of(question.panel), risk_free=question.risk_free), spec)
    metrics, trades, gained = result.metrics, result.trades, result.equity[-1] - 100_000.0
    assert trades["pnl"].sum() + metrics["total_interest"] == pytest.approx(gained, rel=PARITY, abs=1e-4)
    parts = metrics["total_fees"] + metrics["total_slippage"] + metrics["total_borrow"]
    assert metrics["total_costs"] == pytest.approx(parts, rel=PARITY, abs=1e-6)
    assert np.isfinite(result.equity).all()
    alive = result.equity > 0
    assert (result.turnover[alive] >= 0).all()
    assert (np.abs(result.net_exposure) <= result.gross_exposure + PARITY)[alive].all()
    assert (result.drawdown <= 0).all()
    assert (trades["entry_date"] <= trades["exit_date"]).all()
    assert json.loads(json.dumps(result.audit)) == result.audit


@pytest.mark.parametrize("term", ["fee_rate", "half_spread", "slippage_rate", "impact_coefficient"])
def test_dearer_trading_never_pays(term):
    panel = Panel.of([random_bars("A", n=400, seed=3)])
    ends = [run(panel, costs=replace(NO_COSTS, **{term: x})).equity[-1] for x in (0, 1e-4, 1e-3, 1e-2)]
    assert sorted(ends, reverse=True) == ends
    assert ends[0] > ends[-1] + 100


def test_capital_scales_money_and_leaves_returns():
    """Where costs are proportional: impact and the participation cap do depend on the size of an order."""
    panel, costs = random_market(), replace(NO_COSTS, fee_rate=0.001, half_spread=0.0002, slippage_rate=0.0005)
    small, large = (run(panel, costs=costs, initial_capital=capital) for capital in (1_000.0, 1e9))
    np.testing.assert_allclose(large.equity, 1e6 * small.equity, rtol=PARITY)
    for key, metric in METRICS.items():
        scale = 1e6 if metric.unit == "usd" else 1.0
        expected = pytest.approx(
            scale * small.metrics[key], rel=1e-7, abs=PARITY, nan_ok=True
        )  # ratios of small numbers
        assert large.metrics[key] == expected, key


def test_a_larger_account_pays_more_impact_and_trades_longer():
    panel = Panel.of([random_bars("A", n=100, seed=1)])
    small, large = (run(panel, BacktestSpec(strategy="buy_and_hold"), initial_capital=c) for c in (1e3, 1e8))
    assert large.metrics["total_impact"] / 1e8 > 10 * small.metrics["total_impact"] / 1e3
    assert (small.turnover > 0).sum() == 1
    assert (large.turnover > 0).sum() > 10  # a tenth of the day's trading at a time


def test_the_rules_bound_what_is_ordered(monkeypatch):
    panel = random_market(n=60, n_tickers=10)
    weights = np.full(panel.close.shape, np.nan)
    weights[20, 0], weights[20, 4] = 0.6, -0.4
    given = decide_as_given(monkeypatch, weights)

    def ordered(**rules) -> list[float]:
        orders = run(panel, BacktestSpec(strategy=given, rules=Rules(**rules))).orders
        return orders["target_weight"].tolist()

    assert ordered() == [0.2]  # long only, and a fifth of the account where there are more than five tickers
    assert ordered(direction="long_short") == [0.2, -0.2]
    assert ordered(direction="long_short", max_position=0.5) == [0.5, -0.4]
    assert ordered(max_position=1.0) == [0.6]


def test_of_few_tickers_each_may_have_an_equal_share(monkeypatch):
    panel = random_market(n=60, n_tickers=2)
    weights = np.full(panel.close.shape, np.nan)
    weights[20] = [0.9, 0.1]
    orders = run(panel, BacktestSpec(strategy=decide_as_given(monkeypatch, weights))).orders
    assert orders["target_weight"].tolist() == [0.5, 0.1]


def test_the_order_of_the_tickers_does_not_change_a_byte():
    panel = random_market(seed=2)
    bars = [panel.bars(ticker) for ticker in panel.tickers]
    assert_same_bytes(run(Panel.of(bars)), run(Panel.of(bars[::-1])))


def test_two_runs_give_the_same_bytes():
    assert_same_bytes(run(random_market(seed=4)), run(random_market(seed=4)))


def test_prices_after_the_end_and_outside_the_window_change_nothing():
    panel = random_market(n=300)
    whole = run(panel, start=str(panel.dates[100]), end=str(panel.dates[199]))
    cut = Panel.of([panel.bars(ticker).rows(panel.bars(ticker).dates <= panel.dates[199]) for ticker in panel.tickers])
    assert_same_bytes(whole, run(cut, start=str(panel.dates[100])))
    assert (whole.dates[0], whole.dates[-1]) == (panel.dates[100], panel.dates[199])


def test_start_and_end_are_clipped_to_the_data():
    panel = random_market(n=120)
    assert_same_bytes(run(panel), run(panel, start="1999-01-01", end="2099-01-01"))


def test_a_signal_of_the_last_close_before_the_start_is_acted_on_at_the_first_open():
    panel = Panel.of([random_bars("A", n=400, seed=8)])
    whole = run(panel)
    first_buy = whole.orders.iloc[0]
    late = run(panel, start=first_buy["date"])
    assert late.orders.iloc[0].to_dict() == first_buy.to_dict()
    assert late.orders.iloc[0]["decided"] < str(late.dates[0]) == late.orders.iloc[0]["date"]
    assert late.trades.iloc[0]["entry_date"] == str(late.dates[0])


def test_the_audit_says_how_the_answer_was_made():
    panel = random_market(seed=1)
    audit = run(panel, start=str(panel.dates[100])).audit
    assert audit["engine"].startswith("Plumbline kernel, numba ")
    assert audit["price_basis"] == "total return: open, high, low and close × adj_close / close"
    assert (audit["cash_interest"], audit["position_limit"]) == ("risk-free rate", 0.25)
    assert (audit["sessions"], audit["history_sessions"]) == (len(panel.dates) - 100, 100)
    assert audit["filled_at_close"] == ["T3"]  # the ticker without opens now and then
    assert audit["price_dates"]["T1"] == [str(panel.bars("T1").dates[0]), str(panel.dates[-1])]
    assert audit["orders"] > audit["orders_pending"] + audit["orders_unfilled"]
    assert audit["volume_unknown"] == audit["delisted"] == []
    assert audit["halted_on"] is audit["liquidated_on"] is None
    assert json.loads(json.dumps(audit)) == audit  # plain values only
    assert run(panel, rules=NO_INTEREST).audit["cash_interest"] == "none"


def test_the_audit_counts_the_sessions_whose_risk_free_rate_is_carried_or_unknown():
    panel = random_market(n=90)
    day = np.arange(90)
    inputs = replace(inputs_of(panel), risk_free=np.where(day < 33, np.nan, 0.0001), carried=day >= 70)
    audit = run_backtest(inputs, replace(EAGER, start=str(panel.dates[20]), end=str(panel.dates[79]))).audit
    assert (audit["risk_free_unknown_sessions"], audit["risk_free_carried_sessions"]) == (13, 10)


def test_every_trade_begins_with_an_order_and_the_strategy_says_why():
    panel = random_market(n=200, seed=1)
    result = run(panel)
    assert result.orders["side"].isin(["buy", "sell"]).all()
    assert (result.orders["decided"] < result.orders["date"].fillna("9999")).all()
    assert result.trades["entry_reason"].str.len().min() > 3
    bought = result.orders[result.orders["side"] == "buy"]
    entries = set(zip(result.trades["ticker"], result.trades["entry_date"], strict=True))
    assert entries <= set(zip(bought["ticker"], bought["date"], strict=True))


def test_a_reversal_that_the_volume_spreads_over_days_has_its_reason():
    """Long from day 3, sold from day 6 on a dollar at a time: the short opens on a day without an order of its own."""
    closes = [10.0, 9.0, 8.0, 7.0, 8.0, 9.0, 10.0] + [10.0] * 12
    spec = BacktestSpec(
        parameters={"threshold": 1, "votes": ("rsi",), "indicator_parameters": "rsi.window=2"}, initial_capital=10.0,
        costs=replace(NO_COSTS, participation_cap=0.1), rules=replace(NO_INTEREST, direction="long_short"),
    )  # fmt: skip
    result = run(flat_market({"A": closes}), spec)
    trades = result.trades
    assert trades["direction"].tolist() == ["long", "short"]
    assert trades["entry_date"][1] not in set(result.orders["date"])
    assert trades["entry_reason"].tolist() == ["1 of 1 votes to buy: RSI", "1 of 1 votes to sell: RSI"]


RULES_OF_THE_RUN = [
    {"stop_loss": 0.03}, {"take_profit": 0.03}, {"trailing_stop": 0.03}, {"drawdown_halt": 0.03}, {"max_position": 0.05},
    {"target_volatility": 0.05}, {"max_value_at_risk": 0.005}, {"kelly_fraction": 0.1},
]  # fmt: skip


@pytest.mark.parametrize("rules", RULES_OF_THE_RUN, ids=lambda rules: next(iter(rules)))
def test_the_benchmark_is_held_whatever_the_rules_of_the_run(rules):
    """Bought once and kept, with the costs and the interest of the run, and with none of its rules."""
    panel = random_market(n=400, seed=2)
    held = BacktestSpec(strategy="buy_and_hold", start=str(panel.dates[300]))
    plain, ruled = run(panel, held), run(panel, held, rules=Rules(**rules))
    np.testing.assert_array_equal(plain.benchmark, plain.equity)
    np.testing.assert_array_equal(ruled.benchmark, plain.benchmark)
    assert not np.array_equal(ruled.equity, plain.equity)  # the rule does change the run
    alone = each_alone(inputs_of(panel), replace(held, rules=Rules(**rules)))["buy_and_hold_return"]
    np.testing.assert_array_equal(alone, each_alone(inputs_of(panel), held)["buy_and_hold_return"])


def test_the_benchmark_pays_the_costs_and_earns_the_interest_of_the_run():
    panel = random_market(n=200, seed=2)
    ends = [
        run(panel, costs=costs, rules=rules).benchmark[-1]
        for costs, rules in ((Costs(), Rules()), (NO_COSTS, Rules()), (Costs(), NO_INTEREST))
    ]
    assert ends[1] > ends[0] > ends[2]  # the second ticker is listed late: until then a quarter is cash


def test_progress_is_told_in_rising_steps():
    told = []
    run_backtest(inputs_of(random_market(n=60)), EAGER, report=lambda *step: told.append(step))
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert all(0 < fraction < 1 for fraction in fractions)
    assert "4 tickers" in told[0][1]


def test_an_unknown_risk_free_rate_leaves_the_sharpe_ratio_unknown_and_cash_idle():
    panel = random_market(n=120)
    result = run_backtest(inputs_of(panel, rate=np.nan), EAGER)
    assert math.isnan(result.metrics["sharpe_ratio"])
    assert math.isfinite(result.metrics["annual_volatility"])
    np.testing.assert_array_equal(result.equity, run(panel, rules=NO_INTEREST).equity)


# ---- each ticker on its own -----------------------------------------------------------------------------------


def test_each_ticker_alone_is_a_backtest_of_that_ticker():
    panel = random_market(n=250, seed=3)
    spec = replace(EAGER, start=str(panel.dates[40]))
    table = each_alone(inputs_of(panel), spec).set_index("ticker")
    assert tuple(table.index) == panel.tickers
    for ticker in panel.tickers:
        own = run(Panel.of([panel.bars(ticker)]), spec)
        for key in table.columns.drop("buy_and_hold_return"):
            assert table.loc[ticker, key] == pytest.approx(own.metrics[key], rel=EXACT, nan_ok=True), key
        assert table.loc[ticker, "buy_and_hold_return"] == own.benchmark[-1] / 100_000.0 - 1.0
    assert table["n_trades"].min() > 0


def test_a_ticker_that_cannot_be_run_alone_is_unknown_not_0():
    late = Panel.of([random_bars("A", n=100), random_bars("Z", n=100, first=80)])
    table = each_alone(inputs_of(late), BacktestSpec(strategy="buy_and_hold", end=str(late.dates[50]))).set_index(
        "ticker"
    )
    assert table.loc["Z"].isna().all()
    assert table.loc["A"].notna().sum() >= 6


# ---- what is refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "window", [{"start": "2030-01-01"}, {"end": "1999-12-31"}, {"start": "2015-01-03", "end": "2015-01-04"}]
)
def test_a_window_without_a_bar_says_where_there_are_prices(window):
    panel = random_market(n=60)
    with pytest.raises(MissingDataError, match=f"No prices of T0, T1.*prices from 2015-01-01 to {panel.dates[-1]}"):
        run(panel, **window)


def test_a_price_that_is_not_above_0_is_refused():
    with pytest.raises(InputError, match=r"open: got -1\.0; allowed: prices above 0"):
        run(flat_market({"A": [1, 2, 3]}, opens={"A": [1, -1, 3]}), BacktestSpec(strategy="buy_and_hold"))


def test_a_risk_free_rate_of_another_length_is_refused():
    inputs = replace(inputs_of(random_market(n=60)), risk_free=np.zeros(50))
    with pytest.raises(InputError, match="risk_free: got 50; allowed: one value per date, 60"):
        run_backtest(inputs, EAGER)


def test_the_equity_frame_has_the_columns_of_the_store():
    panel = random_market(n=60)
    frame = run(panel).equity_frame()
    assert tuple(frame.columns) == tuple(backtesting_equity.columns.keys())[1:]  # after the result_id
    assert frame["date"].tolist() == [str(date) for date in panel.dates]
    assert frame["equity"].iloc[0] == pytest.approx(100_010.0, rel=EXACT)  # the first night's interest
