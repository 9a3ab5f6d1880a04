"""The app over HTTP as the page's scripts use it: callbacks by JSON, without a browser."""

import copy
import json
import threading
from typing import Any

from dashapp.app import create_app

UPDATE = "/_dash-update-component"
Value = Any


class Browser:
    """One visitor of an app in this process; the cookies of a session are kept."""

    def __init__(self, settings: Any) -> None:
        app = create_app(settings)
        _wait_for_workers()
        self.client = app.server.test_client()
        self.callbacks = {item["output"]: item for item in self.client.get("/_dash-dependencies").get_json()}

    def another(self) -> "Browser":
        """Return another visitor of the same app."""
        found = copy.copy(self)
        found.client = self.client.application.test_client()
        return found

    def send(self, output: str, *, changed: str, values: dict[str, Value]) -> bytes:
        """Call the callback that writes `output` (id.property) and return the body of the answer.

        values: {id.property: value}, for a pattern id {its JSON with a wildcard: [(id, value), …]}; None where not
        given. Raises RuntimeError on any status but 200.
        """
        found = next(
            item for name, item in self.callbacks.items() if output in _outputs(name)
        )  # a second writer is marked
        answer = self.client.post(UPDATE, json={
            "output": found["output"], "outputs": _targets(found["output"]), "changedPropIds": [changed],
            "inputs": [_filled(item, values) for item in found["inputs"]],
            "state": [_filled(item, values) for item in found["state"]],
        })  # fmt: skip
        if answer.status_code != 200:
            raise RuntimeError(f"{output} answered {answer.status_code}: {answer.get_data(as_text=True)[:300]}")
        return answer.data

    def call(self, output: str, *, changed: str, values: dict[str, Value]) -> dict[str, Any]:
        """Call as `send` does and return {id: {property: value}} of what the answer writes."""
        body = json.loads(self.send(output, changed=changed, values=values))
        return dict(body.get("response", {}))


def _wait_for_workers() -> None:
    """The fork server imports the engine for seconds on one processor: nothing should be timed beside it."""
    for thread in threading.enumerate():
        if thread.name == "warm-up":
            thread.join()


def _outputs(name: str) -> list[str]:
    return name.strip(".").split("...")


def _targets(name: str) -> Any:
    parts = [part.rsplit(".", 1) for part in _outputs(name)]
    targets = [{"id": json.loads(key) if key.startswith("{") else key, "property": prop} for key, prop in parts]
    return targets if name.startswith("..") else targets[0]


def _filled(item: dict[str, Any], values: dict[str, Value]) -> Any:
    """One input as the page sends it; a pattern id becomes the list of the components that match."""
    value = values.get(f"{item['id']}.{item['property']}")
    if item["id"].startswith("{"):
        return [{"id": key, "property": item["property"], "value": one} for key, one in value or ()]
    return {"id": item["id"], "property": item["property"], "value": value}
