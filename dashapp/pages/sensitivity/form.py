"""What the form of the Sensitivity tab offers, and the sweep that it asks for."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from analytics.backtest.parameter_sets import MOST_CELLS, Range, swept_parameter
from analytics.backtest.strategies import STRATEGIES
from analytics.backtest.terms import COSTS, RULES
from analytics.errors import InputError, PlumblineError
from analytics.indicators import INDICATORS, VOTES, Indicator
from analytics.parameters import Parameter
from dashapp import inputs
from dashapp.format import column_label
from pipeline.sweeps import LARGEST_SEED, MOST_AXES, SweepRequest

PLACES: Final = tuple(range(1, MOST_AXES + 1))
WAYS: Final = {"grid": "Every combination", "random": "Drawn at random"}
TERMS: Final = {item.name: item for item in (*COSTS, *RULES) if item.name in ("fee_rate", "slippage_rate", "direction")}
FIRST: Final = {"threshold": (2, 6, 1), "rsi.window": (7, 28, 1)}  # what the form begins with
STEPS_OFFERED: Final = 20  # values of an axis, about, that its range begins with
DRAWS: Final = 500
LABELS: Final = {
    "tickers": "Tickers",
    "start": "From",
    "end": "To",
    "sets": "Sets",
    "count": "How many",
    "seed": "Seed",
}


@dataclass(frozen=True)
class Form:
    """The values of the form as the browser sent them; axes: (name, from, to, step) per row."""

    strategy: Any
    tickers: Any
    start: Any
    end: Any
    terms: Mapping[str, Any]
    axes: Sequence[tuple[Any, Any, Any, Any]]
    way: Any
    draws: Any
    seed: Any

    def request(self) -> SweepRequest:
        """Return the checked sweep; raises InputError or UnknownKeyError before any work."""
        strategy = inputs.choice("strategy", self.strategy, STRATEGIES)
        random = inputs.choice("sets", self.way, WAYS) == "random"
        terms = {name: inputs.parameter(TERMS[name], value) for name, value in self.terms.items()}
        return SweepRequest.of(
            strategy=strategy, tickers=inputs.tickers(self.tickers), start=inputs.date("start", self.start), end=inputs.date("end", self.end),
            costs={item.name: terms[item.name] for item in COSTS if item.name in terms},
            rules={item.name: terms[item.name] for item in RULES if item.name in terms},
            ranges=[_range(strategy, row) for row in self.axes if row[0]],
            draws=inputs.whole("count", self.draws, low=1, high=MOST_CELLS) if random else None,
            seed=inputs.whole("seed", self.seed, low=0, high=LARGEST_SEED) if random else 0,
        )  # fmt: skip


def _range(strategy: str, row: tuple[Any, Any, Any, Any]) -> Range:
    name, low, high, step = row
    offered = inputs.choice("parameter", name, swept(strategy))
    ends = [
        inputs.number(f"{offered} {word}", value)
        for word, value in zip(("from", "to", "step"), (low, high, step), strict=True)
    ]
    percent = swept_parameter(strategy, offered).percent
    return Range(offered, *(value / 100 if percent else value for value in ends))


def swept(strategy: str) -> dict[str, str]:
    """Return the parameters of a strategy that have a range, {name: label}: its own, then those of its indicators."""
    declared = STRATEGIES[strategy].parameters
    own = {item.name: item.label for item in declared if _has_range(item)}
    if not any(item.parse for item in declared):
        return own
    return own | {
        f"{item.key}.{one.name}": _indicator_label(item, one)
        for item in _voting(declared) for one in item.parameters if _has_range(one)
    }  # fmt: skip


def _indicator_label(item: Indicator, one: Parameter) -> str:
    """RSI: window, or SMA 50: window where the parameter is named after the average."""
    name = column_label(item.key)
    return f"{one.label}: window" if one.label.startswith(name) else f"{name}: {one.label[0].lower()}{one.label[1:]}"


def _voting(declared: Sequence[Parameter]) -> list[Indicator]:
    """The indicators whose votes a strategy counts by default: the others would change nothing."""
    votes = next((item.default for item in declared if item.name == "votes"), tuple(VOTES))
    return list({VOTES[key].indicator.key: VOTES[key].indicator for key in votes}.values()) or list(INDICATORS.values())


def _has_range(item: Parameter) -> bool:
    return not (item.choices or item.one_of or item.parse or isinstance(item.default, bool))


def first_range(strategy: str, name: str) -> tuple[float, float, float]:
    """Return (from, to, step) that an axis begins with: around the default, in whole steps within its bounds."""
    if strategy == "technical_vote" and name in FIRST:
        return FIRST[name]
    item = swept_parameter(strategy, name)
    low, high = sorted((item.default * 0.5, item.default * 1.5))
    step = item.step * max(1, math.ceil((high - low) / item.step / STEPS_OFFERED))
    low = max(item.minimum, round(low / step) * step)
    high = max(low, min(item.maximum, round(high / step) * step))
    factor = 100 if item.percent else 1
    return round(low * factor, 9), round(high * factor, 9), round(step * factor, 9)


def first_axes(strategy: str) -> list[str | None]:
    """Return the axes that a strategy begins with."""
    names = list(swept(strategy))
    begin = [name for name in FIRST if name in names] if strategy == "technical_vote" else names[:2]
    return [*begin, *[None] * MOST_AXES][:MOST_AXES]


def label_of(strategy: str, name: str) -> str:
    """Return the label of a swept parameter."""
    return swept(strategy).get(name, column_label(name))


def in_words(error: PlumblineError, strategy: Any) -> str:
    """Return an error about a field with the label that stands above it in place of its key."""
    if not isinstance(error, InputError):
        return str(error)
    name, _, part = error.field.partition(" ")
    labels = {key: item.label for key, item in TERMS.items()} | LABELS
    if isinstance(strategy, str) and strategy in STRATEGIES:
        labels |= swept(strategy)
    return f"{labels.get(name, name)} {part}".strip() + str(error).removeprefix(error.field)
