"""The strategies that read the factor fits: what they make of them, and that they wait until the fits are known."""

import numpy as np
import pandas as pd
import pytest
from markets import flat_market, random_market
from strategy_markets import decide, explain, held, inputs_of, random_view, view_of
from tolerances import EXACT

from analytics.backtest.strategies._fundamental import factor_trend, known_median
from analytics.backtest.strategies._technical import vote_counts
from analytics.conventions import TRADING_DAYS
from analytics.errors import InputError
from analytics.signals import technical_signals

NAN = np.nan
VOTES = ("bollinger", "ema", "macd", "rsi", "stochastic")
EAGER = {"threshold": 1, "votes": VOTES}
PANEL = random_market(n=420, seed=11)
INPUTS = inputs_of(PANEL, start=60, factors=random_view(PANEL, seed=11))
RSI_2 = {"threshold": 1, "votes": ("rsi",), "indicator_parameters": "rsi.window=2"}
FALLS_AND_RISES = [10.0, 9.0, 8.0, 7.0, 8.0, 9.0, 10.0]  # an RSI of 2 votes to buy at rows 2 and 3, to sell from 5 on


def as_known(name: str, column: int) -> np.ndarray:
    """The newest value of one ticker at each date, by pandas."""
    fits = pd.DataFrame({"date": INPUTS.factors.as_of, "value": INPUTS.factors.values[name][:, column]})
    dates = pd.DataFrame({"date": PANEL.dates})
    return pd.merge_asof(dates, fits, on="date")["value"].to_numpy()


def months_known(factor: str, months: int) -> np.ndarray:
    """What a factor earned over the newest months known at each date, by pandas."""
    returns = pd.Series(INPUTS.factors.factor_returns[factor])
    earned = (1 + returns).rolling(months).apply(np.prod) - 1
    fits = pd.DataFrame({"date": INPUTS.factors.factor_known, "value": earned})
    return pd.merge_asof(pd.DataFrame({"date": PANEL.dates}), fits, on="date")["value"].to_numpy()


def walk(turn, weight=0.25) -> np.ndarray:
    """Weights in force, bar by bar: turn(column, row, position) gives the new position, in units of `weight`."""
    expected = np.zeros(PANEL.close.shape)
    for column in range(4):
        position = 0.0
        for row in range(len(PANEL.dates)):
            if row >= INPUTS.first_rows[column] and PANEL.has_bar[row, column]:
                position = turn(column, row, position)
            expected[row, column] = position * weight
    return expected


BUYS, SELLS = vote_counts(PANEL, votes=VOTES)
OUTLOOK = np.stack([as_known("outlook", column) for column in range(4)], axis=1)


def test_the_outlook_is_held_from_its_date_on():
    """Positive from the third day, neutral from the fourth, negative from the fifth; the other is never known."""
    panel = flat_market({"A": [1.0] * 6, "B": [1.0] * 6})
    view = view_of(
        panel.dates[2:5], {"outlook": [[1, NAN], [0, NAN], [-1, NAN]], "alpha": [[0.02, NAN]] * 3,
        "expected_return": [[0.11, NAN]] * 3}, median=[0.08, 0.08, 0.09],
    )  # fmt: skip
    inputs = inputs_of(panel, factors=view)
    said = decide("fundamental", inputs)
    np.testing.assert_array_equal(said[:, 0], [NAN, NAN, 0.5, 0.0, -0.5, NAN])
    assert not np.isfinite(said[:, 1]).any()
    assert explain("fundamental", inputs, 0, [2, 4]) == [
        "positive outlook: alpha 2.0%, expected return 11.0%, median 8.0%",
        "negative outlook: alpha 2.0%, expected return 11.0%, median 9.0%",
    ]


def test_fundamental_follows_the_newest_known_outlook():
    expected = walk(lambda column, row, p: p if np.isnan(OUTLOOK[row, column]) else OUTLOOK[row, column])
    np.testing.assert_array_equal(held(decide("fundamental", INPUTS)), expected)
    assert len(np.unique(expected)) == 3


@pytest.mark.parametrize("key", ["fundamental", "filter", "score", "sized"])
def test_nothing_is_decided_before_a_fit_is_known(key):
    first = INPUTS.factors.as_of[2]  # the first two have no values
    early = PANEL.dates < first
    said = decide(key, inputs_of(PANEL, factors=INPUTS.factors), **({} if key in ("fundamental", "score") else EAGER))
    assert not np.isfinite(np.where(said == 0.0, NAN, said)[early]).any()
    assert np.isfinite(said[~early]).any()


def test_filter_waits_for_the_outlook_and_leaves_with_either():
    def turn(column, row, position):
        buys, sells, outlook = BUYS[row, column], SELLS[row, column], OUTLOOK[row, column]
        buy, sell = buys >= 1 and buys > sells, sells >= 1 and sells > buys
        if buy and outlook > 0:
            return 1.0
        if sell and outlook < 0:
            return -1.0
        out = (position > 0 and (sell or outlook < 0)) or (position < 0 and (buy or outlook > 0))
        return 0.0 if out else position

    expected = walk(turn)
    np.testing.assert_array_equal(held(decide("filter", INPUTS, **EAGER)), expected)
    assert set(np.unique(expected)) == {-0.25, 0.0, 0.25}


def test_a_technical_buy_is_confirmed_or_it_is_not():
    panel = flat_market({"A": FALLS_AND_RISES, "B": FALLS_AND_RISES, "C": FALLS_AND_RISES})
    inputs = inputs_of(panel, factors=view_of(panel.dates[:1], {"outlook": [[1, 0, -1]]}))
    said = decide("filter", inputs, **RSI_2)
    np.testing.assert_array_equal(held(said)[3], [1 / 3, 0.0, 0.0])
    np.testing.assert_array_equal(held(said)[6], [0.0, 0.0, -1 / 3])
    assert explain("filter", inputs, 0, [2], **RSI_2) == ["1 of 1 votes to buy: RSI; positive outlook"]


def test_score_is_the_rating_modulated_by_the_outlook():
    rating = np.full(PANEL.close.shape, NAN)
    for column, ticker in enumerate(PANEL.tickers):
        rating[PANEL.has_bar[:, column], column] = technical_signals(PANEL.bars(ticker))["rating_score"]

    def turn(column, row, position):
        score = rating[row, column] * (1 + 0.6 * OUTLOOK[row, column] * np.sign(rating[row, column]))
        return 1.0 if score > 0.4 else (-1.0 if score < -0.2 else position)

    said = decide("score", INPUTS, buy_above=0.4, sell_below=-0.2, modulation=0.6)
    np.testing.assert_array_equal(held(said), walk(turn))
    alone = decide("score", INPUTS, buy_above=0.4, sell_below=-0.2, modulation=0.0)
    assert not np.array_equal(alone, said, equal_nan=True)
    row = int(np.flatnonzero(said[:, 0] > 0)[0])
    reason = explain("score", INPUTS, 0, [row], modulation=0.6)[0]
    assert reason.startswith(("score 0.", "score 1."))
    assert "outlook" in reason


def test_sized_divides_the_account_in_proportion():
    """Expected returns of 12, 6 and −6 %: shares of a half, a quarter and a quarter, the last only to be sold short."""
    panel = flat_market(dict.fromkeys("ABC", FALLS_AND_RISES))
    inputs = inputs_of(panel, factors=view_of(panel.dates[:1], {"expected_return": [[0.12, 0.06, -0.06]]}))
    said = decide("sized", inputs, **RSI_2)
    np.testing.assert_allclose(held(said)[3], [0.5, 0.25, 0.0], atol=EXACT)
    np.testing.assert_allclose(held(said)[6], [0.0, 0.0, -0.25], atol=EXACT)
    assert explain("sized", inputs, 0, [2], **RSI_2) == ["1 of 1 votes to buy: RSI; 50.0% by expected return"]


@pytest.mark.parametrize("size_by", ["expected_return", "sharpe_ratio"])
def test_the_shares_are_those_of_pandas_on_every_month_end(size_by):
    start = 300
    inputs = inputs_of(PANEL, start=start, factors=INPUTS.factors)
    expected = np.stack([as_known("expected_return", column) for column in range(4)], axis=1)
    if size_by == "sharpe_ratio":
        closes = pd.DataFrame(PANEL.adj_close).ffill()
        volatility = closes.pct_change().rolling(TRADING_DAYS).std() * np.sqrt(TRADING_DAYS)
        expected = (expected - 0.0001 * TRADING_DAYS) / volatility.to_numpy()
    frame = pd.DataFrame(expected, index=pd.DatetimeIndex(PANEL.dates))
    shares = frame.div(frame.abs().sum(axis=1), axis=0).fillna(0.0)
    weights = held(decide("sized", inputs, size_by=size_by, **EAGER))
    ends = [k for k in range(start, 419) if PANEL.dates[k].astype("M8[M]") != PANEL.dates[k + 1].astype("M8[M]")]
    seen = 0
    for row in ends:
        for column in np.flatnonzero(PANEL.has_bar[row] & (weights[row] != 0)):
            np.testing.assert_allclose(weights[row, column], shares.iloc[row, column], rtol=1e-9)
            seen += 1
    assert seen > 5


def test_threshold_lowers_the_bar_for_the_favoured():
    median = np.stack([known_median(INPUTS)[:, 0]] * 4, axis=1)
    expected_return = np.stack([as_known("expected_return", column) for column in range(4)], axis=1)

    def turn(column, row, position):
        buys, sells = BUYS[row, column], SELLS[row, column]
        needed = 1 if expected_return[row, column] > median[row, column] else 3
        return 1.0 if buys >= needed and buys > sells else (-1.0 if sells >= 3 and sells > buys else position)

    said = decide("threshold", INPUTS, threshold=3, lower_threshold=1, votes=VOTES)
    np.testing.assert_array_equal(held(said), walk(turn))
    same = decide("threshold", INPUTS, threshold=3, lower_threshold=3, votes=VOTES)
    np.testing.assert_array_equal(same, decide("technical_vote", INPUTS, threshold=3, votes=VOTES))
    assert not np.array_equal(said, same, equal_nan=True)


def test_threshold_refuses_a_lower_bar_above_the_other():
    with pytest.raises(InputError, match="lower_threshold: got 4; allowed: at most the votes needed, 3"):
        decide("threshold", INPUTS, threshold=3, lower_threshold=4, votes=VOTES)


def test_a_high_frontier_weight_lowers_the_bar_too():
    """Of two tickers one has the better return at the same risk: only it is bought on a single vote."""
    rng = np.random.default_rng(3)
    noise = rng.normal(0.0, 0.01, (160, 2))
    noise -= noise.mean(axis=0)
    closes = 100 * np.cumprod(1 + noise + [0.002, -0.002], axis=0)
    panel = flat_market({"A": closes[:, 0].tolist(), "B": closes[:, 1].tolist()})
    chosen = {"threshold": 4, "lower_threshold": 1, "votes": VOTES, "favour": "frontier_weight", "window": 63}
    said = decide("threshold", inputs_of(panel, start=100), **chosen)
    assert np.nanmax(said[:, 0]) == 0.5
    assert not (said[:, 1] > 0).any()


def test_beta_aware_in_numbers_and_words():
    """Three tickers, one vote each; the market fell: the high beta and the losing size tilt need two and find one."""
    panel = flat_market(dict.fromkeys("ABC", FALLS_AND_RISES))
    view = view_of(
        panel.dates[:1], {"beta": [[0.9, 1.5, 0.9]], "smb": [[0.1, 0.1, 0.8]]},
        known=panel.dates[:2], returns={"mkt_rf": [0.01, -0.05], "smb": [0.0, -0.02]},
    )  # fmt: skip
    inputs, chosen = inputs_of(panel, factors=view), RSI_2 | {"months": 2}
    np.testing.assert_array_equal(held(decide("beta_aware", inputs, **chosen))[3], [1 / 3, 0.0, 0.0])
    two = chosen | {
        "votes": ("rsi", "stochastic_rsi", "momentum"),
        "indicator_parameters": "rsi.window=2,momentum.window=1",
    }
    reasons = [explain("beta_aware", inputs, column, [3], **two)[0] for column in range(3)]
    assert [reason.partition("; ")[2] for reason in reasons] == [
        "",
        "high beta against the market",
        "1 losing factor tilt",
    ]
    rising = view_of(
        panel.dates[:1], dict(view.values), known=panel.dates[:2], returns={"mkt_rf": [0.01, 0.05], "smb": [0.0, 0.02]}
    )
    calm = decide("beta_aware", inputs_of(panel, factors=rising), **chosen)
    np.testing.assert_array_equal(held(calm)[3], [1 / 3] * 3)


def test_beta_aware_asks_more_and_puts_in_less_with_every_warning():
    trend = {name: months_known(name, 3) for name in ("mkt_rf", "smb", "hml")}
    known = {name: np.stack([as_known(name, c) for c in range(4)], axis=1) for name in ("beta", "smb", "hml")}

    def warnings(column, row, sign):
        count = int(sign * trend["mkt_rf"][row] < 0 and known["beta"][row, column] > 1.1)
        for name in ("smb", "hml"):
            loading = known[name][row, column]
            count += abs(loading) > 0.2 and sign * loading * trend[name][row] < 0
        return count

    def turn(column, row, position):
        buys, sells = BUYS[row, column], SELLS[row, column]
        side, long, short = np.sign(position), warnings(column, row, 1), warnings(column, row, -1)
        if buys >= 1 + long and buys > sells:
            side = 1.0
        elif sells >= 1 + short and sells > buys:
            side = -1.0
        elif (side > 0 and sells > buys) or (side < 0 and buys > sells):
            side = 0.0
        return side * 0.5 ** (short if side < 0 else long)

    said = decide("beta_aware", INPUTS, high_beta=1.1, tilt=0.2, months=3, **EAGER)
    np.testing.assert_array_equal(held(said), walk(turn))
    assert len(np.unique(np.abs(held(said)))) >= 3


def test_a_trend_needs_all_its_months():
    panel = flat_market({"A": [1.0] * 5})
    view = view_of(panel.dates[:1], {}, known=panel.dates[1:4], returns={"hml": [0.1, -0.5, 0.2]})
    trend = factor_trend(inputs_of(panel, factors=view), "hml", months=2)[:, 0]
    np.testing.assert_allclose(trend, [NAN, NAN, -0.45, -0.4, -0.4], rtol=EXACT)
    assert np.isnan(factor_trend(inputs_of(panel, factors=view), "mom", months=2)).all()
