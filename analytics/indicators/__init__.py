"""Technical indicators, one file each: a module exports INDICATOR and needs no edit elsewhere."""

import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from analytics.errors import InputError
from analytics.indicators._indicator import Indicator, compute_indicator, compute_vote
from analytics.indicators._vote import Vote
from analytics.parameters import Parameter
from analytics.registry import collect, lookup

__all__ = [
    "INDICATORS", "VOTES", "Indicator", "Vote", "Voter", "compute_indicator", "compute_vote", "declared_parameter", "parse_settings", "settings_text",
]  # fmt: skip

INDICATORS = collect(sys.modules[__name__], "INDICATOR", Indicator)


class Voter(NamedTuple):
    """A vote and the indicator that gives it."""

    indicator: Indicator
    vote: Vote


def _votes() -> Mapping[str, Voter]:
    voters = [Voter(item, vote) for item in INDICATORS.values() for vote in item.votes]
    found = {voter.vote.key: voter for voter in voters}
    if len(found) < len(voters):
        keys = [voter.vote.key for voter in voters]
        raise ValueError(f"duplicate vote keys {sorted({key for key in keys if keys.count(key) > 1})}")
    return MappingProxyType(found)


VOTES = _votes()


def declared_parameter(place: str) -> tuple[Indicator, Parameter]:
    """Return the indicator and the parameter that a text such as "rsi.window" names; raises UnknownKeyError."""
    key, _, name = place.partition(".")
    indicator = lookup(INDICATORS, key, "indicator")
    return indicator, lookup({item.name: item for item in indicator.parameters}, name, f"parameter of {key}")


def parse_settings(text: str) -> dict[str, dict[str, Any]]:
    """Return {indicator: {parameter: value}} of a text such as "rsi.window=21, macd.fast=8"; defaults are left out.

    Raises InputError on another form or a value out of bounds, UnknownKeyError on a name that is not declared.
    """
    found: dict[str, dict[str, Any]] = {}
    seen: set[tuple[str, str]] = set()
    for part in filter(None, (part.strip() for part in text.split(","))):
        place, equals, value = part.partition("=")
        if not equals:
            raise InputError(
                "indicator_parameters", got=part, allowed="indicator.parameter=number, such as rsi.window=21"
            )
        indicator, parameter = declared_parameter(place.strip())
        key, name = indicator.key, parameter.name
        checked = parameter.check(value)
        if (key, name) in seen:
            raise InputError("indicator_parameters", got=f"{key}.{name} twice", allowed="each parameter once")
        seen.add((key, name))
        if checked != parameter.default:
            found.setdefault(key, {})[name] = checked
    return found


def settings_text(text: str) -> str:
    """Return the canonical form of such a text: sorted, without what is the default anyway; raises as parse_settings."""
    return ",".join(
        f"{key}.{name}={value!r}"
        for key, own in sorted(parse_settings(text).items())
        for name, value in sorted(own.items())
    )
