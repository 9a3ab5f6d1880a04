"""The company's own figures beside its sector, and the tickers that load on the factors as it does."""

from typing import Any

import pandas as pd
from dash import Input, Output, callback, dcc, html

from analytics.cross_section import MIN_PEERS, percentile_rank
from analytics.factor_models import nearest_loadings
from dashapp.components import card, guarded, plain_table
from dashapp.data import market, published
from dashapp.format import is_known, number, percent
from dashapp.ids import SHELL
from dashapp.pages.fundamentals._reading import chosen, fitted_instrument
from dashapp.pages.fundamentals.layout import FACTOR_LABELS, ID, MODELS
from pipeline.queries import factors as factor_queries
from pipeline.queries import fundamentals as fundamental_queries

N_PEERS = 6
METRICS = {  # metric: label and unit
    "market_cap": ("Market cap", "usd"), "trailing_pe": ("P/E, trailing", "ratio"), "forward_pe": ("P/E, forward", "ratio"),
    "price_to_book": ("P/B", "ratio"), "dividend_yield": ("Dividend yield", "share"), "return_on_equity": ("ROE", "share"),
    "return_on_assets": ("ROA", "share"), "gross_margin": ("Gross margin", "share"), "operating_margin": ("Operating margin", "share"),
    "profit_margin": ("Profit margin", "share"), "revenue_growth": ("Revenue growth", "share"), "earnings_growth": ("Earnings growth", "share"),
    "shares_outstanding": ("Shares outstanding", "count"),
}  # fmt: skip


@callback(Output(ID.company, "children"), Input(SHELL.view, "data"), Input(SHELL.run, "data"))
@guarded
def show(seen: Any, _run: Any) -> Any:
    """Show what the company reports, each figure with its date and its place in the sector."""
    with market() as reader:
        instrument = fitted_instrument(reader, seen)
        source = published(reader)[1]
        own = fundamental_queries.company_fundamentals(reader, instrument["ticker"])
        everyone = fundamental_queries.of_universe(reader)
        past = fundamental_queries.history(reader, instrument["ticker"])
    if own.empty:
        why = (
            "a fund has no company figures"
            if instrument["kind"] == "etf"
            else f"{source.label} brings no company figures for {instrument['ticker']}"
        )
        return html.P(
            f"Not available from this source: {why}. They come with the source yahoo.",
            className="text-body-secondary mb-0",
        )
    values = own.set_index("metric")
    peers = everyone[everyone["sector"] == instrument["sector"]] if instrument["sector"] else everyone.head(0)
    rows = [_row(key, values, peers, past) for key in METRICS]
    note = f"{source.label}. Percentile among the stocks of the sector {instrument['sector'] or 'unknown'} in this store that report the figure ({peers['ticker'].nunique()} report any)."
    return [
        plain_table(["Figure", "Value", "Sector percentile", "As of"], rows),
        html.P(note, className="small text-body-secondary mb-0 mt-1"),
    ]


def _row(key: str, values: pd.DataFrame, peers: pd.DataFrame, past: pd.DataFrame) -> list[Any]:
    label, unit = METRICS[key]
    if key not in values.index:
        return [label, html.Span("not available from this source", className="text-body-secondary"), "–", "–"]
    value, first = float(values.loc[key, "value"]), past[past["metric"] == key].iloc[0]
    as_of = str(values.loc[key, "as_of"])
    shown: list[Any] = [_shown(value, unit)]
    if first["as_of"] < as_of:
        shown.append(html.Div(f"{_shown(float(first['value']), unit)} on {first['as_of']}", className="stat-note"))
    rank = percentile_rank(peers.loc[peers["metric"] == key, "value"], value)
    dated = html.Span(as_of, title=f"fetched {values.loc[key, 'fetched_at']}")
    return [label, shown, _bar(rank, int(peers.loc[peers["metric"] == key, "value"].notna().sum())), dated]


def _shown(value: float, unit: str) -> str:
    if unit == "share":
        return percent(value)
    if unit == "ratio":
        return number(value, digits=1)
    for size, name in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if abs(value) >= size:
            return f"{'$' if unit == 'usd' else ''}{number(value / size)} {name}"
    return number(value, digits=0)


def _bar(rank: float, count: int) -> Any:
    """A percentile as a bar with its number; a dash where the sector has too few stocks."""
    if not is_known(rank):
        return html.Span("–", title=f"reported by {count} stocks of the sector: fewer than {MIN_PEERS}")
    shown = round(100 * rank)
    return html.Div([
        html.Div(html.Div(className="percentile-fill", style={"width": f"{shown}%"}), className="percentile-bar"),
        html.Span(str(shown), className="tabular"),
    ], className="percentile", title=f"among {count} stocks of the sector that report it")  # fmt: skip


@callback(
    Output(ID.peers, "children"),
    Input(SHELL.view, "data"), Input(ID.model, "value"), Input(ID.window, "value"), Input(ID.frequency, "value"), Input(SHELL.run, "data"),
)  # fmt: skip
@guarded
def show_peers(seen: Any, model: Any, window: Any, frequency: Any, _run: Any) -> Any:
    """Show the tickers with the nearest loadings, each a link."""
    fit = chosen(model, window, frequency)
    with market() as reader:
        ticker = fitted_instrument(reader, seen)["ticker"]
        loadings = factor_queries.universe_loadings(reader, fit.model, fit.frequency, fit.window)
        names = factor_queries.universe_fits(reader, fit.model, fit.frequency, fit.window).set_index("ticker")
    wide = loadings.pivot(index="ticker", columns="factor", values="beta")
    distances = nearest_loadings(wide, ticker, n=N_PEERS) if ticker in wide.index else pd.Series(dtype=float)
    if distances.empty:
        return card(
            "Peers by loadings",
            html.P(f"{ticker} or the others have no fit of {fit.label}.", className="text-body-secondary mb-0"),
        )
    factors = [name for name in FACTOR_LABELS if name in wide]
    rows = [[
        dcc.Link(name, href=f"/fundamentals?ticker={name}") if name != ticker else html.Strong(name),
        *(number(wide.loc[name, factor]) for factor in factors), "–" if name == ticker else number(distances[name]),
        html.Span(str(names["name"].get(name, "")), className="peer-name", title=str(names["name"].get(name, ""))),
    ] for name in (ticker, *distances.index)]  # fmt: skip
    header = ["Ticker", *(FACTOR_LABELS[name] for name in factors), "Distance", "Name"]
    return card(f"Peers by loadings, {MODELS[fit.model]}", plain_table(header, rows),
                tip="The tickers whose loadings are nearest by Mahalanobis distance: factors on which all tickers differ widely count less.")  # fmt: skip
