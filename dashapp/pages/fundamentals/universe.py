"""The universe: every alpha and beta with its error, and whether all alphas are zero together."""

from typing import Any
from urllib.parse import urlencode

import pandas as pd
from dash import Input, Output, State, callback, html
from dash.exceptions import PreventUpdate

from analytics.conventions import FACTOR_WINDOWS
from analytics.errors import MissingDataError
from dashapp.components import card, graph, grid_id, guarded, plain_table, records, stat, stats
from dashapp.data import market
from dashapp.figures.factors import cross_section_figure
from dashapp.format import number, percent
from dashapp.ids import SHELL
from dashapp.inputs import clicked_ticker, is_ticker, view
from dashapp.pages.fundamentals._reading import Chosen, chosen, window_label
from dashapp.pages.fundamentals.columns import HOLDS, OF_UNIVERSE, SIGNIFICANT, UNCORRECTED, verdict
from dashapp.pages.fundamentals.layout import ID, MODELS, SWITCH, UNIVERSE_GRID, VIEWS, address
from pipeline.queries import factors as factor_queries

_PLACE = {months: number for number, months in enumerate(FACTOR_WINDOWS)}


@callback(
    Output(ID.universe, "children"), Output(grid_id(UNIVERSE_GRID), "rowData"), Output(ID.universe_body, "hidden"),
    Input(ID.view, "data"), Input(ID.model, "value"), Input(ID.window, "value"), Input(ID.frequency, "value"), Input(SHELL.theme_name, "data"),
    Input(SHELL.run, "data"),
)  # fmt: skip
def show(
    shown_view: Any, model: Any, window: Any, frequency: Any, theme: Any, _run: Any
) -> tuple[Any, list[dict[str, Any]], bool]:
    """Fill the cross-section of the chosen fit, where the universe is shown."""
    if shown_view != "universe":
        raise PreventUpdate
    found = _read(model, window, frequency)
    if not isinstance(found, tuple):
        return found, [], True
    fit, fits, tests = found
    shown = fits.assign(verdict=[verdict(row.alpha_p, row.alpha_q) for row in fits.itertuples()])
    bars = pd.DataFrame({"ticker": shown["ticker"], "value": shown["alpha"], "low": shown["alpha_low"], "high": shown["alpha_high"],
                         "survives": shown["verdict"] == HOLDS}).dropna()  # fmt: skip
    parts = [
        stats(_cards(fit, shown, tests)),
        card(f"Alphas of the universe, {fit.label}", graph(cross_section_figure(bars, theme=theme), tools=False),
             tip="Annual alphas in order of size with their 95 % intervals. Of a hundred tickers without any alpha, five stand out by chance."),
        card("Are all alphas zero together?", _joint(tests),
             tip="The test of Gibbons, Ross and Shanken (1989) on the stocks of the store: exact for normal residuals. A small p says that the model leaves "
                 "something unexplained, not where."),
    ]  # fmt: skip
    return parts, records(shown[[item["field"] for item in OF_UNIVERSE]]), False


@guarded
def _read(model: Any, window: Any, frequency: Any) -> Any:
    fit = chosen(model, window, frequency)
    with market() as reader:
        fits = factor_queries.universe_fits(reader, fit.model, fit.frequency, fit.window)
        tests = factor_queries.joint_tests(reader)
    if fits.empty:
        raise MissingDataError(
            f"There is no fit of {fit.label}: this source lacks a factor, or no ticker has enough history. Choose another at the top."
        )
    return fit, fits, tests


def _cards(fit: Chosen, shown: pd.DataFrame, tests: pd.DataFrame) -> list[Any]:
    holds, before = ((shown["verdict"] == word).sum() for word in (HOLDS, UNCORRECTED))
    own = tests[
        (tests["model"] == fit.model) & (tests["window_months"] == fit.window) & (tests["frequency"] == fit.frequency)
    ]
    joint = own.iloc[0] if len(own) else None
    p_value = None if joint is None else joint["p_value"]
    note = (
        "of monthly fits over the full history, 120 and 60 months"
        if joint is None
        else joint["message"]
        or f"F {number(joint['statistic'])}, {joint['n_tickers']:.0f} stocks, {joint['n_obs']:.0f} months"
    )
    return [
        stat("Tickers", str(len(shown)), note=f"to {shown['sample_end'].max()}", tip="Active stocks and funds with this fit."),
        stat("Alpha p ≤ 0.05", str(int((shown["alpha_p"] <= SIGNIFICANT).sum())), note=f"{number(SIGNIFICANT * len(shown), digits=0)} expected by chance",
             tip="Before any correction for the number of tickers."),
        stat("Survive correction", str(int(holds)), note=f"{int(before)} only before it", tip="q ≤ 0.05 after Benjamini and Hochberg."),
        stat("Median beta", number(shown["beta"].median()), note=f"{number(shown['beta'].min())} to {number(shown['beta'].max())}", tip="Loading on the market."),
        stat("Median required return", percent(shown.loc[shown["kind"] == "stock", "expected_return"].median()), note="of the stocks",
             tip="What a stock's required return is compared with for its fundamental outlook."),
        stat("Joint test, p", number(p_value, digits=3), note=note, tip="Whether all alphas of the stocks are zero together (GRS)."),
    ]  # fmt: skip


def _joint(tests: pd.DataFrame) -> html.Div:
    ordered = tests.sort_values(
        ["model", "window_months"], key=lambda column: column.map(_PLACE) if column.name == "window_months" else column
    )
    rows = [[
        f"{MODELS.get(row.model, row.model)}, {window_label(row.window_months)}", number(row.statistic), number(row.p_value, digits=4), percent(row.mean_abs_alpha),
        number(row.n_tickers, digits=0), number(row.n_obs, digits=0), f"{row.sample_start or '–'} to {row.sample_end or '–'}", html.Span(row.message, className="joint-message"),
    ] for row in ordered.itertuples()]  # fmt: skip
    return plain_table(
        ["Model, monthly", "F", "p", "Mean |alpha|", "Stocks", "Months", "Common sample", "Remark"], rows
    )


@callback(*(Output(SWITCH[key], "href") for key in VIEWS), Input(SHELL.view, "data"))
def follow(seen: Any) -> list[str]:
    """Let the links between the views carry the ticker that is chosen now."""
    name, span = view(seen)
    query = {"ticker": name if is_ticker(name) else None, "range": span}
    return [address(key, query) for key in VIEWS]


@callback(
    Output(ID.go, "href"),
    Input(grid_id(UNIVERSE_GRID), "selectedRows"),
    State(SHELL.view, "data"),
    prevent_initial_call=True,
)
def open_ticker(rows: Any, seen: Any) -> str:
    """Open the clicked ticker."""
    chosen_ticker = clicked_ticker(rows)
    return (
        f"/fundamentals?{urlencode({'ticker': chosen_ticker, 'range': view(seen)[1]}, safe='^')}"
        if chosen_ticker
        else ""
    )
