"""Every column of the record against the same worked out slowly from the days."""

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from records import (
    BLOCK_MONTHS,
    NUMBER,
    block_sums,
    days_of,
    delta_error,
    drawn_error,
    estimates,
    one_signal,
    returns_of,
    row_of,
    sums_of,
)
from scipy import stats
from signal_bars import walk, without
from tolerances import PARITY

from analytics.market import Bars
from analytics.scorecard import BUCKETS, HORIZONS, MIN_BLOCKS, QuarterlySums, pooled, quarterly_sums, scorecard

N = 2_520
EXACT_COLUMNS = ("n", "hit_rate", "base_rate", "mean_forward_return", "base_return", "excess_return")
ERRORS = {"ci": ("mean_forward_return", "r"), "hit": ("hit_rate", "hits"), "excess": ("excess_return", "excess")}
MONTE_CARLO = 0.12  # relative; 500 draws put a standard deviation right to 3.2 %, and the formula is of first order
BARS = walk(71, N, start="2011-02-14", drift=0.0004)


@pytest.fixture(scope="module")
def cards() -> dict[int, pd.DataFrame]:
    return {horizon: scorecard(sums, horizon) for horizon, sums in sums_of(BARS).items()}


@pytest.mark.parametrize("bars", [BARS, without(walk(72, 700), "open", "high", "low", "volume"), walk(73, 90)],
                         ids=["ten years", "closes", "ninety bars"])  # fmt: skip
@pytest.mark.parametrize("horizon", HORIZONS)
def test_estimates_equal_those_of_a_plain_script(bars: Bars, horizon: int) -> None:
    key = ["signal", "bucket", "horizon_days"]
    card = scorecard(sums_of(bars)[horizon], horizon).set_index(key).sort_index()
    expected = estimates(days_of(bars, horizon), horizon).set_index(key).sort_index()
    pd.testing.assert_index_equal(card.index, expected.index)
    for name in EXACT_COLUMNS:
        np.testing.assert_allclose(card[name], expected[name], rtol=PARITY, atol=PARITY, err_msg=name)


@pytest.mark.parametrize("horizon", HORIZONS)
@pytest.mark.parametrize(("signal", "bucket"), [
    ("vote_sma_50", "buy"), ("vote_rsi", "sell"), ("vote_adx", "neutral"), ("overall_signal", "sell"),
    ("rating_label", "strong buy"), ("rating_label", "neutral"), ("vote_stochastic", "buy"),
])  # fmt: skip
def test_intervals_are_those_of_a_bootstrap_of_blocks(
    cards: dict[int, pd.DataFrame], horizon: int, signal: str, bucket: str
) -> None:
    row, blocks = row_of(cards[horizon], signal, bucket), block_sums(BARS, NUMBER[signal, bucket], horizon)
    n = blocks["n"].to_numpy()
    degrees = n.sum() ** 2 / (n**2).sum() - 1
    lost = horizon / (3 * BLOCK_MONTHS[horizon] * 21)
    wider = np.sqrt((degrees + 1) / degrees / (1 - lost))
    t = stats.t.ppf(0.975, degrees)
    for name, (column, summed) in ERRORS.items():
        if name == "hit" and "neutral" in bucket:
            assert np.isnan(row.hit_low)
            assert np.isnan(row.hit_high)
            continue
        error, estimate = drawn_error(blocks, summed) * wider, getattr(row, column)
        low, high = getattr(row, f"{name}_low"), getattr(row, f"{name}_high")
        np.testing.assert_allclose([low, high], [estimate - t * error, estimate + t * error], rtol=PARITY, atol=PARITY)
        assert delta_error(blocks, summed) * wider == pytest.approx(error, rel=2 * MONTE_CARLO)
    error = (row.excess_high - row.excess_low) / 2 / t
    assert row.p_value == pytest.approx(2 * stats.t.sf(abs(row.excess_return) / error, degrees), rel=PARITY)
    days = days_of(BARS, horizon)
    days = days[days["bucket"] == NUMBER[signal, bucket]]
    spread = drawn_error(blocks, "r") * wider
    assert row.n_effective == pytest.approx(min(len(days), days["r"].var(ddof=0) / spread**2), rel=PARITY)


def test_the_error_equals_that_of_another_bootstrap(cards: dict[int, pd.DataFrame]) -> None:
    from arch.bootstrap import IIDBootstrap

    blocks = block_sums(BARS, NUMBER["vote_sma_50", "buy"], 21).to_numpy()
    drawn = IIDBootstrap(blocks, seed=4).apply(lambda x: x[:, 3].sum() / x[:, 0].sum(), 2_000)
    row = row_of(cards[21], "vote_sma_50", "buy")
    n = blocks[:, 0]
    degrees = n.sum() ** 2 / (n**2).sum() - 1
    wider = np.sqrt((degrees + 1) / degrees / (1 - 21 / (3 * 126)))
    error = (row.excess_high - row.excess_low) / 2 / stats.t.ppf(0.975, degrees)
    assert error == pytest.approx(drawn.std(ddof=1) * wider, rel=MONTE_CARLO)


def test_n_effective_is_at_most_n_and_falls_with_the_horizon(cards: dict[int, pd.DataFrame]) -> None:
    for card in cards.values():
        known = card["n_effective"].notna()
        assert (card["n_effective"][known] <= card["n"][known] + PARITY).all()
        assert (card["n_effective"][known] > 0).all()
    shares = [(card["n_effective"] / card["n"]).median() for card in cards.values()]
    assert shares == sorted(shares, reverse=True)


def test_intervals_need_blocks() -> None:
    bars, seen = walk(74, 5 * 261, start="2015-01-01"), set()
    for horizon, sums in sums_of(bars).items():
        card = scorecard(sums, horizon)
        for row in list(card.itertuples())[::8]:
            enough = np.count_nonzero(block_sums(bars, NUMBER[row.signal, row.bucket], horizon)["n"]) >= MIN_BLOCKS
            assert set(np.isfinite([row.ci_low, row.excess_high, row.p_value, row.n_effective])) == {enough}
            seen.add(enough)
        if horizon == 63:
            assert card["p_value"].isna().all()  # five years are five blocks
            assert card["mean_forward_return"].notna().all()
    assert seen == {True, False}


def test_excess_of_all_buckets_of_a_signal_is_zero(cards: dict[int, pd.DataFrame]) -> None:
    """Over the days on which a signal is known; over all days where it always is."""
    for horizon, card in cards.items():
        days = days_of(BARS, horizon)
        for signal, rows in card.groupby("signal"):
            known = days[days["bucket"].isin([NUMBER[signal, name] for name in rows["bucket"]])]
            total = float((rows["n"] * rows["excess_return"]).sum())
            assert total == pytest.approx(float((known["r"] - known["mean"]).sum()), abs=1e-7), signal
    states = np.sign(np.random.default_rng(1).normal(size=N)).astype(int)
    for horizon, sums in quarterly_sums(BARS.dates, returns_of(BARS), one_signal(states)).items():
        card = scorecard(sums, horizon)
        assert (card["n"] * card["excess_return"]).sum() == pytest.approx(0, abs=1e-9)
        assert sums.excess.sum() == pytest.approx(0, abs=1e-9)


def test_turning_every_return_turns_the_record() -> None:
    states = np.random.default_rng(2).integers(-1, 2, N)
    plain = returns_of(BARS)
    for horizon in HORIZONS:
        one = scorecard(quarterly_sums(BARS.dates, plain, one_signal(states))[horizon], horizon)
        other = {horizon: -plain[horizon]}
        two = scorecard(quarterly_sums(BARS.dates, other, one_signal(-states))[horizon], horizon)
        for bucket, turned in (("buy", "sell"), ("neutral", "neutral"), ("sell", "buy")):
            a, b = row_of(one, "overall_signal", bucket), row_of(two, "overall_signal", turned)
            for name in ("mean_forward_return", "excess_return", "base_return"):
                assert getattr(a, name) == pytest.approx(-getattr(b, name), abs=PARITY)
            for name in ("hit_rate", "base_rate", "hit_low", "p_value", "n_effective"):
                assert getattr(a, name) == pytest.approx(getattr(b, name), rel=PARITY, nan_ok=True)
            assert a.excess_low == pytest.approx(-b.excess_high, abs=PARITY)


TICKERS = [walk(seed, n, start=start, drift=0.0002 * seed, step=0.01 + 0.002 * seed) for seed, n, start in
           ((1, 1_500, "2010-03-01"), (2, 900, "2014-07-07"), (3, 2_000, "2008-01-01"), (4, 40, "2012-05-05"))]  # fmt: skip


@pytest.mark.parametrize("horizon", HORIZONS)
def test_pooled_estimates_are_those_of_all_days_together(horizon: int) -> None:
    sums = [of[horizon] for of in map(sums_of, TICKERS) if horizon in of]
    total = pooled(sums)
    assert total is not None
    card = scorecard(total, horizon).set_index(["signal", "bucket"]).sort_index()
    days = pd.concat([days_of(bars, horizon) for bars in TICKERS], ignore_index=True)
    expected = estimates(days, horizon).set_index(["signal", "bucket"]).sort_index()
    for name in EXACT_COLUMNS:
        np.testing.assert_allclose(card[name], expected[name], rtol=1e-7, atol=PARITY, err_msg=name)


def test_pooled_does_not_depend_on_the_order_to_the_bit() -> None:
    parts = [of[21] for of in map(sums_of, TICKERS) if 21 in of]
    whole = pooled(parts)
    assert len(parts) == 4
    orders = [
        pooled(parts[::-1]), pooled([parts[1], parts[3], parts[2], parts[0]]),
        pooled([pooled(parts[:2]), pooled(parts[2:])]), pooled([pooled(parts[1:]), parts[0]]),
    ]  # fmt: skip
    for other in orders:
        assert other.first_quarter == whole.first_quarter
        for name in ("n", "r", "squares", "up", "down", "base", "base_up", "base_down", "excess"):
            assert getattr(other, name).tobytes() == getattr(whole, name).tobytes(), name
    assert pooled([]) is None


def test_nor_does_a_pool_of_thousands_of_tickers() -> None:
    rng = np.random.default_rng(4)
    names = [field.name for field in fields(QuarterlySums)][1:]
    parts = [  # each the size of some two thousand tickers
        QuarterlySums(120, *(rng.uniform(0, 2_000 * 63, (4, len(BUCKETS))) for _ in names)) for _ in range(8)
    ]
    one, other = pooled(parts), pooled(parts[::-1])
    for name in names:
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes()


def test_nothing_known_gives_nothing() -> None:
    assert sums_of(walk(1, 0)) == {}
    assert sums_of(walk(1, 3)) == {}  # no window of five sessions is over
    card = scorecard(sums_of(walk(1, 7))[5], 5)  # two returns, of days on which hardly a vote is known
    assert set(card["n"]) <= {1, 2}
    assert card["ci_low"].isna().all()
    unknown = quarterly_sums(BARS.dates, {5: np.zeros(N)}, np.full((N, 1), -1))[5]
    assert scorecard(unknown, 5).empty


def test_a_price_that_never_moves_has_no_effect_and_no_error() -> None:
    flat = np.full(N, 5.0)
    bars = Bars("TEST", BARS.dates, flat, flat, flat, flat, flat, np.full(N, 1e6))
    for horizon, sums in sums_of(bars).items():
        card = scorecard(sums, horizon)
        assert (card["excess_return"] == 0).all()
        assert (card["mean_forward_return"] == 0).all()
        assert card["p_value"].isna().all()
        assert set(card["bucket"]) == {"neutral"}


def test_every_vote_and_label_has_its_buckets() -> None:
    from analytics.indicators import VOTES
    from analytics.signals import RATING_LABELS

    names = {signal: {bucket.name for bucket in BUCKETS if bucket.signal == signal} for signal in
             {bucket.signal for bucket in BUCKETS}}  # fmt: skip
    assert set(names) == {*(f"vote_{key}" for key in VOTES), "overall_signal", "rating_label"}
    assert names.pop("rating_label") == set(RATING_LABELS)
    assert all(found == {"buy", "neutral", "sell"} for found in names.values())
    sides = {bucket.name: bucket.side for bucket in BUCKETS}
    assert sides == {"buy": 1, "strong buy": 1, "neutral": 0, "sell": -1, "strong sell": -1}
