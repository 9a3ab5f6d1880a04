"""What a panel below the frontier declares, and what it is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from analytics.conventions import FloatArray
from dashapp.pages.frontier.live import Answer


@dataclass(frozen=True, eq=False)
class Chosen:
    """The portfolio that the panels are about: weights (n,) of an answer, what it is called, and how it is drawn.

    point: its number on the frontier, 1 first; None where it was chosen by another objective or is held today.
    """

    answer: Answer
    weights: FloatArray
    label: str
    point: int | None
    theme: str


@dataclass(frozen=True)
class Panel:
    """One tab below the frontier. render(chosen, controls) -> components, called only while the tab is open.

    controls: the panel's own inputs by name, as components without ids; their values come to render by the same
    names, not yet checked. slow: whether it takes long enough to say so.
    """

    key: str
    label: str
    order: int
    tip: str
    render: Callable[[Chosen, Mapping[str, Any]], Any]
    controls: Mapping[str, tuple[str, Any]] = field(default_factory=dict)
    slow: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        """The controls that have a value; buttons and places for messages have none."""
        return tuple(name for name, (_, control) in self.controls.items() if "value" in control.available_properties)


def control_id(panel: str, name: str) -> dict[str, str]:
    """Return the id of a panel's own input."""
    return {"type": "frontier-control", "panel": panel, "name": name}


def asked_id(panel: str) -> str:
    """Return the id of the Store that asks a panel: the request, the point, the pick and the theme."""
    return f"frontier-asked-{panel}"


def body_id(panel: str) -> str:
    """Return the id of the place that a panel fills."""
    return f"frontier-panel-{panel}"
