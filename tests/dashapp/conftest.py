"""The app below the browser: one for the whole run, over whichever databases a test names."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dash import Dash, _callback
from dispatch import Dispatch
from scratch import settings_in

from dashapp.app import create_app
from dashapp.data import SETTINGS_KEY
from pipeline import backtests

# Dash hands the module-level callbacks to the first app of a process, and the browser tests make one too: this copy
# is taken while tests are collected, before there is any app.
_LIST, _MAP = list(_callback.GLOBAL_CALLBACK_LIST), dict(_callback.GLOBAL_CALLBACK_MAP)


@pytest.fixture(scope="session")
def app(simulated: Any, tmp_path_factory: pytest.TempPathFactory) -> Dash:
    left = list(_callback.GLOBAL_CALLBACK_LIST), dict(_callback.GLOBAL_CALLBACK_MAP)
    _callback.GLOBAL_CALLBACK_LIST[:] = _LIST
    _callback.GLOBAL_CALLBACK_MAP.update(_MAP)
    made = create_app(settings_in(tmp_path_factory.mktemp("app"), db=simulated.db, jobs_per_minute=10_000))
    assert made.server.test_client().get("/").status_code == 200  # the first request: Dash takes the callbacks
    _callback.GLOBAL_CALLBACK_LIST[:] = left[0]
    _callback.GLOBAL_CALLBACK_MAP.update(left[1])
    return made


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pressing Run starts no process by itself: a test does that when it has looked at what was submitted."""
    monkeypatch.setattr("dashapp.pages.backtest.callbacks.begin", lambda _job: None)


@pytest.fixture
def serve(app: Dash, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Let the app serve other databases for one test: serve(db=…) with a workspace of its own; returns the settings."""
    before = app.server.config[SETTINGS_KEY]

    def switch(**overrides: Any) -> Any:
        made = settings_in(tmp_path, **({"cache_dir": before.cache_dir} | overrides))
        app.server.config[SETTINGS_KEY] = made
        return made

    yield switch
    app.server.config[SETTINGS_KEY] = before


@pytest.fixture
def browse(app: Dash) -> Callable[[], Dispatch]:
    """Return a new browser, with a session of its own, at each call."""
    return lambda: Dispatch(app.server)


@pytest.fixture
def dispatch(browse: Callable[[], Dispatch]) -> Dispatch:
    return browse()


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Path], Path]:
    """Return a private copy of a published database, to be spoilt."""

    def copy(db: Path) -> Path:
        return Path(shutil.copyfile(db, tmp_path / "copy.db"))  # published with its journal written back

    return copy


@pytest.fixture
def answered(serve: Callable[..., Any], simulated: Any) -> str:
    """The result_id of a stored backtest on the simulated store."""
    made = serve(db=simulated.db)
    request = backtests.BacktestRequest.of(tickers=["SIM001", "SIM002"], start="2016-01-01")
    return backtests.run(request, db=made.db, workspace=made.workspace)
