import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dash import Dash

from analytics.errors import MissingDataError, UnknownKeyError
from dashapp import data
from pipeline import schema, store
from pipeline.errors import StoreError


@pytest.fixture
def empty_db(tmp_path: Path) -> Path:
    """A market store with its tables and nothing in them."""
    path = tmp_path / "empty.db"
    store.open_writer(path, schema.MARKET).close()
    return path


def test_the_settings_are_those_of_the_running_app(app: Dash, serve: Callable[..., Any]) -> None:
    made = serve()
    with app.server.app_context():
        assert data.settings() is made
        assert data.workspace() == Path(made.workspace)


def test_the_market_is_one_snapshot_that_cannot_be_written(
    app: Dash, serve: Callable[..., Any], simulated: Any
) -> None:
    serve(db=simulated.db)
    with app.server.app_context(), data.market() as reader:
        assert reader.one("SELECT count(*) FROM instruments")[0] > 0
        assert reader.connection.in_transaction
        for statement in ("DELETE FROM prices", "ATTACH DATABASE ':memory:' AS other"):
            with pytest.raises(sqlite3.OperationalError, match=r"readonly|too many attached"):
                reader.connection.execute(statement)


def test_a_query_has_the_time_limit_of_the_settings(app: Dash, serve: Callable[..., Any], simulated: Any) -> None:
    serve(db=simulated.db, query_seconds=0.05)
    endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c"
    with (
        app.server.app_context(), data.market() as reader,
        pytest.raises(StoreError, match=r"longer than 0\.05 s"),
    ):  # fmt: skip
        reader.rows(endless)


def test_a_known_instrument_is_found(app: Dash, serve: Callable[..., Any], simulated: Any) -> None:
    serve(db=simulated.db)
    with app.server.app_context(), data.market() as reader:
        found = data.known_instrument(reader, "SIM001")
        run, source = data.published(reader)
    assert (found["ticker"], found["kind"]) == ("SIM001", "stock")
    assert (run["source"], source.key) == ("simulated", "simulated")


@pytest.mark.parametrize("ticker", [None, ""])
def test_no_ticker_is_explained(app: Dash, serve: Callable[..., Any], simulated: Any, ticker: str | None) -> None:
    serve(db=simulated.db)
    with (
        app.server.app_context(), data.market() as reader,
        pytest.raises(MissingDataError, match="Choose one in the search box"),
    ):  # fmt: skip
        data.known_instrument(reader, ticker)


@pytest.mark.parametrize("ticker", ["SIM01", "sim001", "SIM001'; DROP TABLE prices; --"])
def test_an_unknown_ticker_names_the_nearest(app: Dash, serve: Callable[..., Any], simulated: Any, ticker: str) -> None:
    serve(db=simulated.db)
    with (
        app.server.app_context(), data.market() as reader,
        pytest.raises(UnknownKeyError, match=r"allowed: .*SIM001"),
    ):  # fmt: skip
        data.known_instrument(reader, ticker)


def test_a_store_without_a_run_says_what_to_do(app: Dash, serve: Callable[..., Any], empty_db: Path) -> None:
    serve(db=empty_db)
    with (
        app.server.app_context(), data.market() as reader,
        pytest.raises(MissingDataError, match="make update"),
    ):  # fmt: skip
        data.published(reader)


def test_a_missing_store_says_so(app: Dash, serve: Callable[..., Any], tmp_path: Path) -> None:
    serve(db=tmp_path / "none.db")
    with app.server.app_context(), pytest.raises(StoreError, match="no database"), data.market():
        pytest.fail("a store that is not there was opened")
