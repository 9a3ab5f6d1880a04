"""What followed a signal: bought at the next open, sold at a close, dividends earned."""

from dataclasses import replace

import numpy as np
import pytest
from signal_bars import cuts_of, looked_ahead, walk, without
from tolerances import EXACT

from analytics.market import Bars
from analytics.scorecard import HORIZONS, bucket_codes, forward_returns
from analytics.signals import technical_signals

N = 320


def in_plain_python(bars: Bars, horizon: int) -> list[float]:
    """The definition, day by day."""
    found = []
    for day in range(len(bars)):
        bought_on = day + 1
        if bought_on < len(bars) and np.isfinite(bars.open[bought_on]):
            sold_on = day + horizon
            paid = (
                bars.open[bought_on] * bars.adj_close[bought_on] / bars.close[bought_on] if sold_on < len(bars) else 0
            )
        else:
            sold_on = day + 1 + horizon
            paid = bars.adj_close[bought_on] if sold_on < len(bars) else 0
        found.append(bars.adj_close[sold_on] / paid - 1 if sold_on < len(bars) else np.nan)
    return found


def some_opens_missing(bars: Bars) -> Bars:
    rng = np.random.default_rng(3)
    gone = rng.random(len(bars)) < 0.3
    gone[-1] = True
    return replace(bars, open=np.where(gone, np.nan, bars.open))


def halted(bars: Bars) -> Bars:
    still = (np.arange(len(bars)) > 100) & (np.arange(len(bars)) < 200)
    price = {name: np.where(still, bars.close[100], getattr(bars, name)) for name in ("open", "high", "low", "close")}
    return replace(bars, **price, adj_close=price["close"], volume=np.where(still, 0.0, bars.volume))


BARS = {
    "dividends": walk(1, N),
    "missing opens": some_opens_missing(walk(2, N)),
    "closes only": without(walk(3, N), "open", "high", "low", "volume"),
    "halted": halted(walk(4, N)),
    **{f"{n} bars": walk(5, n) for n in (0, 1, 2, 3, 5, 6, 7, 64)},
    "3 closes": without(walk(6, 3), "open", "high", "low", "volume"),
}


@pytest.mark.parametrize("horizon", [1, *HORIZONS])
@pytest.mark.parametrize("name", list(BARS))
def test_equals_a_plain_loop(name: str, horizon: int) -> None:
    found, expected = forward_returns(BARS[name], horizon), in_plain_python(BARS[name], horizon)
    np.testing.assert_allclose(found, expected, rtol=EXACT, atol=EXACT)


def test_by_hand() -> None:
    bars = walk(7, 4)
    bars = replace(
        bars, open=np.array([10.0, 20.0, 30.0, np.nan]), close=np.array([11.0, 22.0, 33.0, 44.0]),
        adj_close=np.array([10.0, 20.0, 33.0, 44.0]),
    )  # fmt: skip
    bought = 20 * 20 / 22  # the open of the second day, less the dividend that is still to come
    np.testing.assert_allclose(forward_returns(bars, 2), [33 / bought - 1, 44 / 30 - 1, np.nan, np.nan], rtol=EXACT)
    np.testing.assert_allclose(forward_returns(bars, 1)[:2], [20 / bought - 1, 33 / 30 - 1], rtol=EXACT)
    assert np.isnan(forward_returns(bars, 1)[2:]).all()  # the last open is unknown, and its close was not held


def test_a_dividend_is_earned() -> None:
    bars = walk(8, N)
    price_only = replace(bars, adj_close=bars.close)
    held_over = (np.arange(N - 21) % 63 >= 20) & (np.arange(N - 21) % 63 < 39)  # ex-day 40 lies in the window
    gain = (1 + forward_returns(bars, 21)[: N - 21]) / (1 + forward_returns(price_only, 21)[: N - 21])
    np.testing.assert_allclose(gain[held_over], 1 / 0.99, rtol=EXACT)
    assert (gain <= 1 / 0.99 + EXACT).all()


@pytest.mark.parametrize("horizon", HORIZONS)
@pytest.mark.parametrize("name", ["dividends", "missing opens", "closes only", "halted"])
def test_a_row_changes_only_where_its_window_reaches_beyond_the_cut(name: str, horizon: int) -> None:
    cuts = cuts_of(N)
    assert len(cuts) >= 25
    last_seen = horizon - 1 if name in ("dividends", "halted") else horizon  # after the bar of the purchase
    found = looked_ahead(lambda bars: {"r": forward_returns(bars, horizon)}, BARS[name], cuts, horizon=last_seen)
    assert found == set()


@pytest.mark.parametrize("horizon", HORIZONS)
def test_a_return_booked_a_row_early_is_caught(horizon: int) -> None:
    def early(bars: Bars) -> dict:
        return {"r": np.append(forward_returns(bars, horizon)[1:], np.nan)}

    assert looked_ahead(early, BARS["dividends"], cuts_of(N), horizon=horizon - 1) == {"r"}


def test_the_bucket_of_a_day_does_not_depend_on_a_later_one() -> None:
    def codes(bars: Bars) -> dict:
        found = bucket_codes(technical_signals(bars))
        return {str(number): column for number, column in enumerate(found.T)}

    assert looked_ahead(codes, walk(9, N), cuts_of(N)) == set()
    shifted = looked_ahead(lambda bars: {name: np.append(column[1:], -1) for name, column in codes(bars).items()},
                           walk(9, N), cuts_of(N))  # fmt: skip
    assert len(shifted) == len(codes(walk(9, N)))
