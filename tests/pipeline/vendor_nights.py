"""A vendor whose market moves on every night: new sessions, dividends, splits, a late listing, a rewritten past."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from pipeline.sources import FetchRequest, Source, SourceData
from pipeline.sources._frames import fetch_log
from pipeline.sources._source import ACTION_COLUMNS, FACTOR_COLUMNS

FIRST_NIGHT, NIGHTS = 420, 30
OVERLAP = 12
DATES = [str(day.date()) for day in pd.bdate_range("2022-01-03", periods=FIRST_NIGHT + NIGHTS)]
MONTHS = [str(day.date()) for day in pd.date_range("2018-01-31", DATES[-1], freq="ME")]
TICKERS = ("AAA", "BBB", "CCC", "DDD", "SPY")


@dataclass
class Night:
    """What the vendor shows on one night; the same seed tells the same story."""

    seed: int
    session: int = FIRST_NIGHT
    asked: list[FetchRequest] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        returns = rng.normal(0.0004, 0.015, (len(DATES), len(TICKERS)))
        self.traded = dict(
            zip(TICKERS, (rng.uniform(40, 200, len(TICKERS)) * np.cumprod(1 + returns, axis=0)).T.copy(), strict=True)
        )
        nights = [int(night) for night in rng.permutation(NIGHTS - 6)[:9] + 3 + FIRST_NIGHT]
        self.dividends = [("AAA", nights[0]), ("AAA", nights[1]), ("BBB", nights[2]), ("SPY", nights[3]), ("BBB", 200)]
        self.splits = [("CCC", nights[4], 2.0), ("BBB", nights[5], 10.0), ("AAA", 150, 4.0)]
        for name, session, ratio in self.splits:
            self.traded[name][session:] /= ratio
        self.listed = {"DDD": nights[6]}
        self.rewritten = [
            ("AAA", nights[7], 1.0008),
            ("SPY", nights[8], 0.9995),
        ]  # ticker, from which night, by how much
        self.factors = rng.normal(0.005, 0.03, (len(MONTHS), 4))
        self.noise = rng.uniform(0.001, 0.01, (len(DATES), len(TICKERS), 3))

    def bars(self, ticker: str) -> pd.DataFrame:
        """All that the vendor shows of a ticker tonight, in its present adjustment."""
        close = self.traded[ticker].copy()
        for name, session, factor in self.rewritten:
            if name == ticker and session <= self.session:
                close[session - 4 : session - 2] *= factor  # two days before are told otherwise from that night on
        factor = np.ones(len(DATES))
        for name, session, ratio in self.splits:
            if name == ticker and session <= self.session:
                close[:session] /= ratio
        for name, session in self.dividends:
            if name == ticker and session <= self.session:
                factor[:session] *= 1 - self.paid(session) / close[session - 1]
        low, high, start = self.noise[:, TICKERS.index(ticker)].T
        opened = close * (1 + start - 0.005)
        bars = pd.DataFrame({
            "ticker": ticker, "date": DATES, "open": opened, "high": np.maximum(opened, close) * (1 + high),
            "low": np.minimum(opened, close) * (1 - low), "close": close, "adj_close": close * factor, "volume": 1e6 * (1 + high),
        })  # fmt: skip
        return bars.iloc[self.listed.get(ticker, 0) : self.session + 1]

    def paid(self, session: int) -> float:
        return 0.2 + session % 7 / 50

    def fetch(self, request: FetchRequest, _report: Any) -> SourceData:
        self.asked.append(request)
        wanted = [name for name in TICKERS if self.listed.get(name, 0) <= self.session]
        wanted = [name for name in wanted if request.tickers is None or name in request.tickers]
        starts = {
            name: max(0, DATES.index(request.last_dates[name]) - OVERLAP) if name in request.last_dates else 0
            for name in wanted
        }
        prices = pd.concat(
            [self.bars(name).query("date >= @first") for name in wanted for first in [DATES[starts[name]]]]
        )
        actions = [
            (name, DATES[at], "dividend", self.paid(at))
            for name, at in self.dividends
            if starts.get(name, 9e9) <= at <= self.session
        ]
        actions += [
            (name, DATES[at], "split", ratio)
            for name, at, ratio in self.splits
            if starts.get(name, 9e9) <= at <= self.session
        ]
        return SourceData(
            instruments=pd.DataFrame({"ticker": wanted, "name": wanted, "kind": ["etf" if name == "SPY" else "stock" for name in wanted]}),
            prices=prices.reset_index(drop=True), actions=pd.DataFrame(sorted(actions), columns=list(ACTION_COLUMNS)),
            factors=self.published_factors(), fetch_log=fetch_log((name, "ok", 1, "") for name in wanted),
        )  # fmt: skip

    def published_factors(self) -> pd.DataFrame:
        """Monthly factors, published about five weeks after the month."""
        known = sum(
            pd.Timestamp(month) + pd.Timedelta(days=35) <= pd.Timestamp(DATES[self.session]) for month in MONTHS
        )
        table = pd.DataFrame(self.factors[:known] - [0, 0, 0, 0.004], columns=["mkt_rf", "smb", "hml", "rf"])
        return table.assign(frequency="M", date=MONTHS[:known], rf=0.002).reindex(columns=list(FACTOR_COLUMNS))

    @property
    def source(self) -> Source:
        return Source("nights", "Nights", "for the test", self.fetch, incremental=True)
