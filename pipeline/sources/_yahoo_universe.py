"""What the Yahoo source follows: index members, funds, indices, yields; and which tickers had another name."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from pipeline.sources._frames import check_tickers
from pipeline.sources._source import CHANGE_COLUMNS, INSTRUMENT_COLUMNS, MEMBER_COLUMNS
from pipeline.universe import MEMBERS

DATA = Path(__file__).parents[1] / "data"
UNIVERSE = "nasdaq100"
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


def described() -> pd.DataFrame:
    """Return the instruments that we describe ourselves, with INSTRUMENT_COLUMNS."""
    stocks = pd.read_csv(DATA / "nasdaq100.csv", dtype=str).assign(kind="stock", exchange="NASDAQ")
    funds = [(ticker, name, "etf") for ticker, name in FUNDS.items()]
    indices = [(ticker, name, "index") for ticker, name in INDICES.items()]
    others = pd.DataFrame([*funds, *indices], columns=["ticker", "name", "kind"])
    both = pd.concat([stocks, others], ignore_index=True).assign(currency="USD")
    return both.reindex(columns=list(INSTRUMENT_COLUMNS))


def members(path: Path = MEMBERS) -> pd.DataFrame:
    """Return the index's membership since 2015, former members included, with MEMBER_COLUMNS."""
    return pd.read_csv(path, dtype=str).assign(universe=UNIVERSE)[list(MEMBER_COLUMNS)]


def changes() -> pd.DataFrame:
    """Return the tickers that are no longer used, with CHANGE_COLUMNS."""
    return pd.read_csv(DATA / "ticker_changes.csv", dtype=str)[list(CHANGE_COLUMNS)]


def followed(stored: Iterable[str], path: Path = MEMBERS) -> tuple[str, ...]:
    """Return the tickers to ask for: present members, funds, indices, yields, and all that is stored already.

    Who left the index is followed on. A ticker that was given up for another is not: today it may name another
    company. Raises InputError where a ticker cannot be one.
    """
    table = members(path)
    present = table.loc[table["end_date"].isna(), "ticker"]
    given_up = set(changes()["ticker"]) - set(present)
    wanted = [*present, *FUNDS, *INDICES, *RATES, *(ticker for ticker in sorted(stored) if ticker not in given_up)]
    return check_tickers(wanted)
