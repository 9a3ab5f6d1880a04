"""Callbacks through the real HTTP layer (JSON in, JSON out, Dash's own checks), without a browser."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

UPDATE = "/_dash-update-component"


class Dispatch:
    """One browser: its own session, and a way to press what a page offers."""

    def __init__(self, server: Flask) -> None:
        self.client: FlaskClient = server.test_client()
        self.dependencies = self.client.get("/_dash-dependencies").json

    def post(
        self, output: str, values: Mapping[str, Any], *, query: Mapping[str, str] | None = None, changed: str = ""
    ) -> Any:
        """Post the callback that writes `output`; values: {"id.property": value}, what is left out is null.

        The value of a pattern such as {"type": …, "name": ALL} is {name: value}, under "type.property". changed: the
        input that is said to have changed, the first one by default.
        """
        writers = [item for item in self.dependencies if output in outputs_of(item["output"])]
        found = min(
            writers, key=lambda item: output not in sent(item["output"])
        )  # a second writer only where no first is
        outputs = [{"id": parsed(key), "property": prop} for key, prop in map(split, sent(found["output"]))]
        inputs, state = ([_filled(item, values) for item in found[kind]] for kind in ("inputs", "state"))
        body = {
            "output": found["output"], "outputs": outputs if found["output"].startswith("..") else outputs[0],
            "inputs": inputs, "state": state, "changedPropIds": [changed or f"{found['inputs'][0]['id']}.{found['inputs'][0]['property']}"],
        }  # fmt: skip
        return self.client.post(UPDATE, json=body, query_string=query or {})

    def __call__(self, output: str, values: Mapping[str, Any] | None = None, *, changed: str = "") -> dict[str, Any]:
        """Return what the callback wrote as {"id.property": value}, toasts included; a no-update is left out."""
        answer = self.post(output, values or {}, changed=changed)
        assert answer.status_code in (200, 204), f"{output}: HTTP {answer.status_code}"
        if answer.status_code == 204:
            return {}
        return {
            f"{key}.{name}": value for kind in ("response", "sideUpdate") for key, values in answer.json.get(kind, {}).items()
            for name, value in values.items()
        }  # fmt: skip


def outputs_of(output: str) -> list[str]:
    """Return the "id.property" names in Dash's name of a callback; of a second writer too, which is marked there."""
    return [name.split("@")[0] for name in sent(output)]


def sent(output: str) -> list[str]:
    """Return the same as a browser sends them, with the mark of a second writer."""
    return output[2:-2].split("...") if output.startswith("..") else [output]


def split(name: str) -> tuple[str, str]:
    """Return (id, property) of "id.property"."""
    key, _, prop = name.rpartition(".")
    return key, prop


def parsed(key: str) -> Any:
    """Return an id as Dash sends it: text, or an object where it is written as one."""
    return json.loads(key) if key.startswith("{") else key


def is_pattern(key: str) -> bool:
    """Whether an id stands for several components."""
    return key.startswith("{") and any(isinstance(value, list) for value in json.loads(key).values())


def _filled(item: Mapping[str, str], values: Mapping[str, Any]) -> Any:
    key, prop = item["id"], item["property"]
    if not is_pattern(key):
        return {"id": parsed(key), "property": prop, "value": values.get(f"{key}.{prop}")}
    pattern = parsed(key)
    return [
        {"id": pattern | {"name": name}, "property": prop, "value": value}
        for name, value in values.get(f"{pattern['type']}.{prop}", {}).items()
    ]


def walk(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every component, as its JSON, in a component, a list of them or a callback's answer."""
    if isinstance(node, list):
        for item in node:
            yield from walk(item)
    elif isinstance(node, dict):
        if {"type", "namespace", "props"} <= set(node):
            yield node
        for value in node.values():
            yield from walk(value)


def text_of(node: Any) -> str:
    """Return the words a reader sees: the cells of grids are left out."""
    if isinstance(node, list):
        return " ".join(filter(None, map(text_of, node)))
    if isinstance(node, dict):
        text = text_of(node["props"].get("children"))
        return re.sub(r"\\(.)", r"\1", text) if node.get("type") == "Markdown" else text
    return "" if node is None else str(node)


def with_class(node: Any, name: str) -> list[dict[str, Any]]:
    """Return the components that carry a CSS class."""
    return [
        item for item in walk(node)
        if name in f"{item['props'].get('className') or ''} {item['props'].get('class_name') or ''}".split()
    ]  # fmt: skip


def tips_of(node: Any) -> list[str]:
    """Return the explanations behind each ⓘ."""
    return [item["props"]["data-tip"] for item in walk(node) if "data-tip" in item["props"]]


def table_of(node: Any, number: int = 0) -> list[list[str]]:
    """The cells of a table of texts that a page shows, without its heading."""
    lines = text_of(of_type(node, "Markdown")[number]).splitlines()
    return [[cell.strip() for cell in line.strip("| ").split("|")] for line in lines[2:]]


def of_type(node: Any, name: str) -> list[dict[str, Any]]:
    """Return the components of a type, such as AgGrid."""
    return [item for item in walk(node) if item["type"] == name]
