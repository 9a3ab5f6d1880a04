"""What an indicator declares, and the one way to compute it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from analytics.conventions import FloatArray
from analytics.indicators._vote import Columns, Vote
from analytics.market import Bars
from analytics.parameters import Parameter, resolve

Group = Literal["moving_average", "oscillator", "trend", "volatility", "volume"]


@dataclass(frozen=True)
class Indicator:
    """One technical indicator: its formula, its drawing, its parameters and its votes.

    compute(inputs, **parameters) takes {input name: finite array of shape (n,)} and returns one array of shape
    (n,) per output, in the order of `outputs`, NaN in the warm-up and where the formula is 0/0. `votes` is empty
    where the indicator has no direction.
    """

    key: str
    label: str
    description: str  # one sentence an analyst would use
    formula: str
    reference: str
    group: Group
    pane: Literal["price", "own"]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]  # the stored columns, at default parameters
    parameters: tuple[Parameter, ...]
    compute: Callable[..., tuple[FloatArray, ...]]
    warm_up: int  # bars before the first on which every output has a value, at default parameters
    votes: tuple[Vote, ...] = ()
    levels: tuple[float, ...] = ()  # guide lines in its own pane
    drawn: tuple[str, ...] = ()  # outputs drawn at first, the others on request; empty: all of them
    fraction: bool = False  # shown as percent


def compute_indicator(
    indicator: Indicator, bars: Bars, parameters: Mapping[str, Any] | None = None
) -> dict[str, FloatArray]:
    """Return {output: values of shape (n_sessions,)} on the calendar of `bars`.

    Computed on the bars where all inputs exist and then put back on the calendar, because one NaN inside would
    poison a recursive average for ever. NaN when: an input is unknown on that day, in the warm-up, or where the
    formula is 0/0. Raises InputError on a parameter out of bounds, UnknownKeyError on one that is not declared.
    """
    chosen = resolve(indicator.parameters, parameters or {})
    values = {name: getattr(bars, name) for name in indicator.inputs}
    complete = _known(values)
    outputs = {name: np.full(len(bars), np.nan) for name in indicator.outputs}
    if not complete.any():
        return outputs
    rows = _selection(complete)
    inputs = {name: np.ascontiguousarray(array[rows], dtype=np.float64) for name, array in values.items()}
    computed = indicator.compute(inputs, **chosen)
    for name, array in zip(indicator.outputs, computed, strict=True):
        outputs[name][rows] = array
    return outputs


def compute_vote(indicator: Indicator, vote: Vote, bars: Bars, outputs: Columns) -> FloatArray:
    """Return one of the indicator's votes per session, shape (n_sessions,): −1 sell, 0 neutral, 1 buy.

    NaN when: an input of the indicator or an output that the vote reads is unknown on that day.
    """
    inputs = {name: getattr(bars, name) for name in indicator.inputs}
    read = {name: outputs[name] for name in vote.reads or indicator.outputs}
    rows = _selection(_known(inputs | read))
    votes = np.full(len(bars), np.nan)
    votes[rows] = vote.decide(_rows(inputs, rows), _rows(read, rows))
    return votes


def _known(columns: Columns) -> np.ndarray:
    return np.logical_and.reduce([np.isfinite(array) for array in columns.values()])


def _selection(known: np.ndarray) -> np.ndarray | slice:
    """The known rows; as a slice, which copies nothing, where they are all rows from one on."""
    first = int(known.argmax()) if len(known) else 0
    return slice(first, None) if known[first:].all() else known


def _rows(columns: Columns, rows: np.ndarray | slice) -> Columns:
    return {name: array[rows] for name, array in columns.items()}
