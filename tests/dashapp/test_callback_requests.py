"""Requests that no page of ours makes: malformed posts, and paths that try to leave their folder."""

import json
import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
from dash import Dash
from dash._utils import to_json
from dispatch import UPDATE, Dispatch, of_type
from flask.testing import FlaskClient
from hostile import LEAKS
from opened_page import view

from config import ROOT
from dashapp.callback_requests import DEEPEST
from dashapp.components import text_table
from dashapp.security import MAX_BODY

JSON = "application/json"


@pytest.fixture
def client(app: Dash) -> FlaskClient:
    return app.server.test_client()


def body(**changes: Any) -> dict[str, Any]:
    """A request of the Technical tab as its page makes it, but for the changes; None takes a part away."""
    names = ("technical-overlays.value", "technical-panes.value", "technical-reset.n_clicks")
    made = {
        "output": "technical-parameters.children", "outputs": {"id": "technical-parameters", "property": "children"},
        "state": [{"id": "technical-live", "property": "data", "value": {}}],
        "inputs": [dict(zip(("id", "property"), name.split("."), strict=True)) | {"value": view("SIM001").get(name)} for name in names],
        "changedPropIds": ["shell-view.data"],
    } | changes  # fmt: skip
    return {name: value for name, value in made.items() if value is not None}


def inputs(**first: Any) -> list[dict[str, Any]]:
    """The inputs of that request with the first one changed."""
    found = body()["inputs"]
    return [found[0] | first, *found[1:]]


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


def test_a_request_as_the_page_makes_it_is_answered(
    serve: Callable[..., Any], simulated: Any, client: FlaskClient
) -> None:
    serve(db=simulated.db)
    response = client.post(UPDATE, json=body())
    assert response.status_code == 200
    assert "rsi.window" in response.text


MALFORMED: dict[str, Any] = {
    "empty object": {}, "empty list": [], "text": "text", "number": 7, "null": None,
    "unknown output": body(output="nowhere.children"), "a path as output": body(output="../../data.db"),
    "output of another type": body(output=["a"]), "no output": body(output=None),
    "no outputs": body(outputs=None), "outputs of another callback": body(outputs={"id": "data-content", "property": "children"}),
    "outputs of another type": body(outputs=3), "a list for one output": body(outputs=[body()["outputs"]]),
    "no inputs": body(inputs=None), "inputs of another type": body(inputs="x"), "too few inputs": body(inputs=inputs()[:2]),
    "too many inputs": body(inputs=inputs() * 2), "inputs in another order": body(inputs=inputs()[::-1]),
    "an input that is no object": body(inputs=["x"] * 6), "an input without id": body(inputs=[{"value": 1}] * 6),
    "another property": body(inputs=inputs(property="children")), "a list as id": body(inputs=inputs(id=["shell-view"])),
    "an object as id": body(inputs=inputs(id={"type": "x", "name": "y"})), "state of another type": body(state={}),
    "state that is not declared": body(state=inputs()[:1]), "triggers of another type": body(changedPropIds="x"),
    "a trigger of another type": body(changedPropIds=[1]), "a line break in a trigger": body(changedPropIds=["x.y\nERROR forged"]),
    "a deep value": body(inputs=inputs(value=nested(DEEPEST + 1))),
    "not a number": body(inputs=inputs(value=float("nan"))), "infinity": body(inputs=inputs(value=float("-inf"))),
    "10^4000": body(inputs=inputs(value=10**4000)), "a zero character": body(inputs=inputs(value="SIM\x00001")),
    "half a character": body(inputs=inputs(value="\ud800")),
}  # fmt: skip
RAW: dict[str, bytes] = {
    "nothing": b"", "no JSON": b"not json", "half of it": json.dumps(body()).encode()[:-20], "no UTF-8": b'{"output": "\xff\xfe"}',
    "100,000 lists": b"[" * 100_000, "100,000 lists, closed": b'{"output": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "100,000 objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "a zero byte": b'{"output": "\x00"}',
}  # fmt: skip


@pytest.mark.parametrize(
    "sent", [*(json.dumps(item).encode() for item in MALFORMED.values()), *RAW.values()], ids=[*MALFORMED, *RAW]
)
def test_t34_a_malformed_request_gets_400_and_a_plain_sentence(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    with caplog.at_level(logging.ERROR):
        response = client.post(UPDATE, data=sent, content_type=JSON)
    assert (response.status_code, response.text) == (400, "This request is not one that the app's pages send.")
    assert caplog.records == []
    assert client.get("/health").status_code in (200, 503)  # the server lives


def test_t34_an_oversized_request_gets_413(client: FlaskClient) -> None:
    for size in (MAX_BODY + 1, 3_000_000):
        response = client.post(UPDATE, data=b'{"output": "' + b"x" * size + b'"}', content_type=JSON)
        assert (response.status_code, response.text) == (413, "The request is larger than 2 MB.")
    assert client.get("/_dash-layout").status_code == 200


def test_a_form_of_another_site_cannot_press_a_button(client: FlaskClient) -> None:
    """A browser sends JSON across sites only after asking, and the app never agrees."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        assert client.post(UPDATE, data=json.dumps(body()), content_type=kind).status_code == 415
    asked = client.options(UPDATE, headers={"Origin": "https://elsewhere.example"})
    assert "Access-Control-Allow-Origin" not in asked.headers


FORGED = ("1", "1~AAAA", "x" * 5_000, "../../etc/passwd", "'; DROP TABLE jobs; --", "-1", "\u0660", "a~b~c")


@pytest.mark.parametrize("name", ["cacheKey", "job", "oldJob", "cancelJob", "endId"])
def test_t34_forged_handles_of_background_work_do_nothing(dispatch: Dispatch, name: str) -> None:
    for value in FORGED:
        response = dispatch.post("shell-backtest-outcome.data", {}, query={"cacheKey": "k", "job": "1"} | {name: value})
        assert response.status_code in (200, 204, 400)
        assert not [leak for leak in LEAKS if leak in response.text]


# ---- paths --------------------------------------------------------------------------------------------------

OUTSIDE = [
    "/vendor/..%2f..%2fsetup.py", "/vendor/../../__init__.py", "/vendor/%2e%2e/%2e%2e/__init__.py", "/vendor/..%5c..%5csetup.py",
    "/assets/..%2fapp.py", "/assets/../app.py", "/assets/%2e%2e/security.py", "/assets/..%2f..%2fdata.db", "/assets/%00",
    "/_dash-component-suites/../dash/dash.py", "/_dash-component-suites/dash/../dash.py", "/_dash-component-suites/os/path.py",
    "/_dash-component-suites/dash/..%2f..%2f..%2fetc%2fpasswd", "/_dash-component-suites/dash_ag_grid/none.js",
    "/_dash-component-suites/dash/dash.py", "/static/../../etc/passwd", "/%0d%0aX-Injected:%201",
]  # fmt: skip


@pytest.mark.parametrize("path", OUTSIDE)
def test_t40_paths_do_not_lead_out_of_their_folder(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    with caplog.at_level(logging.ERROR):
        response = client.get(path)
    assert (response.status_code, response.text) == (404, "There is nothing at this address.")
    assert caplog.records == []


@pytest.mark.parametrize("path", [
    "/vendor/%2fetc/passwd", "/nowhere/../../etc/passwd", "/data.db", "/workspace.db", "/_mcp", "/_mcp/tools", "/.env", "/" + "x" * 5_000,
    "/%ff%fe", "/?" + "a=1&" * 500, "/technical?ticker=%00%ff%0d%0aX-Injected:1",
])  # fmt: skip
def test_t40_any_other_path_is_the_app_s_own_page(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert response.mimetype == "text/html"
    assert "_dash-config" in response.text
    assert "root:" not in response.text
    assert "X-Injected" not in response.headers


def test_t40_no_tool_server_is_offered(app: Dash, client: FlaskClient) -> None:
    assert not [rule.rule for rule in app.server.url_map.iter_rules() if "mcp" in rule.rule]
    assert client.post("/_mcp", json={"jsonrpc": "2.0", "method": "tools/list", "id": 1}).status_code == 405


def test_t40_the_reload_address_tells_nothing(client: FlaskClient) -> None:
    response = client.get("/_reload-hash")
    assert response.status_code == 200
    assert not re.search(rf"{ROOT}|\.py", response.text)


def test_t38_nothing_can_be_uploaded(app: Dash) -> None:
    """Whoever adds an upload adds its limits: size, columns, rows, encoding and time."""
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "dashapp").rglob("*.py")]
    assert len(sources) > 30
    assert not [text for text in sources if "Upload(" in text]
    assert "request.files" not in "".join(sources)
    with app.server.app_context():
        assert '"Upload"' not in json.dumps(app.server.test_client().get("/_dash-layout").json)


def test_no_component_may_run_what_it_shows() -> None:
    """T36: neither HTML nor code comes out of data."""
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "dashapp").rglob("*.py"))
    assert not re.search(
        r"dangerously_allow|DangerouslySetInnerHTML|srcDoc|html\.(Iframe|Script|Object|Embed)", sources
    )
    assert sources.count("Markdown(") == 1  # that of text_table, which takes every mark of a cell as it is written
    (table,) = of_type(json.loads(to_json(text_table(["a", "b"], [["[x](javascript:1)", "<img>|`*_~"]]))), "Markdown")
    assert table["props"]["children"].splitlines()[-1] == r"| \[x\](javascript:1) | <img>\|\`\*\_\~ |"
