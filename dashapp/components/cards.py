"""Cards, key figures with their explanation, and the card that stands where there is nothing to show."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from analytics.errors import PlumblineError

P = ParamSpec("P")
log = logging.getLogger(__name__)

ONE_LINE = 12  # characters of a key figure that fit; a longer one is styled by itself, not as the first line


def info(text: str) -> html.I:
    """Return ⓘ with an explanation on hover, focus or touch: one tip for the page follows whichever is asked."""
    return html.I(className="bi bi-info-circle info", **explained(text) | {"aria-label": text})


def explained(tip: str) -> dict[str, Any]:
    """Return the properties with which the page's script shows a tip, and its style an ⓘ; none without one."""
    return {"tabIndex": 0, "data-tip": tip} if tip else {}


# Of few components, here and below: each one that appears costs the browser a look at every other one.
def card(title: Any, children: Any, *, tip: str = "", tools: Any = None, class_name: str = "") -> html.Div:
    """Return a titled card; `tools` stand at the right of the title."""
    heading: Any = html.H2(title, className="card-heading", **explained(tip))
    if tools:
        line = "d-flex justify-content-between align-items-center flex-wrap gap-2 mb-2"
        heading = html.Div([heading, html.Div(tools)], className=line)
    body = children if isinstance(children, list) else [children]
    return html.Div([heading, *body], className=f"card card-body mb-3 {class_name}")


def stat(label: str, value: str, *, tip: str = "", note: str = "", tone: str = "") -> html.Div:
    """Return one key figure: value, label with ⓘ, and a note such as its error or date. tone: up, down or neutral."""
    named = html.Span(label, className="stat-label", **explained(tip))
    noted = [f"\n{note}"] if note else []
    shown = f"{value}\n" if len(value) <= ONE_LINE else html.Span(f"{value}\n", className="stat-value")
    return html.Div([shown, named, *noted], className=f"card stat {f'tone-{tone}' if tone else ''}")


def stats(items: list[html.Div]) -> html.Div:
    """Return key figures side by side, as many as fit."""
    return html.Div(items, className="stats mb-3")


def empty_state(message: str, *, title: str = "Nothing to show here yet", icon: str = "inbox") -> dbc.Card:
    """Return the card that says what is missing and what to do about it."""
    return dbc.Card(
        dbc.CardBody([
            html.I(className=f"bi bi-{icon} empty-icon"), html.H2(title, className="h5"),
            html.P(message, className="mb-0 text-body-secondary"),
        ]),
        class_name="empty-state text-center my-4",
    )  # fmt: skip


def guarded(render: Callable[P, Any]) -> Callable[P, Any]:
    """Let a callback with one `children` output answer an error with an empty-state card; a bug's details are logged."""

    @wraps(render)
    def safe(*arguments: P.args, **options: P.kwargs) -> Component | Any:
        try:
            return render(*arguments, **options)
        except PlumblineError as error:
            return empty_state(str(error), title=error_title(error), icon="exclamation-circle")
        except PreventUpdate:
            raise
        except Exception:
            log.exception("%s.%s failed", render.__module__, render.__name__)
            return empty_state(UNEXPECTED, title="This could not be shown", icon="exclamation-circle")

    return safe


UNEXPECTED = (
    "An unexpected error; the log has the details. If the data may be damaged, make check-data says so and "
    "make restore brings back the last backup."
)


def error_title(error: PlumblineError) -> str:
    """Return the heading under which an error is shown."""
    return {
        "StoreError": "The data is not there", "UnknownKeyError": "Not known here", "MissingDataError": "Nothing to show",
    }.get(type(error).__name__, "That cannot be used")  # fmt: skip
