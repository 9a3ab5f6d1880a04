"""Markets that are not as one would like them: handled by the rules, or refused with what to do."""

from dataclasses import replace

import numpy as np
import pytest
from given_strategy import decide_as_given
from markets import flat_market, inputs_of, random_bars, random_market
from tolerances import EXACT, PARITY

from analytics.backtest import BacktestResult, BacktestSpec, Costs, Rules, each_alone, run_backtest
from analytics.backtest.terms import FREE, LONG_SHORT
from analytics.errors import MissingDataError
from analytics.market import Bars, Panel

NAN = np.nan
NO_COSTS = Costs(**FREE)
BOUGHT = BacktestSpec(
    strategy="buy_and_hold", initial_capital=1_000.0, costs=NO_COSTS, rules=Rules(cash_interest=False)
)


def run(panel: Panel, spec: BacktestSpec = BOUGHT, **changes) -> BacktestResult:
    return run_backtest(inputs_of(panel), replace(spec, **changes))


def ask(monkeypatch, panel: Panel, decisions, costs: Costs = NO_COSTS, **rules) -> BacktestResult:
    given = decide_as_given(monkeypatch, decisions)
    rules = Rules(**({"cash_interest": False, "max_position": 1.0, "direction": LONG_SHORT} | rules))
    return run(panel, replace(BOUGHT, strategy=given, costs=costs, rules=rules))


def column(result: BacktestResult, name: str) -> list:
    return result.trades[name].tolist()


# ---- when tickers are there -----------------------------------------------------------------------------------


def test_tickers_that_do_not_overlap_in_time_are_held_one_after_the_other():
    panel = flat_market({"A": [10, 10, 12] + [NAN] * 7, "B": [NAN] * 3 + [5] * 6 + [10]})
    result = run(panel)
    # A: 50 at 10 on day 1. B: on day 4 half of 1,100 would be 110 at 5, but 500 are in cash. A is settled at 12 on day 7.
    assert column(result, "ticker") == ["A", "B"]
    assert column(result, "reason") == ["delisted", "end of test"]
    assert column(result, "exit_date") == ["2024-01-08", "2024-01-10"]
    np.testing.assert_allclose(column(result, "quantity"), [50, 100], rtol=EXACT)
    np.testing.assert_allclose(result.equity, [1_000] * 2 + [1_100] * 7 + [1_600], rtol=EXACT)
    np.testing.assert_allclose(result.cash, [1_000, 500, 500, 500, 0, 0, 0, 600, 600, 600], atol=PARITY)
    assert result.audit["delisted"] == ["A"]
    assert result.audit["filled_at_close"] == result.audit["volume_unknown"] == []  # a settlement is no trade
    assert result.audit["price_dates"] == {"A": ["2024-01-01", "2024-01-03"], "B": ["2024-01-04", "2024-01-10"]}


def test_years_between_two_tickers_are_no_sessions():
    early, late = random_bars("A", n=400).rows(slice(0, 50)), random_bars("B", n=400, first=300)
    result = run(Panel.of([early, late]))
    assert len(result.dates) == 150  # nobody had a bar between: there is no session to settle anything in
    assert column(result, "exit_date")[0] == str(late.dates[4])
    assert column(result, "reason") == ["delisted", "end of test"]


def test_a_late_listing_is_bought_on_its_second_bar_and_has_its_share_of_the_account_then():
    panel = flat_market({"A": [10, 10, 20, 20, 20, 20], "B": [NAN, NAN, NAN, 4, 4, 8]})
    result = run(panel)
    assert column(result, "entry_date") == ["2024-01-02", "2024-01-05"]  # decided at its first close
    np.testing.assert_allclose(column(result, "quantity"), [50, 125], rtol=EXACT)  # half of 1,500, but 500 is the cash
    np.testing.assert_allclose(result.equity, [1_000, 1_000, 1_500, 1_500, 1_500, 2_000], rtol=EXACT)


def test_the_money_of_a_delisted_ticker_is_used_again(monkeypatch):
    panel = flat_market({"A": [10, 10, 30] + [NAN] * 8, "B": [20] * 11})
    decisions = np.full((11, 2), NAN)
    decisions[0, 0] = decisions[3, 1] = decisions[8, 1] = 0.5
    result = ask(monkeypatch, panel, decisions, replace(NO_COSTS, fee_rate=0.01))
    # A: 50 at 10, 5 USD; worth 1,500. B on day 4: half of 1,995 is wanted, the 495 in cash pay for 495 / 20.2 shares.
    # A is settled at 30, free, on day 7; on day 9 B comes to half of the account: 1,500 + the shares at 20
    shares = 495 / 20.2
    assert column(result, "reason") == ["delisted", "end of test"]
    assert column(result, "exit_date") == ["2024-01-08", "2024-01-11"]
    assert column(result, "fees")[0] == pytest.approx(5.0, rel=EXACT)
    assert column(result, "pnl")[0] == pytest.approx(995.0, rel=EXACT)
    assert column(result, "quantity")[1] == pytest.approx(0.5 * (1_500 + 20 * shares) / 20, rel=EXACT)
    assert result.cash[6] == pytest.approx(0.0, abs=PARITY)
    assert result.cash[7] == pytest.approx(1_500.0, rel=EXACT)


@pytest.mark.parametrize(("missing", "reasons"), [(4, ["end of test"]), (5, ["delisted"])])
def test_four_sessions_without_a_bar_are_a_suspension_and_five_a_delisting(missing, reasons):
    panel = flat_market({"A": [10, 10, 12] + [NAN] * missing + [15, 15], "B": [1] * (5 + missing)})
    result = run(panel)
    assert [
        reason
        for ticker, reason in zip(column(result, "ticker"), column(result, "reason"), strict=True)
        if ticker == "A"
    ] == reasons
    assert result.equity[-1] == pytest.approx(1_250 if missing == 4 else 1_100, rel=EXACT)


def test_a_delisted_ticker_that_comes_back_can_be_bought_again(monkeypatch):
    panel = flat_market({"A": [10, 10, 12] + [NAN] * 6 + [15, 15, 15], "B": [1] * 12})
    decisions = np.full((12, 2), NAN)
    decisions[[0, 9], 0] = 0.5
    result = ask(monkeypatch, panel, decisions)
    assert column(result, "entry_date") == ["2024-01-02", "2024-01-11"]
    assert column(result, "reason") == ["delisted", "end of test"]


def test_an_order_that_waits_ends_with_its_ticker_where_nothing_is_held_either(monkeypatch):
    panel = flat_market({"A": [10, 10, 10] + [NAN] * 6 + [10, 10], "B": [1] * 11})
    decisions = np.full((11, 2), NAN)
    decisions[0, 0], decisions[1, 0] = -0.1, 0.1  # 10 short; then 20 to buy at 10 a day: flat, and 10 to go
    result = ask(
        monkeypatch, replace(panel, volume=panel.volume * 100), decisions, replace(NO_COSTS, participation_cap=0.1)
    )
    assert column(result, "direction") == ["short"]
    assert result.gross_exposure[1:3] == pytest.approx([0.1, 0.0])
    assert result.gross_exposure[-1] == 0.0


@pytest.mark.parametrize("strategy", ["equal_weight", "momentum_12_1"])
def test_strategies_that_rebalance_use_the_money_of_what_was_delisted(strategy):
    bars = [random_bars(f"T{i}", n=700, seed=i) for i in range(3)]
    bars = [bars[0].rows(slice(0, 500)), bars[1].rows(slice(0, 400)), bars[2]]
    result = run(Panel.of(bars), strategy=strategy, rules=Rules(cash_interest=False, max_position=1.0))
    assert "delisted" in set(result.trades["reason"])
    assert (result.gross_exposure[540:] > 0.99).all()  # after the next month's end all of it is in the one that is left


def test_an_order_that_waits_for_volume_ends_with_its_ticker(monkeypatch):
    panel = flat_market({"A": [10, 10, 10, 10] + [NAN] * 6 + [10, 10, 10], "B": [1] * 13})
    panel = replace(panel, volume=panel.volume * 100)
    decisions = np.full((13, 2), NAN)
    decisions[1, 0] = 0.9  # 90 shares at 10 a day: nine days
    result = ask(monkeypatch, panel, decisions, replace(NO_COSTS, participation_cap=0.1))
    assert column(result, "quantity") == [20.0]
    assert column(result, "reason") == ["delisted"]
    assert result.gross_exposure[-1] == 0.0


def test_a_ticker_without_a_bar_in_the_window_keeps_its_share_in_cash():
    panel = Panel.of([random_bars("A", n=100), random_bars("Z", n=100, first=80)])
    result = run(panel, end=str(panel.dates[50]))
    assert set(result.trades["ticker"]) == {"A"}
    assert result.gross_exposure[1] == pytest.approx(0.5, abs=0.05)
    assert result.audit["price_dates"]["Z"] == [None, None]


def test_a_ticker_without_any_bar_is_left_out_and_unknown_on_its_own():
    none = random_bars("Z", n=100).rows(slice(0, 0))
    inputs = inputs_of(Panel.of([random_bars("A", n=100), none]))
    result = run_backtest(inputs, BOUGHT)
    assert set(result.trades["ticker"]) == {"A"}
    table = each_alone(inputs, BOUGHT).set_index("ticker")
    assert table.loc["Z"].isna().all()
    assert table.loc["A", "n_trades"] == 1


# ---- short histories and windows ------------------------------------------------------------------------------


def test_a_history_of_one_day_gives_an_account_of_one_session_without_a_trade():
    panel = flat_market({"A": [10.0]})
    result = run(panel)
    assert result.equity.tolist() == [1_000.0]
    assert (len(result.trades), result.audit["orders_pending"]) == (0, 1)
    assert result.orders["date"].isna().all()
    assert result.metrics["total_return"] == 0.0
    assert np.isnan(result.metrics["annual_volatility"])
    table = each_alone(inputs_of(panel), BOUGHT)
    assert table["total_return"].tolist() == [0.0]


@pytest.mark.parametrize(
    "strategy", ["buy_and_hold", "technical_vote", "equal_weight", "momentum_12_1", "mean_reversion"]
)
def test_every_strategy_runs_on_a_history_of_one_day(strategy):
    result = run(flat_market({"A": [10.0], "B": [20.0]}), strategy=strategy)
    assert result.equity.tolist() == [1_000.0]


def test_a_window_of_one_session_acts_on_the_close_before_it():
    panel = random_market(n=60, n_tickers=2)
    day = str(panel.dates[40])
    result = run(panel, start=day, end=day)
    assert [str(date) for date in result.dates] == [day]
    opened = panel.open[40] * panel.adj_close[40] / panel.close[40]
    np.testing.assert_allclose(result.equity, 500.0 * (panel.adj_close[40] / opened).sum(), rtol=PARITY)
    assert column(result, "entry_date") == column(result, "exit_date") == [day, day]


def test_a_window_of_the_first_session_alone_stays_in_cash():
    panel = random_market(n=60, n_tickers=1)
    result = run(panel, end=str(panel.dates[0]))
    assert (result.equity.tolist(), len(result.trades)) == ([1_000.0], 0)


@pytest.mark.parametrize("window", [{"start": "2024-01-04", "end": "2024-01-05"}, {"start": "2030-01-01"}])
def test_a_window_without_a_bar_says_where_there_are_prices(window):
    panel = flat_market({"A": [1, 1, 1, NAN, NAN, 1]})
    with pytest.raises(MissingDataError, match=r"No prices of A .*there are prices from 2024-01-01 to 2024-01-06"):
        run(panel, **window)


# ---- what a source does not know ------------------------------------------------------------------------------


def without(panel: Panel, *names: str, tickers: tuple[int, ...] = (0, 1, 2, 3)) -> Panel:
    unknown = {name: getattr(panel, name).copy() for name in names}
    for values in unknown.values():
        values[:, list(tickers)] = NAN
    return replace(panel, **unknown)


def test_where_volume_is_missing_the_flat_costs_are_charged_alone_and_it_says_so():
    panel = without(random_market(n=120), "volume", tickers=(1, 2))
    result = run(panel, costs=Costs(), initial_capital=1e7)
    trades = result.trades.groupby("ticker")["impact"].sum()
    assert result.audit["volume_unknown"] == ["T1", "T2"]
    assert trades[["T1", "T2"]].tolist() == [0.0, 0.0]
    assert trades[["T0", "T3"]].min() > 0
    one_day = result.trades.set_index("ticker")
    for ticker in ("T1", "T2"):  # bought whole at once, whatever its size
        trade = one_day.loc[ticker]
        assert trade["slippage"] == pytest.approx(
            trade["quantity"] * trade["entry_price"] * 0.0006 / 1.0006, rel=PARITY
        )


def test_a_volume_that_begins_to_be_known_counts_from_then_on(monkeypatch):
    panel = flat_market({"A": [10.0] * 8})
    panel = replace(panel, volume=np.array([NAN, NAN, 200.0, NAN, 400.0, 0.0, 100.0, 100.0])[:, None])
    decisions = np.array([0.2, NAN, 0.4, NAN, 0.6, NAN, NAN, NAN])[:, None]
    result = ask(monkeypatch, panel, decisions, replace(NO_COSTS, participation_cap=0.1))
    # day 1: no volume known, 20 shares at once. Day 3: 200 a day on average, 20 shares. Day 5: 300, the 20 to 60 at once.
    assert column(result, "quantity") == [60.0]
    np.testing.assert_allclose(result.turnover, [0, 0.2, 0, 0.2, 0, 0.2, 0, 0], atol=EXACT)
    assert result.audit["volume_unknown"] == ["A"]


def test_a_source_of_closes_alone_fills_and_stops_at_the_close(monkeypatch):
    bare = without(flat_market({"A": [10, 10, 9.5, 8, 12]}), "open", "high", "low", "volume", tickers=(0,))
    result = ask(
        monkeypatch, bare, [[0.5], [NAN], [NAN], [NAN], [NAN]], Costs(**FREE | {"slippage_rate": 0.01}), stop_loss=0.1
    )
    # 50 bought at 10.1; the level 9.09 is not reached at 9.5, and passed at the close of 8: sold at 7.92
    assert result.audit["filled_at_close"] == result.audit["volume_unknown"] == ["A"]
    assert column(result, "reason") == ["stop loss"]
    assert column(result, "exit_price") == [pytest.approx(7.92, rel=EXACT)]
    assert column(result, "exit_date") == ["2024-01-04"]


@pytest.mark.parametrize("strategy", ["technical_vote", "equal_weight", "momentum_12_1", "mean_reversion", "rating"])
def test_every_strategy_runs_on_closes_alone(strategy):
    bare = without(random_market(n=400), "open", "high", "low", "volume")
    result = run(bare, strategy=strategy, costs=Costs())
    assert np.isfinite(result.equity).all()
    assert result.audit["volume_unknown"] == result.audit["filled_at_close"]
    assert result.metrics["total_impact"] == 0.0


def test_the_open_alone_may_be_missing_now_and_then(monkeypatch):
    panel = flat_market({"A": [10, 10, 11, 12]}, opens={"A": [10, NAN, 9, NAN]})
    result = ask(monkeypatch, panel, [[0.5], [0.0], [NAN], [NAN]])
    assert (column(result, "entry_price"), column(result, "exit_price")) == ([10.0], [9.0])
    assert result.audit["filled_at_close"] == ["A"]


def test_a_volume_of_0_is_an_unknown_one(monkeypatch):
    panel = flat_market({"A": [10.0] * 4})
    panel = replace(panel, volume=np.zeros((4, 1)))
    result = ask(
        monkeypatch,
        panel,
        [[1.0], [NAN], [NAN], [NAN]],
        replace(NO_COSTS, participation_cap=0.1, impact_coefficient=0.5),
    )
    assert column(result, "quantity") == [100.0]
    assert column(result, "impact") == [0.0]
    assert result.audit["volume_unknown"] == ["A"]


def test_an_account_of_one_dollar_and_a_dear_share_trade_in_fractions():
    dates = np.datetime64("2024-01-01") + np.arange(4)
    close = np.full(4, 6e5)
    panel = Panel.of([Bars("A", dates, close, close, close, close, close, np.full(4, 10.0))])
    result = run(panel, initial_capital=1.0, costs=Costs())
    assert result.trades["quantity"][0] == pytest.approx(1 / 6e5, rel=0.01)
