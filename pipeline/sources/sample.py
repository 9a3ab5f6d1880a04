"""The embedded default: real prices and factors that installed packages carry, read without the network."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.errors import SourceError
from pipeline.sources import _french
from pipeline.sources._frames import select
from pipeline.sources._source import (
    FACTOR_COLUMNS,
    INSTRUMENT_COLUMNS,
    PRICE_COLUMNS,
    FetchRequest,
    Report,
    Source,
    SourceData,
)

INSTRUMENTS = Path(__file__).parents[1] / "data" / "sample_instruments.csv"
STOCKS = ("skfolio", "datasets/data/sp500_dataset.csv.gz")
SP500_CLOSES = ("skfolio", "datasets/data/sp500_index.csv.gz")
SP500_BARS = ("arch", "data/sp500/sp500.csv.gz")
NASDAQ_BARS = ("arch", "data/nasdaq/nasdaq.csv.gz")
FACTORS = ("arch", "data/frenchdata/frenchdata.csv.gz")
YAHOO_FIELDS = {
    "Open": "open", "High": "high", "Low": "low", "Close": "close",
    "Adj Close": "adj_close", "Volume": "volume",
}  # fmt: skip


def fetch(request: FetchRequest, report: Report) -> SourceData:
    """Return the bundled data; raises SourceError where a package or one of its files is missing.

    prices: USD, the stocks' closes adjusted for splits and dividends and so equal to adj_close. NaN when: the
    open, high, low and volume of the stocks, and of the S&P 500 outside 1999 to 2018, are unknown.
    """
    report(0.0, "reading the bundled prices")
    prices = pd.concat([_index("^GSPC", _sp500()), _index("^IXIC", _bars(NASDAQ_BARS)), _stocks()])
    prices = prices.sort_values(["ticker", "date"], ignore_index=True)[list(PRICE_COLUMNS)]
    instruments = pd.read_csv(INSTRUMENTS, dtype=str)[list(INSTRUMENT_COLUMNS)]
    whole = SourceData(instruments=instruments, prices=prices, factors=_factors())
    return select(whole, request)


def _read(place: tuple[str, str]) -> pd.DataFrame:
    """Read a data file of an installed package without importing the package, which would take seconds."""
    package, name = place
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SourceError(f"The sample needs the package {package}, which is not installed; run make install.")
    path = Path(next(iter(spec.submodule_search_locations))) / name
    try:
        return pd.read_csv(path, index_col=0)
    except (OSError, ValueError) as error:
        raise SourceError(f"The sample expects {package} to bundle {name}: {error}. Run make install.") from error


def _stocks() -> pd.DataFrame:
    closes = _read(STOCKS)
    long = closes.melt(var_name="ticker", value_name="close", ignore_index=False).rename_axis("date").reset_index()
    return long.assign(adj_close=long["close"], open=np.nan, high=np.nan, low=np.nan, volume=np.nan)


def _bars(place: tuple[str, str]) -> pd.DataFrame:
    """Yahoo bars indexed by ISO date; the files write M/D/YYYY."""
    bars = _read(place).rename(columns=YAHOO_FIELDS).astype(float)
    return bars.set_axis(pd.to_datetime(bars.index, format="%m/%d/%Y").strftime("%Y-%m-%d"))


def _sp500() -> pd.DataFrame:
    """The bars where there are bars, 1999 to 2018; the bare closes of the same index elsewhere."""
    closes = _read(SP500_CLOSES).iloc[:, 0]
    return _bars(SP500_BARS).combine_first(pd.DataFrame({"close": closes, "adj_close": closes}))


def _index(ticker: str, bars: pd.DataFrame) -> pd.DataFrame:
    return bars.rename_axis("date").reset_index().assign(ticker=ticker)


def _factors() -> pd.DataFrame:
    """Monthly factors as fractions; the file holds percent and writes its months as YYYYMM."""
    table = _read(FACTORS).rename(columns=lambda name: _french.COLUMNS[name.lower()]) / _french.PERCENT
    stamps = table.index.astype(str)
    months = (stamps.str[:4] + "-" + stamps.str[4:]).to_numpy(dtype="datetime64[M]")
    return (
        table.assign(frequency="M", date=_french.month_ends(months))
        .reindex(columns=list(FACTOR_COLUMNS))[list(FACTOR_COLUMNS)]
        .reset_index(drop=True)
    )


SOURCE = Source(
    key="sample",
    label="Sample 1990-2022",
    description=(
        "20 large US stocks, real daily closes adjusted for splits and dividends, 1990 to 2022 (from the "
        "package skfolio, rounded to three decimals; no open, high, low or volume); the S&P 500 and the "
        "NASDAQ Composite with full bars for 1999 to 2018, and monthly Fama-French factors to November 2018 "
        "(from the package arch)."
    ),
    fetch=fetch,
    price_basis="adjusted for splits and dividends",
)
