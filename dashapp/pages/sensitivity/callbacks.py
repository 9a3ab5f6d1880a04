"""What happens on the Sensitivity tab: count, run, watch, cancel, resume, show."""

from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Input, Output, State, callback, clientside_callback, ctx, no_update
from dash.exceptions import PreventUpdate

from analytics.backtest.parameter_sets import MOST_CELLS
from analytics.backtest.sensitivity import OTHERS
from analytics.backtest.sweep_cells import KEPT
from analytics.errors import InputError, PlumblineError
from dashapp import inputs
from dashapp.backtest_job import cancel, owner
from dashapp.components import empty_state, grid_id, guarded, records
from dashapp.data import market, published, settings, workspace
from dashapp.ids import SHELL
from dashapp.pages.sensitivity.form import PLACES, TERMS, Form, first_axes, first_range, in_words, label_of, swept
from dashapp.pages.sensitivity.layout import GRID, ID, STRATEGIES_SWEPT, form_fields, stored_row
from dashapp.pages.sensitivity.result import answer_view, history_view, map_view, table_of
from dashapp.pages.sensitivity.stored import Sweep, stored
from dashapp.progress import ended_text, progress_text
from dashapp.sweep_job import submit
from pipeline import asked, sweeps
from pipeline.queries import sweeps as sweep_queries
from pipeline.workspace import ACTIVE, reading

OF: Final = vars(ID)
AXES: Final = tuple(tuple(OF[f"{part}_{place}"] for part in ("axis", "low", "high", "step")) for place in PLACES)
FORM: Final = (
    ID.strategy,
    ID.tickers,
    ID.start,
    ID.end,
    *(OF[name] for name in TERMS),
    *(key for row in AXES for key in row),
    ID.way,
    ID.draws,
    ID.seed,
)
HIDDEN, VISIBLE = {"visibility": "hidden"}, {"visibility": "visible"}
NOTHING_RUNS = (True, 0, HIDDEN, False, True)  # no polling, no progress, Run can be pressed, Cancel cannot


def _form(values: tuple[Any, ...]) -> Form:
    by_id = dict(zip(FORM, values, strict=True))
    return Form(
        strategy=by_id[ID.strategy], tickers=by_id[ID.tickers], start=by_id[ID.start], end=by_id[ID.end],
        terms={name: by_id[OF[name]] for name in TERMS}, axes=[tuple(by_id[key] for key in row) for row in AXES],
        way=by_id[ID.way], draws=by_id[ID.draws], seed=by_id[ID.seed],
    )  # fmt: skip


@callback(
    Output(ID.tickers, "value"), Input(SHELL.view, "data"), State(ID.tickers, "value"), State(ID.tickers, "options")
)
def begin_with_view(seen: Any, chosen: Any, offered: Any) -> Any:
    """Begin an empty selection with the ticker in view, where it can be traded."""
    ticker, _ = inputs.view(seen)
    tradable = [item.get("value") for item in offered if isinstance(item, dict)] if isinstance(offered, list) else []
    return [ticker] if ticker and ticker in tradable and not chosen else no_update


@callback(
    *(Output(row[0], prop) for row in AXES for prop in ("options", "value")), Input(ID.strategy, "value"), prevent_initial_call=True
)  # fmt: skip
def offer_axes(strategy: Any) -> list[Any]:
    """Offer the parameters of the chosen strategy, the first of them chosen."""
    chosen = inputs.choice("strategy", strategy, STRATEGIES_SWEPT)
    return [part for name in first_axes(chosen) for part in (swept(chosen), name)]


for _axis, _low, _high, _step in AXES:

    @callback(
        Output(_low, "value"), Output(_high, "value"), Output(_step, "value"), Input(_axis, "value"), State(ID.strategy, "value"), prevent_initial_call=True
    )  # fmt: skip
    def begin_range(name: Any, strategy: Any) -> tuple[Any, Any, Any]:
        """Begin with a range around the default of the chosen parameter."""
        if name is None:
            return None, None, None
        chosen = inputs.choice("strategy", strategy, STRATEGIES_SWEPT)
        return first_range(chosen, inputs.choice("parameter", name, swept(chosen)))


@callback(Output(ID.draws, "disabled"), Output(ID.seed, "disabled"), Input(ID.way, "value"))
def offer_draws(way: Any) -> tuple[bool, bool]:
    """Let the number and the seed be set where they count."""
    return way != "random", way != "random"


@callback(
    Output(ID.fields, "children"), Input(ID.fields, "id"), State(SHELL.sweep_job, "data"), State(ID.linked, "data")
)
def refill(_mounted: Any, sent: Any, linked: Any) -> Any:
    """Fill the form, when the page is mounted, with the sweep that is found again; one that is linked is in it already."""
    name, _ = _submitted(sent)
    row = stored_row(name) if linked is None else None
    return no_update if row is None else form_fields(row)


clientside_callback(
    ClientsideFunction("plumbline", "sensitivityLink"), Output(ID.written, "data"), Input(ID.linked, "data")
)
clientside_callback(
    ClientsideFunction("plumbline", "nothing"),
    Output(ID.error, "children", allow_duplicate=True), *(Input(key, "value") for key in FORM), prevent_initial_call=True,
)  # fmt: skip


@callback(Output(ID.count, "children"), *(Input(key, "value") for key in FORM))
def count(*values: Any) -> Any:
    """Say how many sets the form asks for, or why it asks for none, before anything is run."""
    try:
        n_cells = len(_form(values).request().cells)
    except InputError as error:
        if error.field == "tickers":
            return "Choose a ticker."
        return dbc.Badge(in_words(error, values[0]), color="danger", class_name="text-wrap text-start")
    return f"{n_cells:,} parameter sets of at most {MOST_CELLS:,}."


@callback(
    Output(SHELL.sweep_job, "data"), Output(SHELL.sweep_request, "data"), Output(ID.error, "children"), Output(ID.linked, "data"),
    Input(ID.run, "n_clicks"), Input(ID.resume, "n_clicks"), State(ID.shown, "data"),
    *(State(key, "value") for key in FORM), prevent_initial_call=True,
)  # fmt: skip
def run(clicks: int | None, again: int | None, shown: Any, *values: Any) -> tuple[Any, ...]:
    """Check the form and submit it, or go on with the sweep that is shown; cells that are stored are not computed again."""
    resume = ctx.triggered_id == ID.resume
    if not (again if resume else clicks):  # the page was mounted, nobody pressed
        raise PreventUpdate
    try:
        name = _sweep_of(shown)
        job = submit(_request_of(name) if resume and name else _form(values).request())
    except PlumblineError as error:
        return (
            no_update,
            no_update,
            dbc.Alert(in_words(error, values[0]), color="danger", class_name="mt-2 mb-0"),
            no_update,
        )
    return job, job.get("job_id", no_update), None, None


def _request_of(name: str) -> sweeps.SweepRequest:
    """The request of a stored sweep, as far as today's code and data still answer it by the same name."""
    request = sweeps.request_of(sweeps.load(name, workspace=workspace()))
    if sweeps.sweep_id(request, db=settings().db) != name:
        raise InputError(
            "sweep",
            got=name[:12],
            allowed="one of the published data and this version",
            fix="Press Run sweep: it begins anew.",
        )
    return request


@callback(
    Output(ID.interval, "disabled"), Output(ID.progress, "value"), Output(ID.progress, "style"), Output(ID.run, "disabled"),
    Output(ID.cancel, "disabled"), Output(ID.message, "children"), Output(ID.shown, "data"),
    Input(ID.interval, "n_intervals"), Input(SHELL.sweep_job, "data"), State(ID.shown, "data"), State(ID.linked, "data"),
)  # fmt: skip
def watch(_ticks: Any, sent: Any, shown: Any, linked: Any) -> tuple[Any, ...]:
    """Follow the sweep of this browser session, from whichever page or reload it is looked at.

    A sweep that the address names stays, until another one is run. When the page is mounted, what is shown is written
    even where it stays: what waits for it would not begin otherwise.
    """
    name, job_id = _submitted(sent)
    kept = shown if ctx.triggered_id is None else no_update
    if name is None:
        return *NOTHING_RUNS, "", kept
    job = asked.job_state(workspace(), owner(), job_id) if job_id else None
    if job is not None and job["state"] in ACTIVE:
        return (
            False,
            max(3, 100 * job["progress"]),
            VISIBLE,
            True,
            False,
            progress_text(job, seconds=settings().job_seconds),
            kept,
        )
    message = "" if job is None else ended_text(job)
    found = {"sweep": name, "job": job_id}
    return *NOTHING_RUNS, message, kept if linked is not None or found == shown else found


def _submitted(sent: Any) -> tuple[str | None, str | None]:
    """What the browser keeps of its last submission: (sweep_id, job_id), None where there is none."""
    if not isinstance(sent, dict) or not sent.get("sweep_id"):
        return None, None
    job_id = sent.get("job_id")
    return inputs.name("sweep", sent["sweep_id"]), inputs.name("job_id", job_id) if job_id else None


@callback(
    Output(ID.cancel, "n_clicks"),
    Input(ID.cancel, "n_clicks"),
    State(SHELL.sweep_job, "data"),
    prevent_initial_call=True,
)
def stop(clicks: int | None, sent: Any) -> int:
    """Cancel the sweep of this browser session; what it has stored stays."""
    _, job_id = _submitted(sent)
    if clicks and job_id:
        cancel(job_id)
    return 0


@callback(
    Output(ID.content, "children"), Input(ID.shown, "data"), Input(SHELL.theme_name, "data"), Input(SHELL.run, "data")
)
@guarded
def show(shown: Any, theme: Any, _run: Any) -> Any:
    """Show the key figures of a stored sweep, or what to do where there is none."""
    with market() as reader:
        published(reader)  # without a store there is nothing to test on: this says so
    name = _sweep_of(shown)
    if name is None:
        return empty_state("Set the ranges and press Run sweep. Every set is stored: a sweep that was cancelled goes on where it stopped.",
                           title="No sweep yet", icon="grid-3x3-gap")  # fmt: skip
    return answer_view(stored(name), theme=_theme(theme))


@callback(
    Output(ID.body, "hidden"), Output(ID.resume, "disabled"), Output(ID.x, "options"), Output(ID.x, "value"), Output(ID.y, "options"),
    Output(ID.y, "value"), Output(ID.y_box, "hidden"), Output(ID.others_box, "hidden"),
    Output(grid_id(GRID), "columnDefs"), Output(grid_id(GRID), "rowData"), Input(ID.shown, "data"),
)  # fmt: skip
def fill(shown: Any) -> tuple[Any, ...]:
    """Offer the axes of the shown sweep, as far as it has them, and list its sets."""
    found = _found(shown)
    if found is None:
        name = _sweep_of(shown)
        return True, name is None, [], None, [], None, True, True, [], []
    names = found.names
    options = [{"value": name, "label": label_of(found.row["strategy"], name)} for name in names]
    columns, rows = table_of(found)
    up, third = names[min(1, len(names) - 1)], len(names) == 3 and found.request.grid is not None
    return False, found.is_whole, options, names[0], options, up, len(names) == 1, not third, columns, records(rows)


@callback(
    Output(ID.map, "children"), Input(ID.shown, "data"), Input(ID.metric, "value"), Input(ID.x, "value"), Input(ID.y, "value"),
    Input(ID.others, "value"), Input(SHELL.theme_name, "data"),
)  # fmt: skip
@guarded
def draw(shown: Any, metric: Any, x: Any, y: Any, others: Any, theme: Any) -> Any:
    """Draw the chosen metric over the chosen parameters."""
    found = _found(shown)
    if found is None or x is None:
        return None
    across, up = (inputs.choice("axis", name, found.names) for name in (x, y))
    return map_view(
        found, metric=inputs.choice("metric", metric, KEPT), x=across, y=up, others=inputs.choice("others", others, OTHERS), theme=_theme(theme),
    )  # fmt: skip


@callback(
    Output(ID.go, "href"), Input(grid_id(GRID), "selectedRows"), State(ID.shown, "data"), prevent_initial_call=True
)
def open_cell(rows: Any, shown: Any) -> str:
    """Open the clicked set as a backtest."""
    found = _found(shown)
    clicked = rows[0] if isinstance(rows, list) and rows else None
    if found is None or not isinstance(clicked, dict):
        return ""
    numbers = {str(cell): cell for cell in range(found.row["n_cells"])}
    return found.link(numbers[inputs.choice("cell", clicked.get("cell"), numbers)])


@callback(Output(ID.history, "children"), Input(ID.shown, "data"))
@guarded
def list_sweeps(_shown: Any) -> Any:
    """List the newest stored sweeps."""
    with reading(workspace()) as reader:
        return history_view(sweep_queries.sweeps(reader))


def _sweep_of(shown: Any) -> str | None:
    """The name of the sweep that is shown, None where there is none; raises InputError."""
    return None if shown is None else inputs.name("sweep", shown.get("sweep") if isinstance(shown, dict) else shown)


def _found(shown: Any) -> Sweep | None:
    """The shown sweep, None where it cannot be shown: the place of the key figures says why."""
    try:
        name = _sweep_of(shown)
        return stored(name) if name else None
    except PlumblineError:
        return None


def _theme(theme: Any) -> str | None:
    return theme if isinstance(theme, str) else None
