"""What a vote declares: its rule, and the sentence that says why it stands as it does."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from analytics.conventions import FloatArray

Columns = Mapping[str, FloatArray]
RatingGroup = Literal["moving_average", "oscillator"]

ROUNDING = 1e-12  # relative; a few thousand last bits, far below any move of a price


@dataclass(frozen=True)
class Vote:
    """One opinion that an indicator gives: 1 buy, −1 sell, 0 neutral.

    decide(inputs, outputs) is given only the rows, oldest first, on which all inputs of the indicator and all
    columns it `reads` are known, and returns −1, 0 or 1 per row (NaN: it cannot tell yet). `because` holds the
    sentence of a buy, of a neutral day and of a sell: {name} is the day's value, {before.name} that of the last known
    day before it.
    """

    key: str
    label: str
    rule: str
    decide: Callable[[Columns, Columns], FloatArray]
    because: tuple[str, str, str]
    rating: RatingGroup | None = None  # the half of the rating in which it counts
    reads: tuple[str, ...] = ()  # outputs of the indicator; empty: all of them
    warm_up: int | None = None  # bars before the first vote, at default parameters; None: those of the indicator

    @property
    def column(self) -> str:
        """The stored column."""
        return f"vote_{self.key}"

    def explain(self, value: float, row: Mapping[str, float], before: Mapping[str, float]) -> str:
        """Return why a known vote stands at `value`; row and before: {input or output: value} of the two days.

        A value that is not given, or not known, is written as nan.
        """
        sentence = self.because[1 - int(value)]
        values = _Known({**row, "before": _Known(before)})
        said = sentence.format_map(values)
        for digits in (2, 4, 6):
            if value == 0 or not _looks_equal(said):
                break
            said = _DIGITS.sub(lambda match: f".{int(match[1]) + digits}f", sentence).format_map(values)  # noqa: B023
        return said


_DIGITS = re.compile(r"\.(\d)f")
_NUMBERS = re.compile(r"(?<![\w.])-?\d[\d,]*\.?\d*")


def _looks_equal(said: str) -> bool:
    """Whether a sentence that says two numbers differ shows the same twice, or says that something moved by 0."""
    texts = _NUMBERS.findall(said.replace("−", "-"))
    numbers = [float(text.rstrip(".,").replace(",", "")) for text in texts]
    moved_by_nothing = any(number == 0 and "." in text for number, text in zip(numbers, texts, strict=True))
    return len(set(numbers)) < len(numbers) or moved_by_nothing


class _Known(dict[str, Any]):
    """Numbers by name, as items and as attributes; one that nobody gave is NaN."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__({name: np.nan if value is None else value for name, value in values.items()})

    def __missing__(self, name: str) -> float:
        return np.nan

    def __getattr__(self, name: str) -> Any:
        return self[name]


def average_vote(output: str, label: str, *, warm_up: int) -> Vote:
    """Return the vote of a moving average in the rating: buy on a close above it, sell below."""
    return Vote(
        key=output,
        label=label,
        rule=f"buy on a close above {label}, sell below",
        decide=lambda inputs, outputs: sign_of(inputs["close"] - outputs[output], scale=inputs["close"]),
        because=(
            f"The close of {{close:,.2f}} is above {label} at {{{output}:,.2f}}.",
            f"The close equals {label} at {{{output}:,.2f}}.",
            f"The close of {{close:,.2f}} is below {label} at {{{output}:,.2f}}.",
        ),
        rating="moving_average",
        reads=(output,),
        warm_up=warm_up,
    )


def sign_of(difference: FloatArray, *, scale: FloatArray | float = 0.0) -> FloatArray:
    """Vote of a comparison: 1 above, −1 below, 0 where equal.

    A difference within rounding of `scale`, the size of what was compared, is equal: two averages of a price that
    never moves differ in their last bits, and that is no opinion.
    """
    return np.where(np.abs(difference) <= ROUNDING * np.abs(scale), 0.0, np.sign(difference))


def band_vote(values: FloatArray, *, buy_below: float, sell_above: float) -> FloatArray:
    """Vote of an oscillator: 1 below the oversold level, −1 above the overbought level, else 0."""
    return (values < buy_below).astype(float) - (values > sell_above).astype(float)


def level_reasons(label: str, output: str, *, low: float, high: float, digits: int = 1) -> tuple[str, str, str]:
    """Return the sentences of an oscillator that buys below `low` and sells above `high`."""
    shown = f"{label} at {{{output}:.{digits}f}}"
    return (
        f"{shown} is below {low:g}: oversold.",
        f"{shown} is between {low:g} and {high:g}.",
        f"{shown} is above {high:g}: overbought.",
    )


def change(values: FloatArray) -> FloatArray:
    """Return the change since the row before, shape (n,). NaN when: it is the first row."""
    return np.diff(values, prepend=np.nan)


def either(buy: np.ndarray, sell: np.ndarray, *known: FloatArray) -> FloatArray:
    """Return 1 where `buy`, −1 where `sell`, else 0, each of shape (n,). NaN when: one of `known` is NaN."""
    unknown = np.logical_or.reduce([np.isnan(values) for values in known]) if known else np.zeros(len(buy), dtype=bool)
    return np.where(unknown, np.nan, buy.astype(float) - sell.astype(float))
