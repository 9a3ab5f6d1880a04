"""Accounts whose end is known in closed form, and vectorbt's simulator on what it can do too."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_tables import both
from markets import random_bars, random_market
from tolerances import PARITY
from two_engines import FILL_COLUMNS, NO_COSTS, Question, ask, orders_for
from wild_strategies import N, wild_market, wild_question

from analytics.backtest import Costs
from analytics.backtest.terms import FREE, Rules
from analytics.market import Panel

BUY = 5  # the row on which everything is bought


@both
def test_buying_and_holding_one_ticker_free_of_costs_earns_its_total_return(engine):
    bars = random_bars("A", n=200, seed=4)
    panel = Panel.of([bars])
    answer = ask(engine, Question(panel, orders_for(panel, [(BUY, "A", 1.0)])))
    bought_at = bars.open[BUY] * bars.adj_close[BUY] / bars.close[BUY]
    closed_form = np.where(np.arange(200) < BUY, 1.0, bars.adj_close / bought_at) * 10_000.0
    np.testing.assert_allclose(answer.paths["equity"], closed_form, rtol=PARITY)
    # The total return of adj_close is the price's with every dividend reinvested where it goes ex.
    paid = bars.close[:-1] - bars.close[:-1] * (bars.adj_close / bars.close)[:-1] / (bars.adj_close / bars.close)[1:]
    reinvested = np.cumprod((bars.close / np.append(bars.close[0], bars.close[:-1] - paid))[BUY + 1 :])
    first_close = 10_000.0 * bars.close[BUY] / bars.open[BUY]
    np.testing.assert_allclose(answer.paths["equity"][BUY + 1 :], first_close * reinvested, rtol=PARITY)
    assert paid.max() > 0.1


@both
def test_an_account_all_in_cash_earns_the_risk_free_rate_or_nothing(engine):
    panel = random_market(n=120, seed=1)
    rates = np.where(np.arange(120) % 7 == 0, np.nan, np.linspace(-1e-4, 4e-4, 120))
    question = Question(panel, orders_for(panel, []), risk_free=rates, first=20)
    idle = ask(engine, question)
    np.testing.assert_array_equal(idle.paths["equity"], np.full(100, 10_000.0))
    earning = ask(engine, question, rules=Rules())
    np.testing.assert_allclose(
        earning.paths["equity"], 10_000.0 * np.cumprod(1.0 + np.nan_to_num(rates[20:])), rtol=PARITY
    )
    assert (len(earning.fills), len(earning.trades)) == (0, 0)


@both
def test_closing_what_was_never_opened_leaves_the_account_as_it_was(engine):
    panel = random_market(n=60, seed=2)
    due = [(row, ticker, 0.0) for row in range(20, 60, 3) for ticker in ("T0", "T3")]
    answer = ask(engine, Question(panel, orders_for(panel, due), costs=Costs(fixed_fee=5.0)))
    assert len(answer.fills) == 0
    np.testing.assert_array_equal(answer.paths["equity"], np.full(60, 10_000.0))


@both
def test_twice_the_fee_costs_twice_as_much(engine):
    panel = Panel.of([random_bars("A", n=80, seed=6)])
    orders = orders_for(panel, [(5, "A", 0.4), (60, "A", 0.0)])
    one, two = (
        ask(engine, Question(panel, orders, costs=replace(NO_COSTS, fee_rate=rate, fixed_fee=fixed)))
        for rate, fixed in ((0.002, 3.0), (0.004, 6.0))
    )
    free = ask(engine, Question(panel, orders))
    np.testing.assert_allclose(two.fills[:, 5], 2 * one.fills[:, 5], rtol=PARITY)
    lost, lost_twice = (free.paths["equity"] - answer.paths["equity"] for answer in (one, two))
    np.testing.assert_allclose(lost_twice, 2 * lost, rtol=PARITY, atol=PARITY * 10_000)
    assert lost[-1] > 6.0


@both
@pytest.mark.parametrize("term", [name for name in FREE if name != "participation_cap"])
def test_dearer_trading_never_pays(engine, term):
    panel = Panel.of([random_bars("A", n=120, seed=3)])
    due = [(row, "A", weight) for row, weight in zip(range(10, 110, 20), (0.4, -0.4, 0.2, -0.2, 0.0), strict=True)]
    ends = [
        ask(engine, Question(panel, orders_for(panel, due), costs=replace(NO_COSTS, **{term: scale * 0.01})))
        .paths["equity"][-1]
        for scale in (0.0, 0.1, 1.0, 10.0)
    ]  # fmt: skip
    assert sorted(ends, reverse=True) == ends
    assert ends[0] > ends[-1]


@both
@settings(max_examples=10, deadline=None)
@given(st.integers(100, 10_000))
def test_identities_of_any_account(engine, seed):
    question = wild_question(seed)
    answer = ask(engine, question)
    paths, fills = answer.paths, answer.fills
    np.testing.assert_allclose(np.abs(paths["net_exposure"]) <= np.abs(paths["gross_exposure"]) + PARITY, True)
    row, quantity, price, fee = (fills[:, i] for i in (0, 2, 3, 5))
    flow = np.zeros(N)
    np.add.at(flow, row.astype(int), -quantity * price - fee)
    flow = flow[question.first : question.last] + paths["interest"] - paths["borrow"]
    scale = np.abs(paths["cash"]).max()
    np.testing.assert_allclose(paths["cash"], question.initial_capital + np.cumsum(flow), atol=PARITY * scale)
    gained = paths["equity"][-1] - question.initial_capital - paths["interest"].sum()
    assert sum(trade["pnl"] for trade in answer.trades) == pytest.approx(gained, rel=PARITY, abs=1e-8 * scale)
    paid = np.abs(quantity * (price - fills[:, 4]))
    np.testing.assert_allclose(fills[:, 6:9].sum(axis=1), paid, rtol=PARITY, atol=PARITY * scale)


@both
@settings(max_examples=10, deadline=None)
@given(st.integers(100, 10_000), st.integers(60, 200))
def test_nothing_before_a_session_depends_on_it(engine, seed, row):
    question, panel = wild_question(seed), wild_market(seed)
    scale = np.where(np.arange(N) >= row, 3.0, 1.0)[:, None]
    names = ("open", "high", "low", "close", "adj_close", "volume")
    other = replace(panel, **{name: getattr(panel, name) * scale for name in names})
    one, two = ask(engine, question), ask(engine, question, panel=other)
    before = row - question.first
    np.testing.assert_array_equal(one.paths["equity"][:before], two.paths["equity"][:before])
    early = one.fills[:, 0] < row
    np.testing.assert_array_equal(one.fills[early], two.fills[two.fills[:, 0] < row])


@pytest.mark.parametrize(
    "costs",
    [{}, {"fee_rate": 0.001}, {"half_spread": 0.002}, {"fee_rate": 0.005, "slippage_rate": 0.003}],
)
@pytest.mark.parametrize(("seed", "often", "first"), [(1, 0.02, 0), (2, 0.2, 0), (3, 0.5, 57), (4, 0.05, 120)])
def test_it_equals_vectorbt_where_vectorbt_can_do_the_same(costs, seed, often, first):
    panel = random_market(n=250, n_tickers=5, seed=seed)
    rng = np.random.default_rng(seed)
    chosen = np.argwhere(panel.has_bar & (rng.random(panel.close.shape) < often))
    due = [(row, panel.tickers[column], rng.choice([0.0, 0.06, 0.14, 0.2])) for row, column in chosen if row >= first]
    question = Question(panel, orders_for(panel, due), costs=replace(NO_COSTS, **costs), first=first)
    mine, theirs = ask("simulation", question), ask("vectorbt", question)
    money = [FILL_COLUMNS.index(name) for name in ("row", "column", "quantity", "price", "quote", "fee")]
    np.testing.assert_allclose(theirs.fills[:, money], mine.fills[:, money], rtol=PARITY, atol=PARITY)
    for name in ("cash", "equity", "gross_exposure", "net_exposure"):
        np.testing.assert_allclose(theirs.paths[name], mine.paths[name], rtol=PARITY, atol=PARITY * 10_000)
    assert len(mine.fills) > 5
