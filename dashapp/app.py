"""Build the app: pages, assets, security and error handling. One app per process."""

import gc
import logging
import threading
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import dash
import PIL.Image  # noqa: F401  Plotly takes what sys.modules has of it: an import in another thread would hand it half a module
from dash import Dash, set_props
from flask import send_from_directory
from werkzeug.wrappers import Response

from analytics.errors import PlumblineError
from dashapp import shell
from dashapp.callback_requests import check_callback_requests
from dashapp.components import empty_state
from dashapp.data import HELD_KEY, POOL_KEY, RATE_KEY, SETTINGS_KEY, UPDATE_KEY
from dashapp.health import serve_health
from dashapp.ids import SHELL
from dashapp.jobs import worker_pool
from dashapp.pages import PAGES
from dashapp.rate_limit import RateLimit
from dashapp.security import protect
from dashapp.update_job import UpdateJob
from pipeline.workspace import hold_open

log = logging.getLogger(__name__)

STYLES = ("/vendor/css/bootstrap.min.css", "/vendor/css/font/bootstrap-icons.min.css")

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>{%metas%}<title>{%title%}</title>{%favicon%}
<meta name="viewport" content="width=device-width, initial-scale=1">
<script src="/assets/boot.js"></script>{%css%}</head>
<body>{%app_entry%}<footer>{%config%}{%scripts%}{%renderer%}</footer></body>
</html>"""


def create_app(settings: Any) -> Dash:
    """Return the app over the databases that `settings` names."""
    pool = worker_pool(settings)
    app = Dash(
        "dashapp", use_pages=True, pages_folder="", title="Plumbline", update_title="", index_string=_PAGE,
        external_stylesheets=list(STYLES), assets_ignore="boot.js", on_error=_explain, enable_mcp=False,
        background_callback_manager=pool,
    )  # fmt: skip
    app.server.config.update({
        SETTINGS_KEY: settings, POOL_KEY: pool, HELD_KEY: hold_open(Path(settings.workspace)), UPDATE_KEY: UpdateJob(), RATE_KEY: RateLimit(settings.jobs_per_minute),
    })  # fmt: skip
    for page in PAGES.values():
        dash.register_page(
            page.layout.__module__, path=page.path, name=page.name, order=page.order, title=f"{page.name} · Plumbline",
            layout=page.layout,
        )  # fmt: skip
    dash.register_page("not_found_404", path="/not-found", title="Not found · Plumbline", layout=_not_found)
    with app.server.app_context():  # Dash calls the layout once to check it
        app.layout = shell.layout
    protect(app, settings)
    check_callback_requests(app)
    serve_health(app)
    _serve_bootstrap(app)
    threading.Thread(
        target=import_module, args=("scipy.special",), daemon=True
    ).start()  # the first fit needs it: 0.3 s
    gc.collect()
    gc.freeze()  # what was imported stays: a full collection over it would hold up a request for 80 ms
    return app


def _not_found(**_query: str) -> Any:
    """What Dash shows for an address that no page has."""
    names = ", ".join(page.name for page in PAGES.values())
    return empty_state(f"Choose a tab above: {names}.", title="There is no such page", icon="signpost")


def _serve_bootstrap(app: Dash) -> None:
    """Serve Bootstrap and its icons out of an installed package: nothing of theirs is committed or off-site."""
    spec = find_spec("flask_bootstrap")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("bootstrap-flask is not installed: run make install")
    folder = Path(spec.submodule_search_locations[0]) / "static" / "bootstrap5"

    @app.server.route("/vendor/<path:name>")
    def vendor(name: str) -> Response:
        return send_from_directory(folder, name, max_age=86_400)


def _explain(error: Exception) -> Any:
    """Show an error no page caught: the sentence of a domain error, else a plain notice and a log line."""
    callback_id = ", ".join(item["prop_id"] for item in dash.ctx.triggered) or "first load"
    if isinstance(error, PlumblineError):
        set_props(SHELL.toasts, {"children": shell.toast(str(error))})
        return
    log.exception("callback of %s failed", callback_id, exc_info=error)
    set_props(SHELL.toasts, {"children": shell.toast("An unexpected error; the log has the details.")})
