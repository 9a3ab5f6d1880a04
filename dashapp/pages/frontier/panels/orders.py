"""From weights to whole shares and orders for a capital, and the portfolio saved by name for other tabs."""

import math
from collections.abc import Mapping
from typing import Any, Final

import dash_bootstrap_components as dbc
import numpy as np
import pandas as pd
from dash import Input, Output, State, callback, ctx, html, no_update
from dash.exceptions import PreventUpdate

from analytics.conventions import INITIAL_CAPITAL
from analytics.errors import InputError, PlumblineError
from analytics.portfolio.discrete_allocation import Allocation, orders, whole_shares
from dashapp import inputs
from dashapp.components import KEPT, card, column, grid, number_column, percent_column, stat, stats
from dashapp.data import market, published, workspace
from dashapp.format import percent, usd
from dashapp.ids import ids
from dashapp.pages.frontier.live import Answer
from dashapp.pages.frontier.panels._panel import Chosen, Panel
from dashapp.pages.frontier.request import EQUALLY_HELD, NOTHING_HELD
from pipeline.queries import portfolios as portfolio_queries
from pipeline.workspace import NAME_CHARACTERS, NEGLIGIBLE, delete_portfolio, reading, save_portfolio

KEY: Final = "orders"
ID = ids("frontier-orders", "name", "save", "delete", "message")
FRAME = ids("frontier", "request", "portfolio", "pick", "saved")  # of the tab this panel is in
MOST_CAPITAL: Final = 1e12  # USD; a number beyond it is a slip of the finger
SHOWN_EXCESS: Final = 1e-4  # of the capital
NAMED: Final = 5  # tickers that a sentence names


def render(chosen: Chosen, controls: Mapping[str, Any]) -> Any:
    """Return the whole shares for the capital, and the orders from what is held today."""
    capital, found = _capital(controls.get("capital")), chosen.answer
    prices = pd.Series(found.inputs.prices, dtype=float)
    wanted = _positive(chosen.weights, found)
    allocation = whole_shares(wanted, prices, capital=capital)
    return [
        stats(_cards(allocation, capital)),
        _beyond(allocation, found),
        card("Whole shares", _shares(wanted, allocation, prices, found),
             tip=f"{chosen.label}, {usd(capital, digits=0)}. The whole shares whose values, with the cash left over, are closest to the weights. Prices are split-adjusted closes of "
                 f"{found.inputs.as_of}; fractions of shares, costs and taxes are not counted."),
        _changes(found, allocation, prices, capital) if found.holdings.any() else html.P(
            'Nothing is held today, so all of these are bought. Choose what is held under "Cash, turnover, income" to see buys and sells.',
            className="small text-body-secondary mb-0"),
    ]  # fmt: skip


def _beyond(allocation: Allocation, found: Answer) -> Any:
    """Which limits whole shares overstep, for no fraction of a share can be bought to keep to them."""
    weights = allocation.weights.reindex(list(found.tickers), fill_value=0.0).to_numpy(dtype=float)
    broken = [
        (limit, limit.excess(weights)) for limit in found.feasible.limits if limit.key != "cash:max"
    ]  # some cash is always left
    words = [f"{limit.label} by {percent(excess, digits=2)}" for limit, excess in broken if excess > SHOWN_EXCESS]
    return html.P(f"Whole shares go beyond: {'; '.join(words)}.", className="alert alert-info py-2") if words else None


def _capital(value: Any) -> float:
    capital = inputs.number("capital", value)
    if not 0 < capital <= MOST_CAPITAL:
        raise InputError(
            "capital", got=inputs.shown(value), allowed=f"dollars above 0, up to {usd(MOST_CAPITAL, digits=0)}"
        )
    return float(capital)


def _positive(weights: Any, found: Answer) -> pd.Series:
    """Weights by ticker, without those that are rounding of a solver."""
    return pd.Series(np.where(np.asarray(weights) >= NEGLIGIBLE, weights, 0.0), index=list(found.tickers))


def _cards(allocation: Allocation, capital: float) -> list[html.Div]:
    bought = int((allocation.shares > 0).sum())
    gap = allocation.gap / capital if allocation.gap > NEGLIGIBLE * capital else 0.0
    return [
        stat("Invested", usd(capital - allocation.cash), note=f"{bought} {'position' if bought == 1 else 'positions'}", tip="Value of the whole shares."),
        stat("Left in cash", usd(allocation.cash), note=percent(allocation.cash / capital, digits=2),
             tip="The cash of the weights, and what was too little for another share."),
        stat("Largest deviation", percent(allocation.deviation, digits=2), note="of the capital, in one ticker",
             tip="Largest difference between achieved and target weight: what whole shares cost in precision. More capital makes it smaller."),
        stat("Gap", percent(gap, digits=3), note="of the capital" if gap else "proved the closest",
             tip="How much closer to the weights another choice of whole shares could be at the most, all differences added up. The search ends "
                 "where no more than a thousandth of a percent can be won, or after a fixed number of steps."),
    ]  # fmt: skip


def _shares(wanted: pd.Series, allocation: Allocation, prices: pd.Series, found: Answer) -> Any:
    held = wanted.index[wanted > 0]
    table = pd.DataFrame({
        "ticker": held, "name": [found.inputs.names.get(ticker, "") for ticker in held], "target": wanted[held].to_numpy(),
        "price": prices.reindex(held).to_numpy(), "shares": allocation.shares[held].to_numpy(),
        "achieved": allocation.weights[held].to_numpy(),
    })  # fmt: skip
    table["value"] = table["shares"] * table["price"]
    table["deviation"] = table["achieved"] - table["target"]
    return grid("frontier-shares", table.sort_values(["target", "ticker"], ascending=[False, True]), [
        column("ticker", "Ticker", width=90, pinned="left"), column("name", "Name", minWidth=120, tooltipField="name"),
        percent_column("target", "Target weight", digits=2, width=100), number_column("price", f"Price $, {found.inputs.as_of}", width=115),
        number_column("shares", "Shares", digits=0, width=95), number_column("value", "Value $", width=120),
        percent_column("achieved", "Achieved weight", digits=2, width=105),
        percent_column("deviation", "Deviation", digits=2, width=105, tip="Achieved less target weight"),
    ], row_id="ticker", file="shares", height=None if len(table) <= 15 else 480)  # fmt: skip


def _changes(found: Answer, allocation: Allocation, prices: pd.Series, capital: float) -> html.Div:
    """Orders from the same capital held in today's weights."""
    today = whole_shares(_positive(found.holdings, found), prices, capital=capital)
    table = orders(today.shares, allocation.shares, prices)
    table.insert(1, "name", [found.inputs.names.get(ticker, "") for ticker in table["ticker"]])
    bought, sold = (float(table.loc[table["side"] == side, "value"].sum()) for side in ("buy", "sell"))
    words = f"Buys of {usd(bought)}, sales of {usd(sold)}: a turnover of {percent((bought + sold) / 2 / capital)}. {_outside(found)}"
    return card("Orders from what is held today", [
        html.P(words, className="mb-4"),
        grid("frontier-orders", table.assign(side=table["side"].str.capitalize()), [
            column("ticker", "Ticker", width=90, pinned="left"), column("side", "Side", width=80),
            number_column("shares", "Shares", digits=0, width=95), number_column("price", "Price $", width=100),
            number_column("value", "Value $", width=120), column("name", "Name", minWidth=140, tooltipField="name"),
        ], row_id="ticker", file="orders", height=None if len(table) <= 15 else 480) if len(table) else html.P("Nothing to trade.", className="mb-0"),
    ], tip=f"Today's weights are taken as whole shares of the same {usd(capital, digits=0)}. Turnover is half of all that is traded, over the capital.",
       class_name="mt-3")  # fmt: skip


def _outside(found: Answer) -> str:
    """Say what a saved portfolio holds that this universe has no price of."""
    if found.request.held in (NOTHING_HELD, EQUALLY_HELD):
        return ""
    with reading(workspace()) as reader:
        saved = portfolio_queries.portfolio_weights(reader, found.request.held)
    left = [ticker for ticker in saved if ticker not in found.tickers]
    named = ", ".join(left[:NAMED]) + (f" and {len(left) - NAMED} more" if len(left) > NAMED else "")
    return f"Not in this universe, and so not in the orders: {named}." if left else ""


@callback(
    Output(ID.message, "children"), Output(FRAME.saved, "data"),
    Input(ID.save, "n_clicks"), Input(ID.delete, "n_clicks"), State(ID.name, "value"),
    State(FRAME.request, "data"), State(FRAME.portfolio, "value"), State(FRAME.pick, "value"), prevent_initial_call=True,
)  # fmt: skip
def keep(saves: Any, deletes: Any, name: Any, request: Any, point: Any, pick: Any) -> Any:
    """Save the chosen portfolio by name, or delete the one of that name."""
    pressed = (saves or 0) + (deletes or 0)
    if not pressed:  # the page was mounted, nobody pressed
        raise PreventUpdate
    try:
        name = _name(name)
        words = _delete(name) if ctx.triggered_id == ID.delete else _save(name, request, point, pick)
    except PlumblineError as error:
        return html.Span(str(error), className="tone-down"), no_update
    return html.Span(words, className="tone-up"), {"name": name, "n": pressed}


def _name(value: Any) -> str:
    """The name without blanks around it; two are taken by what the list of holdings offers besides."""
    name = value.strip() if isinstance(value, str) else ""
    if not 0 < len(name) <= NAME_CHARACTERS or name in (NOTHING_HELD, EQUALLY_HELD):
        allowed = f"1 to {NAME_CHARACTERS} characters, other than {NOTHING_HELD} and {EQUALLY_HELD}"
        raise InputError("name", got=inputs.shown(value) if value else "nothing", allowed=allowed)
    return name


def _save(name: str, request: Any, point: Any, pick: Any) -> str:
    from dashapp.pages.frontier.portfolio import chosen_portfolio  # that module imports the panels

    chosen = chosen_portfolio(request, point, pick, None)
    found = chosen.answer
    with market() as reader:
        run, _ = published(reader)
    with reading(workspace()) as reader:
        known = name in set(portfolio_queries.portfolios(reader)["name"])
    kept = _positive(chosen.weights, found)
    save_portfolio(
        workspace(), name, {str(ticker): float(weight) for ticker, weight in kept[kept > 0].items()},
        universe=found.request.universe, source=chosen.label, request=found.request.text, data_run_id=run["run_id"], as_of=found.inputs.as_of,
    )  # fmt: skip
    count, cash = int((kept > 0).sum()), 1 - math.fsum(kept)
    left = f", {percent(cash)} cash" if cash > NEGLIGIBLE else ""
    return (
        f"{'Saved again' if known else 'Saved'} as {name} · {count} {'position' if count == 1 else 'positions'}{left}"
    )


def _delete(name: str) -> str:
    with reading(workspace()):  # creates the database where there is none, so that the answer is about the portfolio
        pass
    delete_portfolio(workspace(), name)
    return f"Deleted {name}"


def _saving() -> html.Div:
    """A name and what to do with it: not inputs of the panel, which need not be drawn again for them."""
    return html.Div([
        dbc.Input(id=ID.name, type="text", maxLength=NAME_CHARACTERS, placeholder="Name", size="sm", debounce=True, style={"width": "12rem"}, **KEPT),
        dbc.Button("Save", id=ID.save, size="sm"), dbc.Button("Delete", id=ID.delete, size="sm", color="secondary", outline=True),
        html.Span(id=ID.message, role="status", className="small"),
    ], className="d-flex flex-wrap gap-2 align-items-center")  # fmt: skip


PANEL = Panel(
    KEY, "Orders", 80,
    "Whole shares for a capital, what to buy and sell, and the portfolio saved by name: it can then be what is held today.", render,
    controls={
        "capital": ("Capital, $", dbc.Input(type="number", value=INITIAL_CAPITAL, min=1, max=MOST_CAPITAL, step="any", size="sm", debounce=True, **KEPT)),
        "saving": ("Save the chosen portfolio under a name", _saving()),
    },
)  # fmt: skip
