"""Whether a callback request has the form that our pages send, checked before Dash sees it.

Dash trusts that form and answers anything else with an error of its own. What the values of a well-formed request
mean is checked where they are used (dashapp/inputs.py).
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from dash import Dash
from flask import abort, request
from flask.json.provider import DefaultJSONProvider

PATH = "/_dash-update-component"
DEEPEST = 20  # levels of lists and objects in a value; our controls send three
PROPERTIES: dict[str, Callable[[Any], bool]] = {  # of these the browser itself keeps the form
    "pathname": lambda value: isinstance(value, str) and value.startswith("/"),
    "search": lambda value: isinstance(value, str) and (not value or value.startswith("?")),
    "n_clicks": lambda value: type(value) is int,
    "n_intervals": lambda value: type(value) is int,
}
_PLAIN = re.compile(r"[^\x00-\x1f\x7f]{1,300}")


class StrictJSON(DefaultJSONProvider):
    """JSON as its standard has it: no NaN, no lone surrogates, no number beyond a double, no bottomless nesting."""

    def loads(self, s: str | bytes, **_options: Any) -> Any:
        """Return what a text stands for; raises ValueError, which Flask answers with 400."""
        found = orjson.loads(s)
        if b"\\u0000" in (s if isinstance(s, bytes) else s.encode()):
            raise ValueError("a zero character")
        return found


def check_callback_requests(app: Dash) -> None:
    """Answer 400 to every callback request of another form than those of the app's own pages."""
    app.server.json = StrictJSON(app.server)

    @app.server.before_request
    def check() -> None:
        if request.path == PATH and request.method == "POST" and not _well_formed(request.get_json(), app.callback_map):
            abort(400)


def _well_formed(body: Any, callbacks: Mapping[str, Any]) -> bool:
    if not isinstance(body, dict) or not isinstance(body.get("output"), str):
        return False
    declared = callbacks.get(body["output"])
    if declared is None or body.get("outputs") != _outputs(body["output"]):
        return False
    changed = body.get("changedPropIds", [])
    if not isinstance(changed, list) or not all(isinstance(key, str) and _PLAIN.fullmatch(key) for key in changed):
        return False
    return all(
        isinstance(given := body.get(kind, []), list)
        and len(given) == len(declared[key])
        and all(map(_fits, given, declared[key]))
        for kind, key in (("inputs", "inputs"), ("state", "state"))
    )


def _outputs(output: str) -> Any:
    """The outputs that belong to Dash's name of a callback."""
    names = output[2:-2].split("...") if output.startswith("..") else [output]
    found = []
    for name in names:
        key, _, prop = name.rpartition(".")
        found.append({"id": _id(key), "property": prop})
    return found if output.startswith("..") else found[0]


def _id(key: str) -> Any:
    return json.loads(key) if key.startswith("{") else key


def _fits(given: Any, declared: Mapping[str, Any]) -> bool:
    """Whether what was sent is the declared input: that component, or a list of those that its pattern matches."""
    expected = _id(declared["id"])
    if isinstance(expected, dict) and any(isinstance(value, list) for value in expected.values()):
        return isinstance(given, list) and all(_is_part(item, expected, declared["property"]) for item in given)
    return _is_part(given, expected, declared["property"])


def _is_part(given: Any, expected: Any, prop: str) -> bool:
    if not isinstance(given, dict) or given.get("property") != prop or not _same_id(given.get("id"), expected):
        return False
    value = given.get("value")
    has_form = PROPERTIES.get(prop)
    return not _too_deep(value) and (value is None or has_form is None or has_form(value))


def _same_id(given: Any, expected: Any) -> bool:
    if not isinstance(expected, dict):
        return bool(given == expected)
    return (
        isinstance(given, dict)
        and given.keys() == expected.keys()
        and all(
            isinstance(given[key], (str, int)) if isinstance(value, list) else given[key] == value
            for key, value in expected.items()
        )
    )


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner for item in level if isinstance(item, (list, dict))
            for inner in (item.values() if isinstance(item, dict) else item)
        ]  # fmt: skip
        if not level:
            return False
    return True
