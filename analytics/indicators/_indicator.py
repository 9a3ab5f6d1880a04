"""What an indicator declares, and the one way to compute it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from analytics.conventions import FloatArray
from analytics.market import Bars
from analytics.parameters import Parameter, resolve

Columns = Mapping[str, FloatArray]
Group = Literal["moving_average", "oscillator", "volatility", "volume"]

ROUNDING = 1e-12  # relative; a few thousand last bits, far below any move of a price


@dataclass(frozen=True)
class Indicator:
    """One technical indicator: its formula, its drawing, its parameters and its vote.

    compute(inputs, **parameters) takes {input name: finite array of shape (n,)} and returns one array of shape
    (n,) per output, in the order of `outputs`, NaN in the warm-up and where the formula is 0/0. vote(inputs,
    outputs) is given only the rows on which all of them are known, and returns −1, 0 or 1 per row (NaN: it cannot
    tell yet). vote is None where the indicator has no direction.
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
    vote: Callable[[Columns, Columns], FloatArray] | None = None
    vote_rule: str = "no vote: it measures size, not direction"
    levels: tuple[float, ...] = ()  # guide lines in its own pane

    @property
    def vote_column(self) -> str | None:
        """The stored column of the vote, None where the indicator has no vote."""
        return f"vote_{self.key}" if self.vote else None


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
    complete = np.logical_and.reduce([np.isfinite(array) for array in values.values()])
    outputs = {name: np.full(len(bars), np.nan) for name in indicator.outputs}
    if not complete.any():
        return outputs
    inputs = {name: np.ascontiguousarray(array[complete], dtype=np.float64) for name, array in values.items()}
    computed = indicator.compute(inputs, **chosen)
    for name, array in zip(indicator.outputs, computed, strict=True):
        outputs[name][complete] = array
    return outputs


def compute_vote(indicator: Indicator, bars: Bars, outputs: Columns) -> FloatArray:
    """Return the vote per session, shape (n_sessions,): −1 sell, 0 neutral, 1 buy.

    NaN when: an input or an output of the indicator is unknown on that day. Raises ValueError where the indicator
    has no vote.
    """
    if indicator.vote is None:
        raise ValueError(f"{indicator.key} has no vote")
    inputs = {name: getattr(bars, name) for name in indicator.inputs}
    known = np.logical_and.reduce([np.isfinite(array) for array in (*inputs.values(), *outputs.values())])
    votes = np.full(len(bars), np.nan)
    votes[known] = indicator.vote(_rows(inputs, known), _rows(outputs, known))
    return votes


def sign_of(difference: FloatArray, *, scale: FloatArray | float = 0.0) -> FloatArray:
    """Vote of a comparison: 1 above, −1 below, 0 where equal.

    A difference within rounding of `scale`, the size of what was compared, is equal: two averages of a price that
    never moves differ in their last bits, and that is no opinion.
    """
    return np.where(np.abs(difference) <= ROUNDING * np.abs(scale), 0.0, np.sign(difference))


def band_vote(values: FloatArray, *, buy_below: float, sell_above: float) -> FloatArray:
    """Vote of an oscillator: 1 below the oversold level, −1 above the overbought level, else 0."""
    return (values < buy_below).astype(float) - (values > sell_above).astype(float)


def _rows(columns: Columns, mask: np.ndarray) -> Columns:
    return {name: array[mask] for name, array in columns.items()}
