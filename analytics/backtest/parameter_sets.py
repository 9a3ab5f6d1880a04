"""The parameter sets of a sweep: every combination on a grid, or some drawn at random, in one canonical form."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any, Final

import numpy as np

from analytics.backtest.strategies import STRATEGIES
from analytics.conventions import FloatArray
from analytics.errors import InputError, UnknownKeyError
from analytics.indicators import INDICATORS, declared_parameter, parse_settings
from analytics.parameters import LONGEST_TEXT, Parameter
from analytics.registry import lookup

MOST_CELLS: Final = 10_000  # a sweep that takes a minute or less
MOST_AXES: Final = 6  # a cell then has 728 neighbours at the most
SETTINGS: Final = "indicator_parameters"  # the text of a strategy that holds what "rsi.window" sets
DIGITS: Final = 12  # of a value on a scale of steps: 0.1 + 2 × 0.1 is 0.3
SHOWN: Final = 60  # characters of a refused value that a message repeats


@dataclass(frozen=True)
class Axis:
    """The values of one parameter that a grid takes, as asked; `grid` brings them into canonical form.

    name: a declared parameter of the strategy, or of an indicator that it reads, such as "rsi.window".
    """

    name: str
    values: Sequence[Any]


@dataclass(frozen=True)
class Range:
    """The values from `low` to `high`, both included, that a parameter may take: `step` apart, its own where None."""

    name: str
    low: float
    high: float
    step: float | None = None


@dataclass(frozen=True)
class Cell:
    """One parameter set: (name, value) by name. Two equal sets are one, however they were asked for."""

    values: tuple[tuple[str, Any], ...]

    @property
    def key(self) -> str:
        """The set as a text, such as "rsi.window=14, threshold=3"."""
        return ", ".join(f"{name}={value!r}" for name, value in self.values)

    def parameters(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters of a strategy with those of the set instead of the given ones."""
        own = {name: value for name, value in self.values if "." not in name}
        placed = {name: value for name, value in self.values if "." in name}
        if not placed:
            return {**given, **own}
        kept = parse_settings(given.get(SETTINGS) or "")
        settings = {f"{key}.{name}": value for key, of in kept.items() for name, value in of.items()} | placed
        return {**given, **own, SETTINGS: ",".join(f"{place}={value!r}" for place, value in settings.items())}


@dataclass(frozen=True)
class Grid:
    """Every combination of the axes, by name; the last axis moves first. ordered: which axes have neighbours."""

    axes: tuple[Axis, ...]
    ordered: tuple[bool, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of values on each axis."""
        return tuple(len(axis.values) for axis in self.axes)

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """The sets, in canonical order."""
        names = [axis.name for axis in self.axes]
        return tuple(
            Cell(tuple(zip(names, values, strict=True))) for values in product(*(axis.values for axis in self.axes))
        )

    def position(self, name: str) -> int:
        """Return the place of an axis; raises UnknownKeyError."""
        places = {axis.name: place for place, axis in enumerate(self.axes)}
        return lookup(places, name, "axis")

    def shaped(self, values: FloatArray) -> FloatArray:
        """Return one value per cell in the shape of the grid; raises InputError on another number of them."""
        if np.shape(values) != (math.prod(self.shape),):
            raise InputError("values", got=np.shape(values), allowed=f"one per cell, {math.prod(self.shape):,}")
        return np.asarray(values, dtype=float).reshape(self.shape)


def grid(axes: Iterable[Axis], *, strategy: str, most: int = MOST_CELLS) -> Grid:
    """Return the grid over parameters of a strategy in canonical form, whatever the order it was asked in.

    Axes are sorted by name, numbers in rising order and each once. Raises InputError on more than `most` combinations,
    before anything is done, on more than MOST_AXES axes or none, on an axis given twice or without values and on a value
    out of bounds; UnknownKeyError on a strategy or parameter that is not declared.
    """
    given = sorted(axes, key=lambda axis: axis.name)
    _check_names([axis.name for axis in given])
    _check_count("grid", math.prod(_size(axis.values) for axis in given), most)
    declared = [swept_parameter(strategy, axis.name) for axis in given]
    found = [
        Axis(axis.name, _canonical(axis.name, parameter, axis.values))
        for axis, parameter in zip(given, declared, strict=True)
    ]
    return Grid(tuple(found), tuple(_is_number(parameter) for parameter in declared))


def steps(span: Range, *, strategy: str, most: int = MOST_CELLS) -> Axis:
    """Return the axis of a range of numbers; raises InputError on more than `most` values, and as `random_sets` does."""
    first, step, count = _scale(strategy, span)
    _check_count(span.name, count, most)
    return Axis(span.name, tuple(_on_scale(first, step, k) for k in range(count)))


def random_sets(
    ranges: Iterable[Range], *, strategy: str, count: int, seed: int, most: int = MOST_CELLS
) -> tuple[Cell, ...]:
    """Return `count` different parameter sets, each combination of the ranges' values equally likely, drawn by `seed`.

    Raises InputError on more sets than `most` or than there are, on a range that is not one of numbers, is turned round
    or out of bounds, and UnknownKeyError as `grid` does.
    """
    given = sorted(ranges, key=lambda span: span.name)
    _check_names([span.name for span in given])
    for name, number in (("count", count), ("seed", seed)):
        if not isinstance(number, int) or number < 0:
            raise InputError(name, got=_text(number)[:SHOWN], allowed="a whole number from 0 on")
    _check_count("count", count, most)
    scales = [_scale(strategy, span) for span in given]
    sizes = tuple(size for _, _, size in scales)
    total = math.prod(sizes)
    if not count <= total <= np.iinfo(np.int64).max:
        raise InputError("count", got=count, allowed=f"the number of different sets in the ranges, {total:.6g}")
    drawn = np.random.default_rng(seed).choice(total, size=count, replace=False)
    rows = np.column_stack(np.unravel_index(drawn, sizes)).tolist()
    return tuple(
        Cell(tuple(
            (span.name, _on_scale(first, step, k)) for span, (first, step, _), k in zip(given, scales, row, strict=True)
        ))
        for row in rows
    )  # fmt: skip


def swept_parameter(strategy: str, name: str) -> Parameter:
    """Return the declared parameter that an axis moves; raises UnknownKeyError with the nearest name."""
    declared = {item.name: item for item in lookup(STRATEGIES, strategy, "strategy").parameters}
    known = [key for key, item in declared.items() if item.parse is None]
    if SETTINGS in declared:
        places = [f"{item.key}.{own.name}" for item in INDICATORS.values() for own in item.parameters]
        if name in places:
            return declared_parameter(name)[1]
        known += places
    if name not in known:
        raise UnknownKeyError("parameter", name, known)
    return declared[name]


def _check_names(names: list[str]) -> None:
    if not 1 <= len(names) <= MOST_AXES:
        raise InputError("axes", got=len(names), allowed=f"1 to {MOST_AXES} parameters")
    if len(set(names)) < len(names):
        raise InputError("axes", got=names, allowed="each parameter once")


def _check_count(field: str, count: int, most: int) -> None:
    if not 1 <= count <= most:
        got = f"{count:,}" if count < 10**15 else f"{count:.3g}" if count < 10**300 else "more than 1e300"
        raise InputError(
            field, got=got, allowed=f"1 to {most:,} combinations", fix="Take fewer values." if count else ""
        )


def _size(values: Sequence[Any]) -> int:
    try:
        return len(values)
    except OverflowError:  # a range longer than the machine can count
        return 10**300


def _is_number(parameter: Parameter) -> bool:
    return not (parameter.choices or parameter.one_of or parameter.parse or isinstance(parameter.default, bool))


def _canonical(name: str, parameter: Parameter, values: Sequence[Any]) -> tuple[Any, ...]:
    """The checked values, each once; numbers rising, selections as declared."""
    checked = {_checked(name, parameter, value) for value in values}
    places = {key: place for place, key in enumerate(parameter.one_of)}
    return tuple(sorted(checked, key=(lambda value: places[value]) if places else None))


def _checked(name: str, parameter: Parameter, value: Any) -> Any:
    """A value in canonical form, under the name of its axis; one that no message can hold is not looked at further."""
    if len(_text(value)) > LONGEST_TEXT:
        allowed = f"a value of up to {LONGEST_TEXT:,} characters"
        raise InputError(name, got=f"{_text(value)[:SHOWN]}…", allowed=allowed)
    return replace(parameter, name=name).check(value)


def _text(value: Any) -> str:
    """A value written out; Python refuses to write whole numbers of more than a few thousand digits."""
    try:
        return repr(value)
    except ValueError:
        return "a number of thousands of digits".ljust(LONGEST_TEXT + 1)


def _scale(strategy: str, span: Range) -> tuple[Any, float, int]:
    """The first value of a range, the step between two and how many there are."""
    parameter = swept_parameter(strategy, span.name)
    if not _is_number(parameter):
        raise InputError(span.name, got="a range", allowed="a list of its values", fix="Only numbers have a range.")
    low, high = (_checked(span.name, parameter, end) for end in (span.low, span.high))
    least = Parameter("step", "Step", 1 if isinstance(parameter.default, int) else 1.0, "", minimum=1e-9, maximum=1e9)
    step = _checked(f"{span.name} step", least, parameter.step if span.step is None else span.step)
    if high < low:
        raise InputError(span.name, got=[low, high], allowed="the lower end first", fix="Swap the two.")
    return low, step, math.floor(round((high - low) / step, DIGITS - 3)) + 1


def _on_scale(first: Any, step: float, k: int) -> Any:
    return first + k * step if isinstance(first, int) else round(first + k * step, DIGITS)
