"""Dividends and splits from CSV files: one ticker per file, or a Ticker column."""

import io
import json

import pandas as pd

from pipeline.errors import SourceError
from pipeline.quality import parse_dates
from pipeline.sources._source import ACTION_COLUMNS, REJECT_COLUMNS

KINDS = {
    "dividend": "dividend",
    "dividends": "dividend",
    "split": "split",
    "splits": "split",
    "stock splits": "split",
}
AGREEMENT = 0.1  # dividends are printed with few digits, and some vendors leave special ones out
ISO_LENGTH = 10  # a time of day and a time zone may follow the date


def read_actions(content: bytes, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return (ACTION_COLUMNS, REJECT_COLUMNS) of a file with Date and Dividends, Splits or both.

    The ticker is the Ticker column, else what stands before the first "_" of `name`. Dividends in USD per
    share on the ex-date, splits as new shares per old one; a value of 0 means "none". Raises SourceError.
    """
    try:
        table = pd.read_csv(io.BytesIO(content), dtype=str, encoding_errors="replace")
    except (ValueError, pd.errors.ParserError) as error:
        raise SourceError(f"cannot be read as a table: {error}") from error
    table = table.rename(columns=lambda column: str(column).strip().lower())
    columns = [column for column in table if column in KINDS]
    if "date" not in table or not columns:
        raise SourceError(f"has the columns {', '.join(map(str, table))}; needed are Date and Dividends or Splits")
    owner = table["ticker"] if "ticker" in table else pd.Series(name.split("_")[0].upper(), index=table.index)
    parts = [
        pd.DataFrame({"ticker": owner, "date": table["date"].str[:ISO_LENGTH], "kind": KINDS[column],
                      "value": pd.to_numeric(table[column], errors="coerce"), "payload": table[column]})
        for column in columns
    ]  # fmt: skip
    actions = pd.concat(parts, ignore_index=True)
    actions = actions[actions["value"] != 0]
    good = (actions["value"] > 0) & (actions["value"] < float("inf")) & ~pd.isna(parse_dates(actions["date"]))
    return actions.loc[good, list(ACTION_COLUMNS)], _rejects(actions[~good])


def merge(actions: pd.DataFrame) -> pd.DataFrame:
    """Return actions sorted by their key, each once: the first of two that name one ticker, date and kind."""
    keys = list(ACTION_COLUMNS[:3])
    return actions.drop_duplicates(keys).sort_values(keys, ignore_index=True)


def disagreements(actions: pd.DataFrame, prices: pd.DataFrame) -> dict[str, str]:
    """Return a remark per ticker whose dividends are not those that its adjusted closes contain.

    Dividend and price files saved before and after a split differ by its ratio. Compared is the median of
    dividend / (close before × (1 − factor before / factor)), where factor = adj_close / close.
    """
    found = {}
    of_ticker = dict(list(prices.groupby("ticker")))
    for ticker, paid in actions[actions["kind"] == "dividend"].groupby("ticker"):
        bars = of_ticker.get(ticker, prices.head(0)).drop_duplicates("date").set_index("date")
        factor = bars["adj_close"] / bars["close"]
        implied = bars["close"].shift() * (1 - factor.shift() / factor)
        stated = paid.set_index("date")["value"]
        ratio = float((stated / implied.reindex(stated.index)).median())  # NaN where no date is in both
        if abs(ratio - 1) > AGREEMENT:
            found[str(ticker)] = f"dividends are {ratio:.3g} of what Adj Close contains: another split vintage?"
    return found


def _rejects(rows: pd.DataFrame) -> pd.DataFrame:
    refused = [
        (row.ticker, row.date, f"{row.kind} without a date or a positive value", json.dumps(str(row.payload)))
        for row in rows.itertuples()
    ]
    return pd.DataFrame(refused, columns=list(REJECT_COLUMNS))
