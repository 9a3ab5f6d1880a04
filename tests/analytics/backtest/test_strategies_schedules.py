"""The strategies with a schedule: equal weights, momentum, frontier weights; and when a period is known to be over."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markets import changed_from, flat_market, random_market
from pypfopt import EfficientFrontier
from strategy_markets import decide, explain, held, inputs_of
from tolerances import EXACT, PARITY

from analytics.backtest.orders import schedule_orders
from analytics.backtest.strategies import _shares
from analytics.backtest.strategies._positions import known_prices
from analytics.backtest.strategies._rebalance import EVERY, last_completed_month, period_over, schedule, until_next
from analytics.backtest.strategies._shares import frontier_weights, proportional
from analytics.conventions import TRADING_DAYS
from analytics.market import period_ends
from analytics.portfolio.covariance import ledoit_wolf
from analytics.portfolio.frontier import efficient_frontier
from analytics.returns import simple_returns

NAN = np.nan
SOLVED = 1e-4  # of a weight: cvxpy's interior-point solver stops at 1e-8 of the objective, which is flat at its optimum
GOOD_FRIDAY = np.datetime64("2024-03-29")  # a holiday on the last weekday of its month
PANEL = random_market(n=560, seed=21)


def weekdays(start: str, n: int, *holidays: np.datetime64) -> np.ndarray:
    days = np.busday_offset(start, np.arange(n), roll="forward")
    return days[~np.isin(days, holidays)]


def test_a_month_is_over_on_its_last_weekday_and_after_a_holiday_a_session_late():
    dates = weekdays("2024-01-02", 100, GOOD_FRIDAY)
    found = dates[period_over(dates, "monthly")].astype(str).tolist()
    assert found == ["2024-01-31", "2024-02-29", "2024-04-01", "2024-04-30"]
    assert dates[period_over(dates, "quarterly")].astype(str).tolist() == ["2024-04-01"]


@pytest.mark.parametrize(("every", "rule"), [("weekly", "W"), ("monthly", "ME"), ("quarterly", "QE"), ("yearly", "YE")])
def test_without_holidays_the_ends_are_those_of_pandas(every, rule):
    dates = weekdays("2021-01-01", 800)
    last = pd.Series(dates, index=pd.DatetimeIndex(dates)).resample(rule).last().to_numpy()[:-1]
    found = dates[period_over(dates, every)]
    np.testing.assert_array_equal(found[: len(last)], last.astype(found.dtype))
    assert len(last) >= 3


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(sorted(EVERY)))
def test_the_end_of_a_period_does_not_depend_on_what_follows(seed, every):
    rng = np.random.default_rng(seed)
    dates = weekdays("2020-01-01", 300)
    dates = dates[rng.random(300) > 0.05]
    whole = period_over(dates, every)
    stop = int(rng.integers(1, len(dates)))
    np.testing.assert_array_equal(period_over(dates[:stop], every), whole[:stop])
    if every == "monthly":  # once for every month that is over
        assert whole.sum() in (len(period_ends(dates, "M")) - 1, len(period_ends(dates, "M")))
        completed = last_completed_month(dates)
        np.testing.assert_array_equal(np.flatnonzero(np.diff(completed)) + 1, np.flatnonzero(whole)[int(whole[0]) :])


@pytest.mark.parametrize(
    ("days", "weekly", "monthly"),
    [
        (["05-30", "05-31", "06-01", "06-03"], ["05-31"], ["05-31"]),  # Saturday follows a Friday that was the end
        (["05-30", "05-31", "06-01", "06-02", "06-03"], ["05-31"], ["05-31"]),
        (["05-30", "06-01", "06-03"], ["06-01"], ["06-01"]),  # Saturday in the place of Friday
        (["06-27", "06-28", "06-29", "07-01"], ["06-28"], ["06-28"]),  # the month has two more days
        (["06-27", "06-29", "07-01"], ["06-29"], ["06-29"]),
        (["06-27", "07-01", "07-02"], ["07-01"], ["07-01"]),  # a holiday on the Friday
    ],
)
def test_a_session_at_the_weekend_ends_no_period_twice(days, weekly, monthly):
    dates = np.array([f"2024-{day}" for day in days], dtype="datetime64[D]")
    for every, expected in (("weekly", weekly), ("monthly", monthly)):
        assert dates[period_over(dates, every)].tolist() == [np.datetime64(f"2024-{day}").item() for day in expected]


@pytest.mark.parametrize("every", sorted(EVERY))
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_every_period_is_over_once_whatever_days_are_sessions(every, seed):
    """Sessions on any day of the week: an end by the first session after each period, and never two of the same."""
    rng = np.random.default_rng(seed)
    dates = np.datetime64("2021-01-04") + np.flatnonzero(rng.random(800) < rng.uniform(0.5, 1.0))
    over = period_over(dates, every)
    rule = {"weekly": "W", "monthly": "M", "quarterly": "Q", "yearly": "Y"}[every]
    days = pd.DatetimeIndex(dates)
    period, next_period = days.to_period(rule), (days + pd.offsets.BDay()).to_period(rule)
    ended = np.where(next_period != period, period, period - 1)[over]  # the period that is over by each end
    assert len(set(ended)) == len(ended)
    begins = np.append(0, np.flatnonzero(period[1:] != period[:-1]) + 1)
    assert all(over[begin : end + 1].any() for begin, end in pairwise(begins))


def test_a_value_stands_until_the_next():
    acts = np.array([False, True, False, True])
    np.testing.assert_array_equal(until_next(acts, np.array([[1.0], [2.0]])), [[NAN], [1.0], [1.0], [2.0]])


def test_a_schedule_acts_on_the_first_decision_too():
    inputs = inputs_of(PANEL, start=100)
    acts = np.flatnonzero(schedule(inputs, "monthly"))
    assert acts[0] == 99
    assert (np.diff(acts)[1:] >= 19).all()


def test_equal_weights_are_restored_on_the_schedule_and_when_one_is_listed():
    """A and B from the start, C listed on the third day, A delisted on the fifth: counted out five sessions on."""
    panel = flat_market({"A": [1.0] * 4 + [NAN] * 38, "B": [1.0] * 42, "C": [NAN] * 2 + [1.0] * 40})
    said = decide("equal_weight", inputs_of(panel), rebalance="monthly")
    np.testing.assert_allclose(said[0], [1 / 2, 1 / 2, NAN])
    np.testing.assert_allclose(said[2], [1 / 3] * 3)
    january = int(np.flatnonzero(panel.dates == np.datetime64("2024-01-31"))[0])
    assert np.flatnonzero(np.isfinite(said).any(axis=1)).tolist() == [0, 2, january]
    assert np.isnan(said[january, 0])
    assert said[january, 1:].tolist() == [0.5, 0.5]
    assert explain("equal_weight", inputs_of(panel), 0, [0, 2], rebalance="weekly") == ["equal weights, weekly"] * 2


def test_the_capital_of_delisted_tickers_is_used_again():
    """One ticker after the other is delisted, two months apart: in the end the last one has the whole account."""
    n = 260
    panel = flat_market(
        {
            f"T{k}": [1.0] * (n if k == 3 else 60 * (k + 1)) + [NAN] * (0 if k == 3 else n - 60 * (k + 1))
            for k in range(4)
        }
    )
    said = decide("equal_weight", inputs_of(panel))
    orders = schedule_orders(panel, said, start=panel.dates[0], end=panel.dates[-1])  # which checks the sum in force
    assert held(said)[-1, 3] == 1.0
    assert [float(weight) for weight in orders.target_weight[orders.column == 3][[0, -1]]] == [0.25, 1.0]


@pytest.mark.parametrize("every", ["weekly", "monthly", "quarterly"])
def test_equal_weights_are_those_of_pandas(every):
    inputs = inputs_of(random_market(n=400, n_tickers=2, seed=2), start=200)  # the second is listed at 100
    dates = pd.DatetimeIndex(inputs.panel.dates)
    period = dates.to_period({"weekly": "W", "monthly": "M", "quarterly": "Q"}[every])
    last = np.append(
        period[1:] != period[:-1], (dates[-1] + pd.offsets.BDay()).to_period(period.freqstr[:1]) != period[-1]
    )
    expected = np.where((last & (np.arange(400) >= 200)) | (np.arange(400) == 199), 0.5, NAN)
    said = decide("equal_weight", inputs, rebalance=every)
    np.testing.assert_array_equal(said, np.stack([expected] * 2, axis=1))


def momentum_by_pandas(panel, skip: int) -> pd.DataFrame:
    """Return from 12 to `skip` months before the end of each month, by month."""
    closes = pd.DataFrame(panel.adj_close, index=pd.DatetimeIndex(panel.dates)).ffill(limit=4)
    monthly = closes.groupby(closes.index.to_period("M")).last()
    return monthly.shift(skip) / monthly.shift(12) - 1


@pytest.mark.parametrize(("fraction", "skip", "short_losers"), [(0.5, 1, False), (0.25, 2, False), (0.5, 1, True)])
def test_momentum_holds_the_winners_of_pandas(fraction, skip, short_losers):
    panel = random_market(n=560, n_tickers=6, seed=23)
    inputs = inputs_of(panel, start=300)
    expected = momentum_by_pandas(panel, skip)
    chosen = {"fraction": fraction, "skip_months": skip, "short_losers": short_losers}
    weights = held(decide("momentum_12_1", inputs, **chosen))
    months = pd.DatetimeIndex(panel.dates).to_period("M")
    ends = [k for k in range(300, 559) if months[k] != months[k + 1]]
    for row in ends:
        values = expected.loc[months[row]].dropna()
        count = max(int(fraction * len(values)), 1)
        count = min(count, len(values) // 2) if short_losers else count
        size = (0.5 if short_losers else 1.0) / count
        wanted = np.zeros(6)
        wanted[values.nlargest(count).index] = size
        if short_losers:
            wanted[values.nsmallest(count).index] = -size
        if panel.has_bar[row].all():  # else one keeps its weight for want of a bar
            np.testing.assert_allclose(weights[row], wanted, atol=PARITY)
    assert sum(panel.has_bar[row].all() for row in ends) >= 5


def test_momentum_in_numbers_and_words():
    """Over a year A gains 50 %, B 20 %, C loses 10 %; what the last month does to them is left out."""
    dates = np.datetime64("2023-01-01") + np.arange(400)
    months = ((dates.astype("M8[M]") - np.datetime64("2023-01", "M")).astype(int)).astype(float)
    path = lambda total, after: np.where(months <= 11, 100 * (1 + total * months / 11), after).tolist()  # noqa: E731
    panel = flat_market({"A": path(0.5, 1.0), "B": path(0.2, 900.0), "C": path(-0.1, 500.0)})
    panel = panel.__class__(
        dates, panel.tickers, *(getattr(panel, f) for f in ("open", "high", "low", "close", "adj_close", "volume"))
    )
    inputs = inputs_of(panel)
    end = int(np.flatnonzero(dates == np.datetime64("2024-01-31"))[0])
    weights = held(decide("momentum_12_1", inputs, fraction=0.34))
    assert weights[end - 1].tolist() == [0.0, 0.0, 0.0]
    assert weights[end].tolist() == [1.0, 0.0, 0.0]
    assert explain("momentum_12_1", inputs, 0, [end]) == ["rank 1 of 3: +50.0% over 11 months"]
    assert explain("momentum_12_1", inputs, 2, [end]) == ["rank 3 of 3: -10.0% over 11 months"]
    short = held(decide("momentum_12_1", inputs, fraction=0.34, short_losers=True))
    assert short[end].tolist() == [0.5, 0.0, -0.5]


@pytest.mark.parametrize("portfolio", ["max_sharpe", "min_variance"])
def test_frontier_weights_are_those_of_pyportfolioopt(portfolio):
    panel = random_market(n=300, n_tickers=6, seed=30)
    inputs = inputs_of(panel, start=200)
    found = frontier_weights(inputs, np.array([260]), portfolio=portfolio, window=100)[0]
    closes = pd.DataFrame(panel.adj_close).ffill()
    past = closes.pct_change().iloc[161:261]
    assert past.notna().all().all()
    covariance = ledoit_wolf(past.to_numpy())
    peer = EfficientFrontier(past.mean() * TRADING_DAYS, covariance, weight_bounds=(0, 1))
    weights = (
        peer.max_sharpe(risk_free_rate=0.0001 * TRADING_DAYS) if portfolio == "max_sharpe" else peer.min_volatility()
    )
    np.testing.assert_allclose(found, [weights[k] for k in range(6)], atol=SOLVED)
    assert found.sum() == pytest.approx(1.0, abs=PARITY)


@pytest.fixture
def solved(monkeypatch) -> list[tuple]:
    """An empty memory of frontiers, and what was computed since: (number of assets, risk-free rate)."""
    told: list[tuple] = []

    def counted(mean, covariance, *, risk_free_rate, points):
        told.append((len(mean), risk_free_rate))
        return efficient_frontier(mean, covariance, risk_free_rate=risk_free_rate, points=points)

    monkeypatch.setattr(_shares, "_FRONTIERS", {})
    monkeypatch.setattr(_shares, "efficient_frontier", counted)
    return told


def test_a_frontier_of_the_same_past_is_computed_once(solved):
    panel, rows = random_market(n=300, n_tickers=4, seed=30), np.array([200, 220])
    chosen = {"portfolio": "max_sharpe", "window": 63}
    first = frontier_weights(inputs_of(panel), rows, **chosen)
    assert len(solved) == 2
    kept = first.copy()
    first[:] = 7.0  # what the caller does to its weights is its own affair
    later = changed_from(panel, 221, 10.0)
    np.testing.assert_array_equal(frontier_weights(inputs_of(later), rows, **chosen), kept)
    assert len(solved) == 2
    for inputs, other in (
        (inputs_of(panel), chosen | {"portfolio": "min_variance"}), (inputs_of(panel), chosen | {"window": 64}),
        (inputs_of(panel, risk_free=0.0002), chosen), (inputs_of(changed_from(panel, 190, 1.01)), chosen),
    ):  # fmt: skip
        before = len(solved)
        found = frontier_weights(inputs, rows, **other)
        assert len(solved) == before + 2
        assert not np.array_equal(found, kept)


def test_the_memory_of_frontiers_is_bounded(solved, monkeypatch):
    monkeypatch.setattr(_shares, "FRONTIERS_KEPT", 3)
    inputs = inputs_of(random_market(n=120, n_tickers=2, seed=30))
    for row in range(90, 100):
        frontier_weights(inputs, np.array([row]), portfolio="min_variance", window=63)
        assert len(_shares._FRONTIERS) <= 3
    assert len(solved) == 10


def test_a_ticker_without_the_whole_window_has_no_frontier_weight():
    panel = random_market(n=300, seed=31)  # the second is listed at row 75
    rows = np.array([60, 100, 200])
    found = frontier_weights(inputs_of(panel), rows, portfolio="min_variance", window=63)
    assert found[0].tolist() == [0.0] * 4  # nobody has 63 returns yet
    assert found[1, 1] == 0.0
    assert found[1].sum() == pytest.approx(1.0, abs=PARITY)
    assert found[2, 1] > 0.0


def test_frontier_weights_are_held_unless_the_vote_has_sold():
    inputs = inputs_of(PANEL, start=200)
    chosen = {"window": 63, "portfolio": "min_variance", "threshold": 2}
    said = decide("frontier_timed", inputs, **chosen)
    vote = decide("technical_vote", inputs, threshold=2)
    acts = np.flatnonzero(schedule(inputs, "monthly"))
    weights = frontier_weights(inputs, acts, portfolio="min_variance", window=63)
    sold = held(vote) < 0
    checked = 0
    for row, wanted in zip(acts, weights, strict=True):
        if PANEL.has_bar[row].all():
            expected = np.where(sold[row], 0.0, wanted)
            np.testing.assert_allclose(held(said)[row], expected, atol=EXACT)
            checked += 1
    assert checked > 6
    turns = np.flatnonzero((vote[:, 0] < 0) & (held(said)[:, 0] == 0.0))
    assert len(turns)


def test_shares_are_proportional_and_keep_their_sign():
    shares = proportional(np.array([[0.3, -0.1, NAN], [NAN, NAN, NAN], [0.0, 0.0, 0.0]]))
    np.testing.assert_allclose(shares, [[0.75, -0.25, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]], atol=EXACT)


def test_returns_over_a_missing_bar_are_taken_from_the_last_price():
    panel = flat_market({"A": [10, NAN, 11], "B": [1.0] * 3})
    np.testing.assert_allclose(
        simple_returns(known_prices(inputs_of(panel)))[1:, 0], [0.0, 0.1], rtol=EXACT, atol=EXACT
    )
