import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dash import Dash
from dash._utils import to_json
from dispatch import Dispatch, is_pattern, of_type, outputs_of, split, text_of, walk, with_class
from opened_page import CONTENT, figure_of, opened, view

from dashapp.pages import PAGES
from pipeline import schema, store

# ---- stores that are missing, empty or of another version ----------------------------------------------------


def missing_store(path: Path, _simulated: Any) -> Path:
    return path / "none.db"


def schema_only(path: Path, _simulated: Any) -> Path:
    store.open_writer(path / "empty.db", schema.MARKET).close()
    return path / "empty.db"


def other_version(path: Path, _simulated: Any) -> Path:
    store.open_writer(path / "other.db", schema.WORKSPACE).close()
    return path / "other.db"


def garbage(path: Path, _simulated: Any) -> Path:
    (path / "garbage.db").write_bytes(b"not a database " * 1000)
    return path / "garbage.db"


BROKEN = {
    missing_store: "make update", schema_only: "make update", other_version: "another version.*make (update|restore)",
    garbage: "damaged or no database.*make restore",
}  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN, ids=lambda make: make.__name__)
@pytest.mark.parametrize("page", PAGES)
def test_without_a_usable_store_every_page_says_what_to_do(
    serve: Callable[..., Any], simulated: Any, dispatch: Dispatch, tmp_path: Path, broken: Any, page: str
) -> None:
    serve(db=broken(tmp_path, simulated))
    content = opened(dispatch, page, view("AAPL"))
    assert len(with_class(content, "empty-state")) == 1
    empty = text_of(with_class(content, "empty-state"))
    if not (broken is schema_only and page in ("technical", "fundamentals", "frontier")):
        assert re.search(BROKEN[broken], empty), empty
    assert not of_type(content, "Graph")
    if page == "overview":
        assert dispatch(CONTENT[page], view(None))["overview-table.hidden"] is True
    badge = dispatch("shell-badge.children", view("AAPL"))["shell-badge.children"]
    assert re.search(BROKEN[broken], text_of(badge))


@pytest.mark.parametrize("broken", BROKEN, ids=lambda make: make.__name__)
def test_without_a_usable_store_the_first_page_loads(
    app: Dash, serve: Callable[..., Any], simulated: Any, dispatch: Dispatch, tmp_path: Path, broken: Any
) -> None:
    serve(db=broken(tmp_path, simulated))
    client = app.server.test_client()
    assert client.get("/").status_code == 200
    search = next(
        item for item in of_type(client.get("/_dash-layout").json, "Dropdown") if item["props"]["id"] == "shell-ticker"
    )
    assert (search["props"]["options"], search["props"].get("value")) == ([], None)
    with app.server.app_context():
        drawn = json.loads(to_json(PAGES["backtest"].layout()))
    box = next(item for item in walk(drawn) if item["props"].get("id") == "backtest-tickers")
    assert box["props"]["options"] == []


@pytest.mark.parametrize("page", ["technical", "fundamentals"])
@pytest.mark.parametrize(
    ("ticker", "says"),
    [("SIM0001", "Did you mean 'SIM001'"), ("<script>", "allowed: "), (None, "Choose one in the search box"), ("", "Choose one")],
)  # fmt: skip
def test_a_ticker_that_is_unknown_or_missing_is_explained(
    serve: Callable[..., Any], simulated: Any, dispatch: Dispatch, page: str, ticker: str | None, says: str
) -> None:
    serve(db=simulated.db)
    content = opened(dispatch, page, view(ticker))
    assert says in text_of(with_class(content, "empty-state"))


def test_an_instrument_without_prices_is_explained(
    serve: Callable[..., Any], simulated: Any, dispatch: Dispatch, copy_of: Callable[[Path], Path]
) -> None:
    db = copy_of(simulated.db)
    connection = store.open_writer(db, schema.MARKET)
    columns = {"ticker": ["NEW"], "name": ["Not yet traded"], "kind": ["stock"], "active": [0]}
    store.insert(connection, schema.instruments, columns)
    connection.close()
    serve(db=db)
    for page in ("technical", "fundamentals"):
        assert "NEW" in text_of(with_class(opened(dispatch, page, view("NEW")), "empty-state"))
    assert opened(dispatch, "data", view(None))


def test_a_frontier_that_is_not_stored_is_computed_and_is_the_same(
    serve: Callable[..., Any], simulated: Any, dispatch: Dispatch, copy_of: Callable[[Path], Path]
) -> None:
    serve(db=simulated.db)
    stored = opened(dispatch, "frontier", view(None))
    db = copy_of(simulated.db)
    connection = store.open_writer(db, schema.MARKET)
    for table in (schema.frontier_weights, schema.frontier_points, schema.frontier_runs):
        store.delete(connection, table)
    connection.close()
    serve(db=db)
    computed = opened(dispatch, "frontier", view(None))
    assert text_of(computed) == text_of(stored)
    traces = [{trace["name"]: trace for trace in figure_of(page)["data"]} for page in (computed, stored)]
    assert traces[0] == traces[1]


def test_a_universe_without_a_frontier_says_what_it_needs(
    serve: Callable[..., Any], simulated: Any, dispatch: Dispatch, copy_of: Callable[[Path], Path]
) -> None:
    db = copy_of(simulated.db)
    connection = store.open_writer(db, schema.MARKET)
    for table in (schema.frontier_weights, schema.frontier_points, schema.frontier_runs):
        store.delete(connection, table)
    store.update(connection, schema.instruments, {"kind": "stock"}, active=0)
    connection.close()
    serve(db=db)
    assert "at least two tickers" in text_of(with_class(opened(dispatch, "frontier", view(None)), "empty-state"))


# ---- ids ----------------------------------------------------------------------------------------------------


def ids_in(layout: Any) -> list[str]:
    """Every component id of a layout; pattern ids as JSON with sorted keys."""
    return [
        key if isinstance(key, str) else json.dumps(key, sort_keys=True)
        for item in walk(json.loads(to_json(layout)))
        if (key := item["props"].get("id")) is not None
    ]


def test_every_id_of_a_callback_is_in_the_layout(app: Dash, dispatch: Dispatch) -> None:
    controls = [
        dispatch("backtest-parameters.children", {"backtest-strategy.value": "technical_vote"}),
        dispatch("frontier-ticker-bounds.children", {"frontier-bounded.value": ["SIM001"]}),
        dispatch("technical-parameters.children", {"technical-overlays.value": ["sma"], "technical-live.data": {}}),
    ]
    present = set(ids_in(app.validation_layout)) | {
        json.dumps(item["props"]["id"], sort_keys=True)
        for item in walk(controls) if isinstance(item["props"].get("id"), dict)
    }  # fmt: skip
    kinds = {json.loads(key)["type"] for key in present if key.startswith("{")}
    present |= {json.dumps(json.loads(key), separators=(",", ":")) for key in present if key.startswith("{")}
    used = {
        split(name)[0] for item in dispatch.dependencies for name in outputs_of(item["output"]) if split(name)[0]
    }  # some write nothing
    used |= {part["id"] for item in dispatch.dependencies for part in (*item["inputs"], *item["state"])}
    assert len(used) > 30
    assert {key for key in used if not is_pattern(key)} <= present
    assert {json.loads(key)["type"] for key in used if is_pattern(key)} <= kinds


def test_no_id_stands_twice(app: Dash, serve: Callable[..., Any], answered: str, dispatch: Dispatch) -> None:
    found = ids_in(app.validation_layout)
    for page in PAGES:
        content = opened(dispatch, page, view("SIM001") | {"backtest-shown.data": answered})
        found += [item["props"]["id"] for item in walk(content) if item["props"].get("id")]
    twice = [key for key, count in Counter(map(str, found)).items() if count > 1]
    assert twice == []
    assert len(found) > 100


@pytest.mark.parametrize("key", PAGES)
def test_every_page_is_registered_under_its_own_address(app: Dash, key: str) -> None:
    page = PAGES[key]
    assert page.key == key
    assert list(PAGES) == sorted(PAGES, key=lambda name: PAGES[name].order)
    assert app.server.test_client().get(page.path).status_code == 200
    with app.server.app_context():
        assert f"{key}-content" in ids_in(page.layout(ticker="x", unknown="y"))
