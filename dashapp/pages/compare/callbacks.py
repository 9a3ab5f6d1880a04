"""What the Compare tab shows of the chosen runs: the overview at once, a panel when its tab is opened."""

from typing import Any

from dash import Input, Output, State, callback, no_update

from analytics.errors import PlumblineError
from dashapp import inputs
from dashapp.components import guarded
from dashapp.data import market, published, workspace
from dashapp.ids import SHELL
from dashapp.pages.compare.judged import differences_view, luck_view
from dashapp.pages.compare.layout import ID, TABS
from dashapp.pages.compare.outlook import blend_view, paths_view
from dashapp.pages.compare.overview import overview
from dashapp.pages.compare.runs import chosen_runs, result_ids
from pipeline.workspace import reading


@callback(
    Output(ID.content, "children"), Input(ID.runs, "data"), Input(SHELL.theme_name, "data"), Input(ID.changed, "data")
)
@guarded
def show(chosen: Any, theme: Any, _changed: Any) -> Any:
    """Show the chosen runs side by side; while none are chosen, say what is missing for there to be any."""
    if _too_few(chosen):
        with market() as reader, reading(workspace()):
            published(reader)
    return overview(chosen_runs(chosen), theme=_theme(theme))


@callback(
    Output(ID.panel, "children"), Output(ID.path_box, "hidden"), Output(ID.panels, "hidden"),
    Input(ID.tab, "active_tab"), Input(ID.runs, "data"), Input(SHELL.theme_name, "data"), Input(ID.path_run, "value"),
    Input(ID.premium, "value"), Input(ID.volatility, "value"), Input(ID.years, "value"),
)  # fmt: skip
def open_panel(tab: Any, chosen: Any, theme: Any, run: Any, premium: Any, volatility: Any, years: Any) -> Any:
    """Compute the panel that is open, and no other."""
    found, nothing = guarded(_panel)(tab, chosen, theme, run, premium, volatility, years), _too_few(chosen)
    return found, tab != "paths" or nothing, nothing


def _panel(tab: Any, chosen: Any, theme: Any, run: Any, premium: Any, volatility: Any, years: Any) -> Any:
    opened = inputs.choice("panel", tab, TABS)
    if _too_few(chosen):
        return None  # the place of the overview says what is missing
    runs = chosen_runs(chosen)
    if opened == "luck":
        return luck_view(runs)
    if opened == "differences":
        return differences_view(runs)
    if opened == "blend":
        return blend_view(runs, theme=_theme(theme))
    return paths_view(runs, run, premium, volatility, years, theme=_theme(theme))


@callback(
    Output(ID.path_run, "options"), Output(ID.path_run, "value"),
    Input(ID.runs, "data"), State(ID.path_run, "value"),
)  # fmt: skip
def offer_runs(chosen: Any, before: Any) -> Any:
    """Offer the chosen runs to be simulated; the one that was chosen before stays where it still can."""
    try:
        runs = chosen_runs(chosen)
    except PlumblineError:
        return [], None
    options = [{"value": item["result_id"], "label": label} for label, item in runs.results.items()]
    ids = [option["value"] for option in options]
    return options, no_update if before in ids else ids[0]


def _too_few(chosen: Any) -> bool:
    try:
        return len(result_ids(chosen)) < 2
    except PlumblineError:
        return True


def _theme(theme: Any) -> str | None:
    return theme if isinstance(theme, str) else None
