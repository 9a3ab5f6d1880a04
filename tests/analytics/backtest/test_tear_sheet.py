import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markets import flat_market, inputs_of, random_market
from scipy.stats import norm
from tolerances import EXACT, PARITY, ROUNDED_SOURCE

from analytics.backtest import BacktestSpec, Costs, run_backtest
from analytics.backtest.crises import COLUMNS, CRISES, Crisis, crisis_table
from analytics.backtest.tear_sheet import (
    CURVE,
    DRAWDOWN_COLUMNS,
    MAX_BINS,
    NOT_SOLD,
    Record,
    contributions,
    cost_items,
    distribution,
    period_returns,
    period_turnover,
    rolling_statistics,
    worst_drawdowns,
)
from analytics.market import Panel
from analytics.metrics import METRICS, Performance, Trades
from pipeline.queries import connect
from pipeline.queries import prices as price_queries

COST_OF_PRICE = 1e-3  # relative: slippage is a rate of the quote, what was traded is counted at prices that hold it
CAPITAL = 100_000.0
RISK_FREE = 0.0001


def account(returns: Any, benchmark: Any = None, *, start: str = "2019-12-30", **columns: Any) -> pd.DataFrame:
    """Weekday sessions of an account that earned these returns."""
    returns = np.asarray(returns, dtype=float)
    beside = np.zeros(len(returns)) if benchmark is None else np.asarray(benchmark, dtype=float)
    dates = np.busday_offset(start, np.arange(len(returns)), roll="forward").astype(str).astype(object)
    return pd.DataFrame({
        "date": dates, "equity": CAPITAL * np.cumprod(1 + returns), "benchmark": CAPITAL * np.cumprod(1 + beside),
        "risk_free": np.full(len(returns), RISK_FREE), **columns,
    })  # fmt: skip


def record(returns: Any, benchmark: Any = None, **options: Any) -> Record:
    return Record.of(account(returns, benchmark, **options), CAPITAL)


def random_record(n: int = 600, *, seed: int = 3) -> Record:
    rng = np.random.default_rng(seed)
    market = 0.0004 + 0.01 * rng.standard_t(4, n)
    return record(0.8 * market + 0.006 * rng.standard_normal(n), market)


def performance(of: Record, rows: slice = slice(None)) -> Performance:
    return Performance(
        of.dates[rows], of.returns[rows], benchmark_returns=of.benchmark_returns[rows],
        risk_free_returns=of.risk_free_returns[rows],
    )  # fmt: skip


# ---- the record ---------------------------------------------------------------------------------------------


def test_returns_begin_with_the_initial_capital() -> None:
    of = Record.of(
        pd.DataFrame({"date": ["2020-01-02", "2020-01-03"], "equity": [110.0, 99.0], "benchmark": [90.0, 99.0]}), 100.0
    )
    np.testing.assert_allclose(of.returns, [0.1, -0.1], rtol=EXACT)
    np.testing.assert_allclose(of.benchmark_returns, [-0.1, 0.1], rtol=EXACT)
    assert np.isnan(of.risk_free_returns).all()  # an account of an earlier version knows none
    assert of.gain == pytest.approx(-1.0)


def test_after_everything_was_lost_no_return_is_known() -> None:
    rows = pd.DataFrame(
        {"date": ["2020-01-02", "2020-01-03", "2020-01-06"], "equity": [50.0, 0.0, 0.0], "benchmark": [1.0] * 3}
    )
    np.testing.assert_array_equal(Record.of(rows, 100.0).returns, [-0.5, -1.0, np.nan])


@pytest.mark.parametrize("empty", [account([]), account([]).astype(object)])
def test_an_account_without_a_session_has_empty_tables(empty: pd.DataFrame) -> None:
    of = Record.of(empty, CAPITAL)
    assert math.isnan(of.gain)
    tables = (
        rolling_statistics(of),
        period_returns(of, "M"),
        worst_drawdowns(of),
        crisis_table(of),
        period_turnover(empty, "M"),
    )
    assert [len(table) for table in tables] == [0] * 5
    assert distribution(of.returns).counts.sum() == 0


# ---- rolling ------------------------------------------------------------------------------------------------


def test_rolling_statistics_are_those_of_pandas() -> None:
    of = random_record()
    found = rolling_statistics(of, window=100)
    excess, against = (pd.Series(values - RISK_FREE).rolling(100) for values in (of.returns, of.benchmark_returns))
    expected = {
        "sharpe_ratio": excess.mean() / excess.std() * math.sqrt(252),
        "beta": excess.cov(pd.Series(of.benchmark_returns - RISK_FREE)) / against.var(),
        "annual_volatility": pd.Series(of.returns).rolling(100).std() * math.sqrt(252),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values.dropna(), rtol=PARITY, atol=PARITY, err_msg=name)
    assert found["date"].to_numpy().astype("datetime64[D]").tolist() == of.dates[99:].tolist()


@pytest.mark.parametrize("name", ["sharpe_ratio", "beta", "annual_volatility"])
def test_each_window_is_the_metric_of_that_name(name: str) -> None:
    of = random_record()
    found = rolling_statistics(of)[name]
    for row in (0, 100, len(found) - 1):
        expected = METRICS[name].func(performance(of, slice(row, row + 252)))
        assert found[row] == pytest.approx(expected, rel=PARITY)


def test_what_is_not_known_of_a_window_is_not_shown() -> None:
    rows = account(np.tile([0.01, -0.005], 20), np.tile([0.02, -0.01], 20))
    rows.loc[10, "risk_free"] = np.nan
    found = rolling_statistics(Record.of(rows, CAPITAL), window=5)
    unknown = np.isnan(found["sharpe_ratio"].to_numpy())
    assert np.flatnonzero(unknown).tolist() == [6, 7, 8, 9, 10]
    assert np.isfinite(found["annual_volatility"]).all()
    flat = rolling_statistics(record(np.zeros(10)), window=5)
    assert flat["annual_volatility"].tolist() == [0.0] * 6
    assert flat[["sharpe_ratio", "beta"]].isna().all(axis=None)


# ---- months, years, turnover ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("unit", "rule"), [("M", "MS"), ("Y", "YS")])
def test_period_returns_are_those_of_pandas(unit: str, rule: str) -> None:
    of = random_record()
    found = period_returns(of, unit)
    for name, returns in (("strategy", of.returns), ("benchmark", of.benchmark_returns)):
        expected = (1 + pd.Series(returns, pd.DatetimeIndex(of.dates))).resample(rule).prod() - 1
        np.testing.assert_allclose(found[name], expected, rtol=PARITY)
        assert pd.DatetimeIndex(found["period"]).equals(
            pd.DatetimeIndex(expected.index).as_unit(pd.DatetimeIndex(found["period"]).unit)
        )
    total = np.prod(1 + found["strategy"]) - 1
    assert total == pytest.approx(METRICS["total_return"].func(performance(of)), rel=PARITY)


def test_turnover_of_the_months_adds_up_to_the_metric() -> None:
    turnover = np.random.default_rng(1).uniform(0, 0.1, 300)
    rows = account(np.zeros(300), turnover=turnover)
    found = period_turnover(rows, "M")
    assert found["turnover"].iloc[0] == pytest.approx(turnover[:2].sum() / 2)  # the last two sessions of 2019
    of = Record.of(rows, CAPITAL)
    yearly = METRICS["annual_turnover"].func(Performance(of.dates, of.returns, turnover=turnover))
    assert found["turnover"].sum() * 252 / 300 == pytest.approx(yearly, rel=PARITY)
    assert period_turnover(rows.drop(columns="turnover"), "M")["turnover"].isna().all()


# ---- distribution -----------------------------------------------------------------------------------------------


def test_a_distribution_counts_every_return_and_has_the_normal_of_scipy() -> None:
    returns = random_record(2_000).returns
    found = distribution(np.append(returns, np.nan))
    width = np.diff(found.edges)[0]
    np.testing.assert_array_equal(found.counts, [
        ((returns >= low) & ((returns < high) | (high == found.edges[-1]) & (returns <= high))).sum()
        for low, high in zip(found.edges, found.edges[1:], strict=False)
    ])  # fmt: skip
    expected = 2_000 * width * norm.pdf(found.at, returns.mean(), returns.std(ddof=1))
    np.testing.assert_allclose(found.normal, expected, rtol=PARITY)
    assert 10 < len(found.counts) <= MAX_BINS
    assert (found.at[0], found.at[-1]) == (found.edges[0], found.edges[-1])


def test_the_normal_curve_of_few_returns_is_as_smooth_as_that_of_many() -> None:
    few = distribution(np.array([-0.02, 0.01, 0.03]))
    assert len(few.counts) < 5
    assert len(few.normal) == len(distribution(random_record(2_000).returns).normal) == CURVE


@pytest.mark.parametrize("returns", [[], [0.01], [0.0] * 50])
def test_returns_that_do_not_vary_have_no_normal_distribution(returns: list[float]) -> None:
    found = distribution(np.array(returns))
    assert found.counts.sum() == len(returns)
    assert np.isnan(found.normal).all()


# ---- drawdowns ----------------------------------------------------------------------------------------------------


def test_drawdowns_by_hand() -> None:
    rows = pd.DataFrame({
        "date": ["2020-01-06", "2020-01-07", "2020-01-08", "2020-01-09", "2020-01-10", "2020-01-13", "2020-01-14"],
        "equity": [95.0, 100.0, 120.0, 90.0, 108.0, 120.0, 114.0], "benchmark": [100.0] * 7,
    })  # fmt: skip
    found = worst_drawdowns(Record.of(rows, 100.0))
    expected = [
        (1, "2020-01-08", "2020-01-09", "2020-01-13", -0.25, 1, 5),
        (2, "2020-01-06", "2020-01-06", "2020-01-07", -0.05, 0, 1),  # below the capital at once
        (3, "2020-01-13", "2020-01-14", None, -0.05, 1, 1),  # not regained
    ]
    pd.testing.assert_frame_equal(found, pd.DataFrame(expected, columns=list(DRAWDOWN_COLUMNS)), check_dtype=False)


@given(
    st.lists(st.floats(-0.2, 0.2), min_size=1, max_size=120),
    st.floats(0.01, 100.0),
)
@settings(max_examples=60, deadline=None)
def test_the_deepest_and_the_longest_are_the_metrics(returns: list[float], scale: float) -> None:
    of = record(returns)
    found = worst_drawdowns(of, most=1_000)
    deepest = found["depth"].min() if len(found) else 0.0
    assert deepest == pytest.approx(METRICS["max_drawdown"].func(performance(of)), abs=PARITY)
    assert (np.diff(found["depth"]) >= 0).all()
    assert ((found["depth"] < 0) & (found["depth"] > -1)).all()
    rows = account(returns)
    scaled = Record.of(rows.assign(equity=rows["equity"] * scale), CAPITAL * scale)
    np.testing.assert_allclose(worst_drawdowns(scaled, most=1_000)["depth"].sum(), found["depth"].sum(), atol=1e-6)


def by_walking(of: Record) -> list[tuple[str, str, str | None, float]]:
    """(start, trough, recovery, depth) of every fall, found by one walk along the account."""
    falls: list[tuple[str, str, str | None, float]] = []
    peak, peak_date, low, low_date = of.initial_capital, str(of.dates[0]), math.inf, ""
    for date, value in zip(of.dates.astype(str), of.equity, strict=True):
        if value >= peak:
            if low < peak:
                falls.append((peak_date, low_date, str(date), low / peak - 1))
            peak, peak_date, low = value, str(date), math.inf
        elif value < low:
            low, low_date = value, str(date)
    return falls + ([(peak_date, low_date, None, low / peak - 1)] if low < peak else [])


def test_drawdowns_are_those_of_a_walk_along_the_account() -> None:
    for seed in range(20):
        of = random_record(400, seed=seed)
        found = worst_drawdowns(of, most=1_000)
        expected = sorted(by_walking(of), key=lambda fall: fall[3])
        for name, values in zip(("start", "trough", "recovery"), list(zip(*expected, strict=True))[:3], strict=True):
            assert [None if pd.isna(value) else value for value in found[name]] == list(values), name
        np.testing.assert_allclose(found["depth"], [fall[3] for fall in expected], rtol=EXACT)
        assert found["days"].max() == METRICS["max_drawdown_days"].func(performance(of))
        assert worst_drawdowns(of, most=1)["depth"].tolist() == found["depth"].head(1).tolist()


# ---- trades ---------------------------------------------------------------------------------------------------------


def trades() -> pd.DataFrame:
    return pd.DataFrame({
        "ticker": ["B", "A", "B"], "pnl": [100.0, -40.0, 25.0], "fees": [1.0, 2.0, 3.0], "slippage": [6.0, 7.0, 8.0],
        "spread": [1.0, 1.0, 1.0], "impact": [2.0, 0.0, 1.0], "borrow": [0.0, 0.5, 0.0], "quantity": [10.0, 5.0, 10.0],
        "entry_price": [10.0, 20.0, 10.0], "exit_price": [20.0, 10.0, 15.0], "reason": ["signal", "stop loss", "signal"],
    })  # fmt: skip


def test_contributions_add_up_to_what_the_trades_earned() -> None:
    found = contributions(trades(), 1_000.0)
    assert found["ticker"].tolist() == ["B", "A"]
    assert found["pnl"].tolist() == [125.0, -40.0]
    assert found["contribution"].tolist() == [0.125, -0.04]
    assert found["n_trades"].tolist() == [2, 1]
    assert found[["fees", "slippage", "borrow"]].to_numpy().tolist() == [[4.0, 14.0, 0.0], [2.0, 7.0, 0.5]]
    assert len(contributions(trades().iloc[:0], 1_000.0)) == 0


def test_costs_are_told_apart_and_add_up() -> None:
    gained = record([0.001])  # 100 USD, of which 85 by trading
    found = cost_items(trades(), gained).set_index("item")
    assert found["usd"].round(9).to_dict() == {
        "Commission": 6.0, "Half-spread": 3.0, "Slippage": 15.0, "Market impact": 3.0, "Borrow fee": 0.5,
        "Total costs": 27.5, "Interest earned": 15.0,
    }  # fmt: skip
    parts = found["usd"].drop(["Total costs", "Interest earned"]).sum()
    assert parts == found["usd"]["Total costs"]
    traded = 10 * 30 + 5 * 30 + 10 * 25
    assert found["of_traded"]["Total costs"] == pytest.approx(27.5 / traded)
    assert found["of_capital"]["Commission"] == pytest.approx(6.0 / CAPITAL)
    assert math.isnan(found["of_traded"]["Interest earned"])


@pytest.mark.parametrize("reason", NOT_SOLD)
def test_a_position_that_was_only_valued_was_not_sold(reason: str) -> None:
    rate = 0.0005
    held = trades().assign(reason=["signal", "signal", reason])
    bought = held["quantity"] * held["entry_price"]
    sold = (held["quantity"] * held["exit_price"]).where(held["reason"] != reason, 0.0)
    held = held.assign(fees=rate * (bought + sold))
    found = cost_items(held, record([0.001])).set_index("item")
    assert found["of_traded"]["Commission"] == pytest.approx(rate, rel=EXACT)


def costs_of_traded(panel: Panel, spec: BacktestSpec) -> tuple[pd.Series, set[str]]:
    """The costs of a run over what was traded, and the reasons of its exits."""
    ran = run_backtest(inputs_of(panel), spec)
    account = pd.DataFrame({
        "date": ran.dates.astype(str), "equity": ran.equity, "benchmark": ran.benchmark, "turnover": ran.turnover,
    })  # fmt: skip
    found = cost_items(ran.trades, Record.of(account, spec.initial_capital)).set_index("item")["of_traded"]
    return found, set(ran.trades["reason"])


@pytest.mark.parametrize(("strategy", "parameters"), [("buy_and_hold", {}), ("equal_weight", {"rebalance": "monthly"})])
def test_the_rate_of_what_was_traded_is_the_rate_charged(strategy: str, parameters: dict[str, Any]) -> None:
    costs = Costs(fee_rate=0.0005, impact_coefficient=0.0)
    panel = random_market(n=300, n_tickers=3, seed=1)
    found, reasons = costs_of_traded(panel, BacktestSpec(strategy, parameters, costs=costs))
    assert "end of test" in reasons
    assert found["Commission"] == pytest.approx(costs.fee_rate, rel=PARITY)
    assert found["Slippage"] == pytest.approx(costs.slippage_rate, rel=COST_OF_PRICE)


def test_what_a_delisting_settles_was_not_traded() -> None:
    panel = flat_market({"A": [10.0] * 5 + [math.nan] * 10, "B": [20.0] * 15})
    found, reasons = costs_of_traded(panel, BacktestSpec("buy_and_hold", costs=Costs(fee_rate=0.0005)))
    assert "delisted" in reasons
    assert found["Commission"] == pytest.approx(0.0005, rel=PARITY)


def test_costs_are_the_metrics_of_these_names() -> None:
    columns = {name: trades()[name].to_numpy() for name in ("pnl", "fees", "slippage", "spread", "impact", "borrow")}
    of = Performance(
        np.array(["2020-01-02"], "datetime64[D]"), np.array([0.001]),
        trades=Trades(**columns, return_pct=np.zeros(3), days=np.zeros(3)),
    )  # fmt: skip
    usd = cost_items(trades(), record([0.001])).set_index("item")["usd"]
    for item, key in (("Commission", "total_fees"), ("Half-spread", "total_spread"), ("Market impact", "total_impact"),
                      ("Borrow fee", "total_borrow"), ("Total costs", "total_costs")):  # fmt: skip
        assert usd[item] == pytest.approx(METRICS[key].func(of), rel=EXACT), key


def test_what_an_earlier_version_did_not_tell_apart_is_unknown() -> None:
    old = trades().drop(columns=["spread", "impact"]).assign(borrow=None)
    found = cost_items(old, record([0.001])).set_index("item")["usd"]
    assert found[["Half-spread", "Market impact", "Borrow fee"]].isna().all()
    assert found["Slippage"] == 21.0
    assert found["Total costs"] == 27.0
    assert cost_items(trades().iloc[:0], record([0.0]))["usd"].tolist() == [0.0] * 7


# ---- crises ---------------------------------------------------------------------------------------------------------

PUBLISHED = {  # falls of the S&P 500 between its closing high and low, percent, S&P Dow Jones Indices
    "gulf_1990": -19.9, "asia_1997": -10.8, "ltcm_1998": -19.3, "dot_com": -49.1, "financial_crisis": -56.8,
    "flash_crash_2010": -16.0, "euro_2011": -19.4, "china_2015": -14.2, "rates_2018": -19.8, "covid_2020": -33.9,
    "inflation_2022": -25.4,
}  # fmt: skip


def test_the_crises_are_the_falls_that_the_index_had(sample: Any) -> None:
    with connect(sample.db) as reader:
        index = price_queries.bars(reader, "^GSPC")
    of = Record.of(
        pd.DataFrame({"date": index.dates.astype(str), "equity": index.close, "benchmark": index.close}), index.close[0]
    )
    found = crisis_table(of).set_index("label")
    for crisis in CRISES:
        if crisis.key in PUBLISHED:
            row = found.loc[crisis.label]
            assert row["total_return"] == pytest.approx(PUBLISHED[crisis.key] / 100, abs=ROUNDED_SOURCE + 5e-4), (
                crisis.key
            )
            assert row["is_whole"]
            # from its high to its low: nothing in between is higher or lower
            assert row["max_drawdown"] == pytest.approx(row["total_return"], rel=PARITY), crisis.key
            assert row["benchmark_total_return"] == row["total_return"]
    assert len(found) == len(PUBLISHED)


def test_a_crisis_that_the_test_only_touches_says_so() -> None:
    crisis = Crisis("c", "C", "2019-12-31", "2020-01-06", "test")
    rows = record([0.5, 0.5, -0.1, 0.2, 0.1], [0.0, 0.0, 0.0, -0.2, 0.3])  # 30 December to 3 January
    found = crisis_table(rows, [crisis])
    assert found.columns.tolist() == list(COLUMNS)
    row = found.iloc[0]
    assert (row["sessions"], row["is_whole"]) == (3, False)  # the return of the first day is not of the fall
    assert row["total_return"] == pytest.approx(0.9 * 1.2 * 1.1 - 1)
    assert row["max_drawdown"] == pytest.approx(-0.1)
    assert row["benchmark_max_drawdown"] == pytest.approx(-0.2)
    assert crisis_table(rows, [Crisis("d", "D", "2010-01-01", "2019-12-27", "test")]).empty


def test_crises_are_dated_in_order_and_named_once() -> None:
    assert len({crisis.key for crisis in CRISES}) == len({crisis.label for crisis in CRISES}) == len(CRISES)
    assert all(crisis.start < crisis.end and crisis.reference for crisis in CRISES)
    assert [crisis.start for crisis in CRISES] == sorted(crisis.start for crisis in CRISES)
