"""Yahoo Finance: the Nasdaq-100, benchmark and sector funds, indices, yields; Kenneth French's factors."""

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from pipeline.errors import SourceError
from pipeline.sources import _french_download, _yahoo_batch
from pipeline.sources._frames import fetch_log, split_yields, stack
from pipeline.sources._source import (
    ACTION_COLUMNS,
    INSTRUMENT_COLUMNS,
    MEMBER_COLUMNS,
    PRICE_COLUMNS,
    FetchRequest,
    Report,
    Source,
    SourceData,
)

DATA = Path(__file__).parents[1] / "data"
UNIVERSE = "nasdaq100"
FIRST_DATE = "2000-01-01"  # of a first fetch without a start: five market cycles
OVERLAP_WEEKDAYS = 12  # ten sessions and the two holidays that may lie among them
EXCHANGE_ZONE = ZoneInfo("America/New_York")
BAR_FINISHED = time(16, 30)  # the close, and half an hour for the closing auction to arrive
FUNDS = {
    "SPY": "SPDR S&P 500 ETF", "QQQ": "Invesco QQQ Trust", "IWM": "iShares Russell 2000 ETF",
    "XLB": "Materials Select Sector SPDR", "XLC": "Communication Services Select Sector SPDR",
    "XLE": "Energy Select Sector SPDR", "XLF": "Financial Select Sector SPDR",
    "XLI": "Industrial Select Sector SPDR", "XLK": "Technology Select Sector SPDR",
    "XLP": "Consumer Staples Select Sector SPDR", "XLRE": "Real Estate Select Sector SPDR",
    "XLU": "Utilities Select Sector SPDR", "XLV": "Health Care Select Sector SPDR",
    "XLY": "Consumer Discretionary Select Sector SPDR",
}  # fmt: skip
INDICES = {"^GSPC": "S&P 500", "^NDX": "NASDAQ-100", "^VIX": "CBOE Volatility Index"}
RATES = {"^IRX": "13-week Treasury bill yield", "^TNX": "10-year Treasury note yield"}
KINDS = {"EQUITY": "stock", "ETF": "etf", "MUTUALFUND": "etf", "INDEX": "index"}


def fetch(request: FetchRequest, report: Report) -> SourceData:
    """Download what is missing since `last_dates` and an overlap; raises SourceError where nothing came.

    An empty answer is logged as "empty": unknown, never "delisted". A factor file that fails is logged as an
    error and spoils nothing else. prices: USD, close adjusted for splits, adj_close for dividends too.
    """
    now = datetime.now(EXCHANGE_ZONE)
    described = _universe()
    tickers = tuple(dict.fromkeys(request.tickers or (*described["ticker"], *RATES)))
    answers = _answers(tickers, request, now, report)
    good = [answer for answer in answers if answer["status"] == "ok"]
    if not good:
        causes = "; ".join(sorted({answer["message"] for answer in answers})[:3])
        raise SourceError(f"nothing could be fetched: {causes}. The store is unchanged.")
    report(1.0, "reading Kenneth French's factors")
    factors, french_log = _french_download.download(request.settings.french_url)
    frames = {answer["ticker"]: _without_unfinished(_prices(answer), now) for answer in good}
    fetched = stack(frames.values(), PRICE_COLUMNS).sort_values(["ticker", "date"], ignore_index=True)
    prices, rates, rejects = split_yields(fetched)
    log = [
        (answer["ticker"], answer["status"], len(frames.get(answer["ticker"], ())), answer["message"])
        for answer in answers
    ]
    return SourceData(
        instruments=_instruments(described, good),
        prices=prices,
        rates=rates,
        actions=_actions(good),
        factors=factors,
        members=_members(),
        rejects=rejects,
        fetch_log=fetch_log([*log, *french_log]),
    )


def _answers(
    tickers: tuple[str, ...], request: FetchRequest, now: datetime, report: Report
) -> list[_yahoo_batch.Answer]:
    settings = request.settings
    starts = {ticker: _start(ticker, request.last_dates, request.start) for ticker in tickers}
    batches = _yahoo_batch.download(
        starts,
        (now.date() + timedelta(days=1)).isoformat(),
        size=settings.yahoo_batch,
        seconds=settings.yahoo_batch_seconds,
        cache_dir=Path(settings.cache_dir) / "yahoo",
    )
    answers: list[_yahoo_batch.Answer] = []
    report(0.0, f"asking Yahoo for {len(tickers)} tickers")
    for batch in batches:
        answers += batch
        report(len(answers) / len(tickers), f"{len(answers)} of {len(tickers)} tickers asked for")
    return answers


def _start(ticker: str, last_dates: Mapping[str, str], start: str | None) -> str:
    """The first date wanted: an overlap before the newest stored date, so that rewritten history shows."""
    if ticker not in last_dates:
        return start or FIRST_DATE
    return str(np.busday_offset(last_dates[ticker], -OVERLAP_WEEKDAYS, roll="backward"))


def _prices(answer: _yahoo_batch.Answer) -> pd.DataFrame:
    prices = pd.DataFrame(answer["prices"]).assign(ticker=answer["ticker"])[list(PRICE_COLUMNS)]
    return prices.astype(dict.fromkeys(PRICE_COLUMNS[2:], float))


def _without_unfinished(prices: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """Drop bars of days that were not over at `now`, New York: their close would still change."""
    last = now.date() if now.time() >= BAR_FINISHED else now.date() - timedelta(days=1)
    return prices[prices["date"] <= last.isoformat()].reset_index(drop=True)


def _universe() -> pd.DataFrame:
    """The instruments asked for by default, with INSTRUMENT_COLUMNS."""
    stocks = pd.read_csv(DATA / "nasdaq100.csv", dtype=str).assign(kind="stock", exchange="NASDAQ")
    funds = [(ticker, name, "etf") for ticker, name in FUNDS.items()]
    indices = [(ticker, name, "index") for ticker, name in INDICES.items()]
    others = pd.DataFrame([*funds, *indices], columns=["ticker", "name", "kind"])
    both = pd.concat([stocks, others], ignore_index=True).assign(currency="USD")
    return both.reindex(columns=list(INSTRUMENT_COLUMNS))


def _instruments(described: pd.DataFrame, answers: Iterable[_yahoo_batch.Answer]) -> pd.DataFrame:
    """Describe every ticker that answered: by our list where it has it, else by what Yahoo says."""
    known = set(described["ticker"]) | set(RATES)
    others = []
    for answer in answers:
        if answer["ticker"] not in known:
            meta, ticker = answer["meta"], answer["ticker"]
            name = meta["longName"] or meta["shortName"] or ticker
            kind = KINDS.get(meta["instrumentType"] or "", "stock")
            others.append((ticker, name, kind, meta["currency"], meta["exchangeName"]))
    here = described[described["ticker"].isin({answer["ticker"] for answer in answers})]
    more = pd.DataFrame(others, columns=["ticker", "name", "kind", "currency", "exchange"])
    both = pd.concat([here, more], ignore_index=True) if others else here
    return both.reindex(columns=list(INSTRUMENT_COLUMNS)).sort_values("ticker", ignore_index=True)


def _actions(answers: Iterable[_yahoo_batch.Answer]) -> pd.DataFrame:
    rows = [(answer["ticker"], *action) for answer in answers for action in answer["actions"]]
    return pd.DataFrame(sorted(rows), columns=list(ACTION_COLUMNS))


def _members() -> pd.DataFrame:
    """The index's membership since 2015, former members included."""
    members = pd.read_csv(DATA / "nasdaq100_members.csv", dtype=str).assign(universe=UNIVERSE)
    return members[list(MEMBER_COLUMNS)]


SOURCE = Source(
    key="yahoo",
    label="Yahoo Finance",
    description=(
        "Daily bars, dividends and splits of the Nasdaq-100 (list as of 2026-01-20), benchmark and sector "
        "funds, indices and Treasury yields from Yahoo Finance, and Kenneth French's factors. Personal use "
        "only; the list of members leaves out companies that failed, so past results flatter (survivorship)."
    ),
    fetch=fetch,
    incremental=True,
)
