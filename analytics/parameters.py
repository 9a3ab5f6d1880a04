"""Declared parameters of indicators and strategies: one declaration gives the control, the check and the help."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analytics.errors import InputError, UnknownKeyError

LONGEST_TEXT = 1_000  # characters of a parameter that is a text
SWITCH_WORDS = {"true": True, "false": False, "1": True, "0": False, "on": True, "off": False}


@dataclass(frozen=True)
class Parameter:
    """One number, or one selection, that the user may set.

    A numeric parameter has `minimum` and `maximum` and is whole where `default` is an int; one whose default is True
    or False is a switch. A parameter with `choices` takes a non-empty subset of them, one with `one_of` a single one.
    One with `parse` takes a text, which parse(text) returns in canonical form or refuses with an error of ours.
    """

    name: str
    label: str
    default: Any
    help: str
    minimum: float = -math.inf
    maximum: float = math.inf
    step: float = 1
    choices: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    percent: bool = False  # a fraction that forms ask for in percent
    parse: Callable[[str], str] | None = None

    def check(self, value: Any) -> Any:
        """Return `value` in canonical form (int, float, bool, text or a sorted tuple of choices); raises InputError."""
        if self.parse is not None:
            if not isinstance(value, str) or len(value) > LONGEST_TEXT:
                raise InputError(
                    self.name, got=type(value).__name__, allowed=f"a text of up to {LONGEST_TEXT} characters"
                )
            return self.parse(value)
        if self.one_of:
            if value not in self.one_of:
                raise UnknownKeyError(self.name, value, self.one_of)
            return str(value)
        if isinstance(self.default, bool):
            return self._check_switch(value)
        return self._check_choices(value) if self.choices else self._check_number(value)

    def _check_switch(self, value: Any) -> bool:
        if isinstance(value, str):
            value = SWITCH_WORDS.get(value.lower(), value)
        if value not in (True, False):
            raise InputError(self.name, got=value, allowed="true or false")
        return bool(value)

    def _check_choices(self, value: Any) -> tuple[str, ...]:
        if not isinstance(value, (str, list, tuple, set, frozenset, type(None))):
            raise InputError(self.name, got=value, allowed=", ".join(self.choices))
        chosen = tuple(value.split(",")) if isinstance(value, str) else tuple(value or ())
        if not chosen:
            raise InputError(self.name, got=value, allowed=", ".join(self.choices), fix="Choose at least one.")
        for key in chosen:
            if key not in self.choices:
                raise UnknownKeyError(self.name, key, self.choices)
        return tuple(sorted(set(chosen)))

    def _check_number(self, value: Any) -> int | float:
        allowed = f"a number from {self.minimum:g} to {self.maximum:g}"
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            raise InputError(self.name, got=value, allowed=allowed) from None
        if not self.minimum <= number <= self.maximum:  # NaN fails this too
            raise InputError(self.name, got=value, allowed=allowed)
        if not isinstance(self.default, int):
            return number
        if number != int(number):
            raise InputError(self.name, got=value, allowed=f"a whole number; {allowed}")
        return int(number)


def resolve(parameters: Sequence[Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return every declared parameter with its checked value, the default where none is given.

    Raises InputError on a value out of bounds and UnknownKeyError on a name that is not declared.
    """
    declared = {parameter.name: parameter for parameter in parameters}
    for name in given:
        if name not in declared:
            raise UnknownKeyError("parameter", name, declared)
    return {
        name: parameter.check(given[name]) if given.get(name) is not None else parameter.check(parameter.default)
        for name, parameter in declared.items()
    }
