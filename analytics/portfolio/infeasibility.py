"""Why no portfolio obeys a set of limits, and the least that has to give way.

Source: Chinneck and Dravnieks (1991), Locating minimal infeasible constraint sets in linear programs, ORSA
Journal on Computing 3(2), 157–168: the elastic filter, then the deletion filter.
"""

import re
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from analytics.conventions import FloatArray
from analytics.portfolio._elastic import ElasticProgram, elastic_program, price
from analytics.portfolio.limits import FeasibleSet, Limit, feasible_set, loosened

STILL: Final = 1e-9  # a movement smaller than this is rounding: the tolerance that weights keep to their bounds
STEP: Final = 1e-6  # new values are rounded outwards to a ten-thousandth of a percent, as labels show them
NAMED: Final = 6  # limits of one conflict that the sentence names; more would bury it
NUMBER: Final = re.compile(r"((?:(?<=\s)-)?\d+(?:\.\d+)?)( %)?(?!.*\d)")  # the last number of a label


@dataclass(frozen=True)
class Relaxation:
    """One limit moved from its value to another, in the units of the limit."""

    limit: Limit
    before: float
    after: float

    @property
    def relaxed(self) -> Limit:
        """The limit with its new value and a label that says so."""
        return replace(self.limit, value=self.after, label=_label(self.limit, self.after))

    def sentence(self) -> str:
        """Return what changes, as "every ticker at most 12.5 % instead of 10 %"."""
        before = _shown(self.limit)
        if _shown(self.relaxed) == before:  # the difference is below what is shown
            return f"{self.relaxed.label}, a hair more"
        return f"{self.relaxed.label} instead of {before}"


@dataclass(frozen=True)
class Conflict:
    """Limits that no portfolio obeys together, and what would mend it.

    conflicting: an irreducible set, without any one of which the others can be obeyed; limits that may not be
    moved come last. relaxations: the least total movement that lets a portfolio exist, a share of the
    portfolio weighing the same in each limit. alternatives: for each limit of the conflict that could mend
    everything alone, the least it has to move. nearest: all limits with the relaxations applied. Where what
    may be moved cannot help, relaxations is empty and nearest is the set as it was.
    """

    conflicting: tuple[Limit, ...]
    relaxations: tuple[Relaxation, ...]
    alternatives: tuple[Relaxation, ...]
    nearest: FeasibleSet

    def sentence(self) -> str:
        """Return the explanation that an analyst reads."""
        labels = [limit.label for limit in self.conflicting]
        more = f"; and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
        text = f"No portfolio obeys {'all of' if len(labels) > 1 else 'this'}: {'; '.join(labels[:NAMED])}{more}."
        if not self.relaxations:
            return f"{text} No limit that may be moved would mend it."
        if not {moved.limit.key for moved in self.relaxations} <= {limit.key for limit in self.conflicting}:
            text += " Other limits conflict as well."
        text += f" Nearest: {'; '.join(moved.sentence() for moved in self.relaxations)}."
        chosen = {moved.limit.key for moved in self.relaxations} if len(self.relaxations) == 1 else set()
        others = [moved.sentence() for moved in self.alternatives if moved.limit.key not in chosen]
        more = f"; or one of {len(others) - NAMED} more" if len(others) > NAMED else ""
        return f"{text} Or alone: {'; or '.join(others[:NAMED])}{more}." if others else text


def is_feasible(feasible: FeasibleSet) -> bool:
    """Return whether any portfolio obeys all limits."""
    return not _conflicts(elastic_program(feasible), list(range(len(feasible.limits))))


def explain(feasible: FeasibleSet) -> Conflict | None:
    """Return the conflict between the limits, or None where a portfolio exists.

    A set can hold several conflicts; one of them is named, and the relaxations mend all of them.
    """
    program, limits = elastic_program(feasible), feasible.limits
    if not _conflicts(program, list(range(len(limits)))):
        return None
    numbers = _irreducible(feasible, program)
    alternatives: list[Relaxation] = []
    for number in numbers:
        if limits[number].relaxable:
            others = [other for other in range(len(limits)) if other != number]
            alternatives += _relaxations(limits, program.least(others, [number]))
    relaxations = _least(feasible, program, alternatives)
    named, nearest = tuple(limits[number] for number in numbers), _relaxed(feasible, relaxations)
    if relaxations and not is_feasible(nearest):
        nearest = loosened(nearest)
    return Conflict(named, tuple(relaxations), tuple(alternatives), nearest)


def _least(feasible: FeasibleSet, program: ElasticProgram, alternatives: list[Relaxation]) -> list[Relaxation]:
    """The least total movement that lets a portfolio exist.

    Without counts of positions it is one linear program. With them, its answer is still the least where the
    counts agree to it; else the cheapest limit that can mend everything alone is moved, else several.
    """
    fixed = [number for number, limit in enumerate(feasible.limits) if not limit.relaxable]
    free = [number for number, limit in enumerate(feasible.limits) if limit.relaxable]
    moved = program.least(fixed, [number for number in free if not program.split[number]])
    relaxations = _relaxations(feasible.limits, moved)
    if not program.split.any() or is_feasible(_relaxed(feasible, relaxations)):
        return relaxations
    if alternatives:
        return [min(alternatives, key=lambda one: price(one.limit) * abs(one.after - one.before))]
    return _relaxations(feasible.limits, program.least(fixed, free))


def _irreducible(feasible: FeasibleSet, program: ElasticProgram) -> list[int]:
    """Numbers of an irreducible infeasible set, those of limits that may not be moved last.

    Counts of positions join only where the other limits agree. Elastic filter (not with counts: it would be a
    search each time): what gives way is made hard, until nothing is left that could; every conflict loses a
    way out each time, so that a whole one ends up hard. Deletion filter: of these, those stay without which
    the others can be obeyed; limits on few assets are tried first, so that the general ones are named.
    """
    limits = feasible.limits
    fixed = [number for number, limit in enumerate(limits) if not limit.relaxable]
    free = [number for number, limit in enumerate(limits) if limit.relaxable]
    plain = [number for number in free if not program.split[number]]
    hard = [*fixed, *free]
    if _conflicts(program, [*fixed, *plain]):
        hard, moved = list(fixed), program.least(fixed, plain)
        while moved is not None and (moved > STILL).any():
            hard += np.flatnonzero(moved > STILL).tolist()
            moved = program.least(hard, [number for number in plain if number not in hard])
    tried = sorted(set(hard) - set(fixed), key=lambda number: np.count_nonzero(limits[number].coefficients))
    hard = _without_spare(program, hard, tried)
    hard = _without_spare(ElasticProgram(feasible, strict=False), hard, fixed)
    return sorted(hard, key=lambda number: (number in fixed, number))


def _without_spare(program: ElasticProgram, hard: list[int], tried: list[int]) -> list[int]:
    """Leave out those tried without which the rest is still in conflict: all at once, or else by halves."""
    rest = [number for number in hard if number not in tried]
    if not tried or _conflicts(program, rest):
        return rest
    if len(tried) == 1:
        return hard
    half = len(tried) // 2
    return _without_spare(program, _without_spare(program, hard, tried[:half]), tried[half:])


def _conflicts(program: ElasticProgram, numbers: list[int]) -> bool:
    """Whether no weights obey these limits, rounding aside; counts of positions are asked about last."""
    plain = [number for number in numbers if not program.split[number]]
    moved = program.least((), plain)
    if moved is None or (moved > STILL).any():
        return True
    return len(plain) < len(numbers) and program.least(numbers) is None


def _relaxations(limits: tuple[Limit, ...], moved: FloatArray | None) -> list[Relaxation]:
    if moved is None:
        return []
    numbers = np.flatnonzero(moved > STILL).tolist()
    return [Relaxation(limits[one], limits[one].value, _outwards(limits[one], float(moved[one]))) for one in numbers]


def _outwards(limit: Limit, movement: float) -> float:
    """The value after a movement, on the next round number that is no tighter."""
    step, sign = (1.0, 1) if limit.kind == "positions" else (STEP, 1 if limit.side == "max" else -1)
    steps = np.ceil((sign * limit.value + movement - STILL) / step)
    return float(sign * np.round(steps * step, 6)) + 0.0


def _relaxed(feasible: FeasibleSet, relaxations: list[Relaxation]) -> FeasibleSet:
    moved = {relaxation.limit.key: relaxation.relaxed for relaxation in relaxations}
    return feasible_set([moved.get(limit.key, limit) for limit in feasible.limits])


def _label(limit: Limit, value: float) -> str:
    """The label of a limit with another value: its own words, with another number."""
    if limit.key.startswith("exclude:"):
        return f"{limit.label.removesuffix(' excluded')} at most {_percent(value)}"
    if limit.key == "cash:max" and "%" not in limit.label:
        return f"cash at most {_percent(1 - value)}"
    found = _number(limit)
    if found is None:
        return f"{limit.label}, by {value:.6g}"
    # Cash is what is not invested: where less need be invested, more may be cash.
    change = (value - limit.value) * (-1 if limit.key.startswith("cash:") else 1)
    number = _percent(float(found[1]) / 100 + change) if found[2] else f"{float(found[1]) + change:.6g}"
    return limit.label[: found.start()] + number + limit.label[found.end() :]


def _shown(limit: Limit) -> str:
    """The value of a limit as its label gives it."""
    found = None if limit.key.startswith("exclude:") else _number(limit)
    return limit.label if found is None else found[0]


def _number(limit: Limit) -> re.Match[str] | None:
    """The number in a label that is the limit's value: a percentage, or the value itself (and not an index's 500)."""
    found = NUMBER.search(limit.label)
    return found if found and (found[2] or np.isclose(float(found[1]), limit.value, rtol=1e-3)) else None


def _percent(share: float) -> str:
    return f"{100 * share:.4f}".rstrip("0").rstrip(".") + " %"
