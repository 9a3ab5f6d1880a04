"""Every stored technical column of 100 tickers, against a pandas script that loops over groupby."""

from typing import Any

from bench.measure import Benchmark, Row, agree, race
from bench.stores import as_bars, simulated

TICKERS, YEARS, ROUNDS = 100, 10, 5
SETTLED = 1e-6  # relative: averages seeded differently have converged by the last bar
COMPARED = ("sma_200", "ema_26", "macd_signal", "rsi_14", "bb_upper", "stoch_d", "atr_14", "adx_14", "cci_20",
            "williams_r_14", "mfi_14", "roc_12")  # fmt: skip


def run() -> list[Row]:
    from analytics.signals import technical_signals
    from bench.peers import indicators_by_groupby

    prices = simulated(TICKERS, YEARS).prices
    bars = as_bars(prices)

    def ours() -> dict[str, Any]:
        return {ticker: technical_signals(item) for ticker, item in bars.items()}

    first, theirs = ours(), indicators_by_groupby(prices).groupby("ticker").last()
    for name in COMPARED:
        agree(name, [columns[name][-1] for columns in first.values()], theirs[name], rtol=SETTLED)
    seconds, peer = race(ours, lambda: indicators_by_groupby(prices), rounds=ROUNDS)
    return [
        Row(f"technical_signals, {TICKERS} tickers × {YEARS} years", seconds, "pandas groupby-apply script", peer,
            note="the peer computes the indicators alone; ours also the votes, the signal and the rating."),
    ]  # fmt: skip


BENCHMARK = Benchmark("signals", "indicators, votes and signals of 100 tickers", run)
