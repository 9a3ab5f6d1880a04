"""From Yahoo's answers to the frames of a source: bars that are finished, actions, names, fundamentals."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from pipeline.sources import _sessions
from pipeline.sources._source import ACTION_COLUMNS, FUNDAMENTAL_COLUMNS, INSTRUMENT_COLUMNS, PRICE_COLUMNS
from pipeline.sources._yahoo_process import Answer
from pipeline.sources._yahoo_universe import RATES

KINDS = {"EQUITY": "stock", "ETF": "etf", "MUTUALFUND": "etf", "INDEX": "index"}
# Metric → Yahoo's name. Ratios and growth are fractions; `dividendYield` is not used, because it is in percent.
METRICS = {
    "market_cap": "marketCap", "trailing_pe": "trailingPE", "forward_pe": "forwardPE", "price_to_book": "priceToBook",
    "dividend_yield": "trailingAnnualDividendYield", "return_on_equity": "returnOnEquity",
    "return_on_assets": "returnOnAssets", "gross_margin": "grossMargins", "operating_margin": "operatingMargins",
    "profit_margin": "profitMargins", "revenue_growth": "revenueGrowth", "earnings_growth": "earningsGrowth",
    "shares_outstanding": "sharesOutstanding",
}  # fmt: skip
INFO_FIELDS = (*METRICS.values(), "sector", "industry")


def prices(ticker: str, answer: Answer) -> pd.DataFrame:
    """Return the bars of one answer, PRICE_COLUMNS, without the days that were not over when it was given.

    Of two clocks, ours and Yahoo's, the earlier one decides.
    """
    table = pd.DataFrame(answer["prices"]).assign(ticker=ticker)[list(PRICE_COLUMNS)]
    clocks = [datetime.fromisoformat(answer[name]) for name in ("fetched_at", "sent_at") if answer[name]]
    last = _sessions.last_finished(answer["meta"]["exchangeTimezoneName"] or _sessions.NEW_YORK, min(clocks))
    table = table[table["date"] <= last].reset_index(drop=True)
    return table.astype(dict.fromkeys(PRICE_COLUMNS[2:], float))


def actions(answers: Mapping[str, Answer]) -> pd.DataFrame:
    """Return the dividends and splits of all answers, sorted by their key."""
    rows = [(ticker, *action) for ticker, answer in answers.items() for action in answer["actions"]]
    return pd.DataFrame(sorted(rows), columns=list(ACTION_COLUMNS))


def instruments(
    described: pd.DataFrame, answers: Mapping[str, Answer], infos: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """Describe every ticker that answered: by our list where it has it, else by what Yahoo says."""
    known = set(described["ticker"]) | set(RATES)
    others = []
    for ticker, answer in answers.items():
        if ticker not in known:
            meta, info = answer["meta"], infos.get(ticker, {})
            name = meta["longName"] or meta["shortName"] or ticker
            others.append((ticker, name, kind(answer), info.get("sector"), info.get("industry"), meta["currency"],
                           meta["exchangeName"]))  # fmt: skip
    here = described[described["ticker"].isin(set(answers))]
    more = pd.DataFrame(others, columns=list(INSTRUMENT_COLUMNS))
    both = pd.concat([here, more], ignore_index=True) if others else here
    return both.sort_values("ticker", ignore_index=True)


def kind(answer: Answer) -> str:
    """Return stock, etf or index, as Yahoo says."""
    return KINDS.get(answer["meta"]["instrumentType"] or "", "stock")


def fundamentals(infos: Iterable[tuple[str, Mapping[str, Any], str, str]]) -> pd.DataFrame:
    """Return FUNDAMENTAL_COLUMNS of (ticker, Yahoo's fields, as_of, fetched_at); what is unknown has no row."""
    rows = [
        (ticker, as_of, metric, info[name], fetched_at)
        for ticker, info, as_of, fetched_at in infos
        for metric, name in METRICS.items()
        if isinstance(info.get(name), float)
    ]
    return pd.DataFrame(sorted(rows), columns=list(FUNDAMENTAL_COLUMNS))
