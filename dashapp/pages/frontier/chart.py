"""The callbacks from the controls to the frontier, from a portfolio to everything below, and of the open panel."""

from typing import Any

from dash import ALL, ClientsideFunction, Input, Output, State, callback, clientside_callback, html, no_update
from dash.exceptions import PreventUpdate

from analytics.errors import PlumblineError
from analytics.portfolio.portfolios import evaluate
from dashapp import inputs
from dashapp.components import empty_state, error_title, guarded
from dashapp.figures.frontier import frontier_figure
from dashapp.format import percent
from dashapp.ids import SHELL
from dashapp.pages.frontier.layout import FIELDS, ID, held_options, ticker_bound
from dashapp.pages.frontier.live import answer
from dashapp.pages.frontier.panels import PANELS, Panel, asked_id, body_id, control_id
from dashapp.pages.frontier.picture import Picture, gap, picture
from dashapp.pages.frontier.portfolio import ON_FRONTIER, chosen_portfolio, portfolio_view
from dashapp.pages.frontier.request import NOTHING_HELD, FrontierRequest, parse

clientside_callback(
    ClientsideFunction("plumbline", "frontierRequest"),
    Output(ID.request, "data"),
    Input(ID.universe, "value"), Input(ID.returns, "value"), Input(ID.covariance, "value"), Input(ID.views, "value"),
    Input(ID.exclude, "value"), Input(ID.held, "value"), *(Input(getattr(ID, name), "value") for name in FIELDS),
    Input({"type": "frontier-sector", "name": ALL}, "value"), Input({"type": "frontier-ticker", "name": ALL}, "value"),
    State(ID.request, "data"),
)  # fmt: skip
clientside_callback(
    ClientsideFunction("plumbline", "frontierPoint"),
    Output(ID.portfolio, "value"), Output(ID.pick, "value"),
    Input(ID.chart, "clickData"), prevent_initial_call=True,
)  # fmt: skip
clientside_callback(
    ClientsideFunction("plumbline", "frontierMark"),
    Output(ID.marked, "data"),
    Input(ID.line, "data"), Input(ID.chart, "figure"),
)  # fmt: skip
clientside_callback(
    ClientsideFunction("plumbline", "frontierSlide"),
    Output(ID.point, "data"),
    Input(ID.portfolio, "value"), Input(ID.pick, "value"), State(ID.point, "data"),
)  # fmt: skip
clientside_callback(
    ClientsideFunction("plumbline", "frontierPanels"),
    *(Output(asked_id(key), "data") for key in PANELS),
    Input(ID.tab, "active_tab"), Input(ID.request, "data"), Input(ID.point, "data"), Input(ID.pick, "value"),
    Input(SHELL.theme_name, "data"), Input(SHELL.run, "data"),
)  # fmt: skip
clientside_callback(
    ClientsideFunction("plumbline", "frontierLink"),
    Output(ID.link, "href"),
    Input(ID.request, "data"), Input(ID.point, "data"), Input(ID.pick, "value"),
)  # fmt: skip
clientside_callback(
    ClientsideFunction("plumbline", "frontierViews"),
    Output(ID.views_box, "hidden"),
    Input(ID.returns, "value"),
)
clientside_callback(
    ClientsideFunction("plumbline", "frontierReset"),
    *(Output(getattr(ID, name), "value", allow_duplicate=True) for name in FIELDS),
    Output(ID.exclude, "value"), Output(ID.bounded, "value"), Output({"type": "frontier-sector", "name": ALL}, "value"),
    Input(ID.reset, "n_clicks"), prevent_initial_call=True,
)  # fmt: skip


@callback(
    Output(ID.ticker_bounds, "children"),
    Input(ID.bounded, "value"),
    State(ID.request, "data"),
    prevent_initial_call=True,
)
@guarded
def bound_tickers(chosen: Any, request: Any) -> Any:
    """Put a slider for each ticker that has bounds of its own, as they were."""
    known = request.get("tickers", {}) if isinstance(request, dict) else {}
    # A ticker begins with the bounds of all others: naming it alone changes nothing.
    general = (
        [request.get("min_weight") or 0, request.get("max_weight") or 100] if isinstance(request, dict) else [0, 100]
    )
    return [ticker_bound(name, known.get(name, general)) for name in sorted(inputs.tickers(chosen))]


@callback(
    Output(ID.held, "options"), Output(ID.held, "value"),
    Input(ID.saved, "data"), State(ID.held, "value"), prevent_initial_call=True,
)  # fmt: skip
def saved(_saved: Any, held: Any) -> Any:
    """Offer what was saved as what may be held; what was deleted is held no more."""
    options = held_options()
    return options, held if isinstance(held, str) and held in options else NOTHING_HELD


@callback(
    Output(ID.content, "children"), Output(ID.body, "hidden"), Output(ID.chart, "figure"), Output(ID.chart, "style"),
    Input(ID.request, "data"), Input(SHELL.theme_name, "data"), Input(SHELL.run, "data"),
    State(ID.point, "data"), State(ID.pick, "value"),
)  # fmt: skip
def draw(request: Any, theme: Any, _run: Any, point: Any, pick: Any) -> Any:
    """Draw the frontier, with and without the limits; where there is none say why."""
    try:
        asked = parse(request)
        shown = picture(asked)
        notes = _notes(asked, shown)
    except PlumblineError as error:
        return empty_state(str(error), title=error_title(error), icon="exclamation-circle"), True, no_update, no_update
    split = asked.constraints.max_positions is not None or asked.constraints.min_position > 0
    mark = _marked(shown, point, pick)
    figure = frontier_figure(shown.points, rate=shown.rate, chosen=mark, theme=theme, apart=split)
    return notes, False, figure, {"height": f"{figure['layout']['height']}px"}


@callback(
    Output(ID.chosen, "children"), Output(ID.line, "data"),
    Input(ID.request, "data"), Input(ID.point, "data"), Input(ID.pick, "value"), Input(SHELL.theme_name, "data"),
    Input(SHELL.run, "data"),
)  # fmt: skip
def show(request: Any, point: Any, pick: Any, theme: Any, _run: Any) -> Any:
    """Show the chosen portfolio and say where it is on the chart."""
    try:
        chosen = chosen_portfolio(request, point, pick, theme)
    except PlumblineError as error:
        return empty_state(str(error), title=error_title(error), icon="exclamation-circle"), None
    found = chosen.answer
    row = evaluate(chosen.weights, found.expected_returns, found.covariance, risk_free_rate=found.rate)
    mark = {"volatility": float(row.volatility[0]), "expected_return": float(row.expected_return[0])}
    return portfolio_view(chosen), mark


def _register(panel: Panel) -> None:
    """The callback of one panel, asked by the page only while its tab is open and nothing is being dragged."""

    @callback(
        Output(body_id(panel.key), "children"),
        Input(asked_id(panel.key), "data"), *(Input(control_id(panel.key, name), "value") for name in panel.inputs),
        prevent_initial_call=True,
    )  # fmt: skip
    @guarded
    def render(asked: Any, *values: Any) -> Any:
        if not isinstance(asked, dict):
            raise PreventUpdate
        chosen = chosen_portfolio(*(asked.get(name) for name in ("request", "point", "pick", "theme")))
        return panel.render(chosen, dict(zip(panel.inputs, values, strict=True)))


for _panel in PANELS.values():
    _register(_panel)


def _notes(request: FrontierRequest, shown: Picture) -> list[Any]:
    """What there is to say above the chart: the window, what was left out, a conflict, what is not exact."""
    carried = f" The risk-free rate is carried since {shown.carried}." if shown.carried else ""
    notes: list[Any] = [_note(
        f"In sample: estimated over {shown.n_sessions:,} sessions, {shown.start} to {shown.end}, not a forecast.{carried}"
    )]  # fmt: skip
    if request.is_plain and request.returns != "black_litterman":
        return notes
    found = answer(request)
    if found.conflict:
        notes.insert(0, html.Div(
            [html.Strong("Shown is the nearest portfolio that exists. "), found.conflict.sentence()], className="alert alert-warning",
            role="alert",
        ))  # fmt: skip
    if found.notes:
        notes.insert(0, html.Div(" ".join(found.notes), className="alert alert-warning py-2", role="alert"))
    if found.loosened:
        notes.append(_note("The limits miss each other by less than 0.0001 %: each was loosened by that much."))
    if request.returns == "black_litterman" and found.inputs.data.market_weights is None:
        notes.append(_note("The store does not know every company's market value: equal weights stand for the market."))
    worst = gap(found)
    if worst > 0:
        notes.append(_note(
            "Which tickers to hold is searched for, not proved, where there are more than 200 choices of them. No frontier with so few positions has less volatility than the one without "
            f"that count, which has up to {percent(worst)} less; most of the difference is the price of the count itself."
        ))  # fmt: skip
    return notes


def _note(text: str) -> html.P:
    return html.P(text, className="small text-body-secondary mb-2")


def _marked(shown: Picture, point: Any, pick: Any) -> tuple[float, float] | None:
    """Where the slider's portfolio is; another one is marked when it is known."""
    frontier = shown.points[shown.points["kind"] == "frontier"]
    if pick != ON_FRONTIER or not isinstance(point, int):
        return None
    row = frontier.iloc[min(max(point, 1), len(frontier)) - 1]
    return float(row["volatility"]), float(row["expected_return"])
