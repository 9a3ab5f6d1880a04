"""The strategies that read prices one ticker at a time: votes, rating, mean reversion."""

import numpy as np
import pandas as pd
import pytest
import talib
from markets import flat_market, random_market
from strategy_markets import decide, explain, held, inputs_of

from analytics.backtest.strategies import STRATEGIES
from analytics.backtest.strategies._technical import vote_signals
from analytics.conventions import CORE_VOTES, VOTE_THRESHOLD
from analytics.errors import InputError
from analytics.parameters import resolve
from analytics.signals import technical_signals

NAN = np.nan
VOTES = STRATEGIES["technical_vote"].parameters[1].choices
FALLS_AND_RISES = [10.0, 9.0, 8.0, 7.0, 8.0, 9.0, 10.0]
RSI_2 = {"threshold": 1, "votes": ("rsi",), "indicator_parameters": "rsi.window=2"}


def follow(panel, first_rows, opinions, weight):
    """The weights in force, bar by bar: opinion(column, row, position) is the new position, None to leave it."""
    expected = np.zeros(panel.close.shape)
    for column in range(len(panel.tickers)):
        position = 0
        for row in range(len(panel.dates)):
            if row >= first_rows[column] and panel.has_bar[row, column]:
                opinion = opinions(column, row, position)
                position = position if opinion is None else opinion
            expected[row, column] = position * weight
    return expected


def test_signals_with_default_parameters_are_the_stored_overall_signal():
    panel = random_market(n=600)
    defaults = resolve(STRATEGIES["technical_vote"].parameters, {})
    assert defaults == {"threshold": VOTE_THRESHOLD, "votes": tuple(sorted(CORE_VOTES)), "indicator_parameters": ""}
    buy, sell = vote_signals(panel, **defaults)
    for column, ticker in enumerate(panel.tickers):
        stored = technical_signals(panel.bars(ticker))["overall_signal"]
        rows = panel.has_bar[:, column]
        np.testing.assert_array_equal(buy[rows, column], stored == 1)
        np.testing.assert_array_equal(sell[rows, column], stored == -1)
        assert not (buy | sell)[~rows, column].any()
    assert buy.sum() > 20
    assert sell.sum() > 20


@pytest.mark.parametrize("threshold", [1, 2])
@pytest.mark.parametrize("start", [0, 120, 250, 333])
def test_the_vote_trades_on_changes_of_state_from_flat_at_the_start(threshold, start):
    panel = random_market(seed=5)
    inputs, parameters = inputs_of(panel, start=start), {"threshold": threshold, "votes": VOTES}
    buy, sell = vote_signals(panel, **parameters)
    decided = decide("technical_vote", inputs, **parameters)
    turn = lambda column, row, _: 1 if buy[row, column] else (-1 if sell[row, column] else None)  # noqa: E731
    np.testing.assert_array_equal(held(decided), follow(panel, inputs.first_rows, turn, 0.25))
    assert np.isfinite(decided).sum() > 4


def test_a_vote_in_numbers_and_words():
    """Three falls make an RSI of 2 changes 0: one vote to buy; two rises later it is above 70: one to sell."""
    inputs = inputs_of(flat_market({"A": FALLS_AND_RISES, "B": FALLS_AND_RISES[::-1]}))
    said = decide("technical_vote", inputs, **RSI_2)
    np.testing.assert_array_equal(said[:, 0], [NAN, NAN, 0.5, NAN, NAN, -0.5, NAN])
    assert explain("technical_vote", inputs, 0, [2, 5], **RSI_2) == [
        "1 of 1 votes to buy: RSI",
        "1 of 1 votes to sell: RSI",
    ]


def test_more_votes_than_voters_are_refused():
    inputs = inputs_of(random_market(n=60, n_tickers=1))
    with pytest.raises(InputError, match="threshold: got 2; allowed: at most the number of voting indicators, 1"):
        decide("technical_vote", inputs, threshold=2, votes=("rsi",))


@pytest.mark.parametrize(("buy_above", "sell_below"), [(0.1, -0.1), (0.5, 0.0)])
def test_the_rating_is_the_stored_score_against_its_bounds(buy_above, sell_below):
    panel = random_market(n=500, seed=3)
    inputs = inputs_of(panel, start=210)
    score = np.full(panel.close.shape, NAN)
    for column, ticker in enumerate(panel.tickers):
        score[panel.has_bar[:, column], column] = technical_signals(panel.bars(ticker))["rating_score"]

    def turn(column, row, _):
        return 1 if score[row, column] > buy_above else (-1 if score[row, column] < sell_below else None)

    said = decide("rating", inputs, buy_above=buy_above, sell_below=sell_below)
    np.testing.assert_array_equal(held(said), follow(panel, inputs.first_rows, turn, 0.25))
    row = int(np.flatnonzero(said[:, 0] > 0)[0])
    label = "strong buy" if score[row, 0] > 0.5 else "buy"
    assert explain("rating", inputs, 0, [row]) == [f"rating {score[row, 0]:.2f}: {label}"]


def bands_and_index(closes, window, width, rsi_window):
    """Standing in the Bollinger bands (pandas) and the RSI (TA-Lib) of one ticker's closes."""
    series = pd.Series(closes)
    middle, spread = series.rolling(window).mean(), series.rolling(window).std(ddof=0)
    return ((series - middle) / (width * spread)).to_numpy(), talib.RSI(closes, timeperiod=rsi_window)


@pytest.mark.parametrize("signal", ["bollinger", "rsi", "both"])
def test_mean_reversion_enters_beyond_its_range_and_leaves_at_its_middle(signal):
    panel = random_market(n=500, seed=4)
    inputs = inputs_of(panel, start=100)
    band, index = np.full((2, *panel.close.shape), NAN)
    for column in range(len(panel.tickers)):
        rows = panel.has_bar[:, column]
        band[rows, column], index[rows, column] = bands_and_index(panel.close[rows, column], 15, 1.8, 9)

    def turn(column, row, position):
        b, r = band[row, column], index[row, column]
        far = {"bollinger": [b], "rsi": [(r - 50) / 15], "both": [b, (r - 50) / 15]}[signal]
        if all(value < -1 for value in far):
            return 1
        if all(value > 1 for value in far):
            return -1
        back = (position > 0 and any(value >= 0 for value in far)) or (
            position < 0 and any(value <= 0 for value in far)
        )
        return 0 if back else None

    said = decide("mean_reversion", inputs, signal=signal, window=15, width=1.8, rsi_window=9, oversold=35.0)
    expected = follow(panel, inputs.first_rows, turn, 0.25)
    np.testing.assert_array_equal(held(said), expected)
    assert {-0.25, 0.0, 0.25} == set(np.unique(expected))


def test_mean_reversion_in_numbers_and_words():
    """A jump down from a steady price is below the band, the way back up ends it; the mirror is sold short."""
    steady = [100.0, 101.0] * 10
    inputs = inputs_of(flat_market({"A": [*steady, 80.0, 90.0, 101.0], "B": [*steady, 120.0, 110.0, 99.0]}))
    said = decide("mean_reversion", inputs)
    np.testing.assert_array_equal(said[20:, 0], [0.5, NAN, 0.0])
    np.testing.assert_array_equal(said[20:, 1], [-0.5, NAN, 0.0])
    assert explain("mean_reversion", inputs, 0, [20, 22]) == [
        "Bollinger below its range",
        "Bollinger back at its middle",
    ]
    assert explain("mean_reversion", inputs, 1, [20], signal="both") == [
        "Bollinger above its range, RSI above its range"
    ]


def test_a_close_that_is_on_its_average_to_rounding_is_back_at_its_middle():
    """The mean of 20 closes is the last of them where that is the mean of the 19 before: which side is not for rounding."""
    for scale in (1.0, 0.1, 1 / 3, 1e-3, 7.7, 1e4):
        fallen = [scale * price for price in [100.0, 101.0] * 10 + [80.0]]
        for rounding in (-1e-13, 0.0, 1e-13):
            back = float(np.mean(fallen[-19:])) * (1.0 + rounding)
            said = decide("mean_reversion", inputs_of(flat_market({"A": [*fallen, back]})))
            np.testing.assert_array_equal(said[-2:, 0], [1.0, 0.0])


def test_a_price_that_does_not_move_has_no_range():
    assert not np.isfinite(decide("mean_reversion", inputs_of(flat_market({"A": [5.0] * 40})), signal="both")).any()
