"""What can be tested: chosen tickers, all stocks, an index, a sector, or a saved portfolio's tickers."""

from typing import Any

from analytics.errors import InputError, MissingDataError, PlumblineError
from dashapp import inputs
from dashapp.data import market, workspace
from pipeline.queries import Reader
from pipeline.queries import instruments as instrument_queries
from pipeline.queries import portfolios as portfolio_queries
from pipeline.workspace import reading

CHOSEN, ALL = "chosen", "all"
INDEX, SECTOR, PORTFOLIO = "index", "sector", "portfolio"
LONGEST = 200  # characters of a scope: a kind and a name
UNKNOWN_SECTOR = "unknown"


def scopes() -> list[dict[str, str]]:
    """Return the options of the universe: {value, label}; those that need a store only where there is one."""
    found = [{"value": CHOSEN, "label": "Chosen tickers"}, {"value": ALL, "label": "All stocks"}]
    try:
        with market() as reader:
            stocks = _stocks(reader)
            names = instrument_queries.universe_names(reader)
        found += [{"value": f"{INDEX}:{name}", "label": f"Index: {name}"} for name in names]
        counts = stocks["sector"].value_counts().sort_index()
        found += [{"value": f"{SECTOR}:{name}", "label": f"Sector: {name} ({n})"} for name, n in counts.items()]
        with reading(workspace()) as reader:
            saved = portfolio_queries.portfolios(reader)
    except PlumblineError:
        return found  # the answer area says what is missing
    return found + [
        {"value": f"{PORTFOLIO}:{row.name}", "label": f"Portfolio: {row.name} ({row.positions})"}
        for row in saved.sort_values("name").itertuples(index=False)
    ]


def tickers_in(scope: Any, chosen: Any) -> list[str] | None:
    """Return the tickers of a universe, None being all stocks; chosen: those of the form.

    An index is taken with its members of the newest day. Raises InputError where the universe is not one of those
    offered or none of it is in the store, MissingDataError where there is no such portfolio.
    """
    if scope == CHOSEN:
        return inputs.tickers(chosen)
    if scope == ALL:
        return None
    kind, _, name = inputs.text("universe", scope, most=LONGEST).partition(":")
    if kind == PORTFOLIO:
        with reading(workspace()) as reader:
            held = portfolio_queries.portfolio_weights(reader, name)
    with market() as reader:
        listed = instrument_queries.instruments(reader)
        if kind == INDEX:
            newest = instrument_queries.newest_date(reader) or ""
            wanted = set(instrument_queries.universe_members(reader, name, newest))
        elif kind == SECTOR:
            stocks = _stocks(reader)
            wanted = set(stocks.loc[stocks["sector"] == name, "ticker"])
        else:
            wanted = set(held) if kind == PORTFOLIO else set()
    found = sorted(wanted & set(listed["ticker"]))
    if not found:
        allowed = "a universe of the list whose tickers are in the store"
        raise InputError("universe", got=inputs.shown(scope), allowed=allowed, fix="Choose another one.")
    if kind == PORTFOLIO and len(found) < len(wanted):
        gone = ", ".join(sorted(wanted - set(found))[:5])
        raise MissingDataError(f"The portfolio {name!r} holds tickers that the store does not have: {gone}.")
    return found


def _stocks(reader: Reader) -> Any:
    listed = instrument_queries.instruments(reader)
    stocks = listed[(listed["kind"] == "stock") & (listed["active"] == 1)]
    return stocks.assign(sector=stocks["sector"].fillna("").replace("", UNKNOWN_SECTOR))
