"""The analyst's constraints, in the words of the editor, and the named limits that they stand for."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from analytics.conventions import FloatArray
from analytics.errors import InputError, UnknownKeyError
from analytics.portfolio.limits import FeasibleSet, Kind, Limit, feasible_set, no_short_sales

Bounds = tuple[float, float]


@dataclass(frozen=True)
class Constraints:
    """What a portfolio may hold; fractions of its value.

    min_weight, max_weight: of every ticker that ticker_bounds does not name. min_cash, max_cash: share left
    in cash at the risk-free rate; without max_cash exactly min_cash is. max_positions: most tickers held. min_position: the least that is held of a
    ticker, if any. max_turnover: ½ Σ|w − holdings|, the share of the portfolio that changes hands.
    min_dividend_yield: of the invested part. exclude: tickers not to hold.
    """

    min_weight: float = 0.0
    max_weight: float = 1.0
    ticker_bounds: Mapping[str, Bounds] = field(default_factory=dict)
    sector_bounds: Mapping[str, Bounds] = field(default_factory=dict)
    min_cash: float = 0.0
    max_cash: float | None = None
    max_positions: int | None = None
    min_position: float = 0.0
    max_turnover: float | None = None
    min_dividend_yield: float | None = None
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class Universe:
    """The assets that constraints are about: sectors and dividend_yields by ticker, holdings as weights."""

    tickers: tuple[str, ...]
    sectors: Mapping[str, str] = field(default_factory=dict)
    dividend_yields: Mapping[str, float] = field(default_factory=dict)
    holdings: Mapping[str, float] = field(default_factory=dict)

    def mask(self, members: Sequence[str]) -> FloatArray:
        """Return (n_assets,) with 1 for the members."""
        chosen = set(members)
        return np.array([float(ticker in chosen) for ticker in self.tickers])


def feasible_weights(constraints: Constraints, universe: Universe) -> FeasibleSet:
    """Return the weights that obey the constraints; whether there are any is for `infeasibility` to say.

    A ticker without a known dividend yield counts as one that pays none. Raises InputError on a bound beyond 0
    and 1, or a ticker or sector that the universe does not have.
    """
    _check(constraints, universe)
    everyone = np.ones(len(universe.tickers))
    limits = [*no_short_sales(len(universe.tickers)), *_cash(constraints, everyone)]
    limits += _each(constraints, universe)
    for sector, bounds in sorted(constraints.sector_bounds.items()):
        members = universe.mask([ticker for ticker in universe.tickers if universe.sectors.get(ticker) == sector])
        limits += _pair(f"sector:{sector}", sector, "sum", bounds, members)
    limits += _others(constraints, universe)
    return feasible_set(limits)


def _cash(constraints: Constraints, everyone: FloatArray) -> list[Limit]:
    """Cash is what is not invested: at least min_cash is at most 1 − min_cash invested."""
    most = constraints.min_cash if constraints.max_cash is None else constraints.max_cash
    full = "fully invested" if most == 0 else f"cash at most {most:.4%}"
    limits = [Limit("cash:max", _tidy(full), "sum", "min", 1 - most, everyone)]
    if constraints.min_cash > 0:
        limits.append(Limit(
            "cash:least", _tidy(f"cash at least {constraints.min_cash:.4%}"), "sum", "max", 1 - constraints.min_cash, everyone,
        ))  # fmt: skip
    return limits


def _each(constraints: Constraints, universe: Universe) -> list[Limit]:
    """Bounds of single tickers: an excluded one is held at 0, one with bounds of its own has no others."""
    own = {**constraints.ticker_bounds, **dict.fromkeys(constraints.exclude, (0.0, 0.0))}
    rest = universe.mask([ticker for ticker in universe.tickers if ticker not in own])
    limits = []
    if rest.any():
        bounds = (constraints.min_weight, constraints.max_weight)
        limits += _pair("each", "every ticker" if not own else "every other ticker", "each", bounds, rest)
    for ticker, bounds in sorted(own.items()):
        members = universe.mask([ticker])
        least = constraints.ticker_bounds.get(ticker, (0.0, 1.0))[0]
        if ticker in constraints.exclude:
            limits += _pair(f"ticker:{ticker}", ticker, "each", (least, 1.0), members)
            limits.append(Limit(f"exclude:{ticker}", f"{ticker} excluded", "each", "max", 0.0, members))
        else:
            limits += _pair(f"ticker:{ticker}", ticker, "each", bounds, members)
    return limits


def _pair(key: str, name: str, kind: Kind, bounds: Bounds, members: FloatArray) -> list[Limit]:
    """The two limits of a pair of bounds, without those that limit nothing."""
    low, high = bounds
    limits = []
    if low > 0:
        limits.append(Limit(f"{key}:min", _tidy(f"{name} at least {low:.4%}"), kind, "min", float(low), members))
    if high < 1:
        limits.append(Limit(f"{key}:max", _tidy(f"{name} at most {high:.4%}"), kind, "max", float(high), members))
    return limits


def _others(constraints: Constraints, universe: Universe) -> list[Limit]:
    n, limits = len(universe.tickers), []
    if constraints.min_dividend_yield is not None:
        floor = constraints.min_dividend_yield
        paid = np.array([universe.dividend_yields.get(ticker, 0.0) for ticker in universe.tickers])
        # Σ w y ≥ floor Σ w: the yield of the invested part, cash pays none.
        label = _tidy(f"dividend yield at least {floor:.4%}")
        limits.append(Limit("dividend_yield", label, "sum", "min", 0.0, paid - floor))
    if constraints.max_turnover is not None:
        held = np.array([universe.holdings.get(ticker, 0.0) for ticker in universe.tickers])
        label = _tidy(f"turnover at most {constraints.max_turnover:.4%}")
        limits.append(Limit("turnover", label, "turnover", "max", constraints.max_turnover, held))
    if constraints.max_positions is not None and constraints.max_positions < n:
        label = f"at most {constraints.max_positions} position{'s' if constraints.max_positions > 1 else ''}"
        limits.append(Limit("positions", label, "positions", "max", float(constraints.max_positions), np.ones(n)))
    if constraints.min_position > 0:
        label = _tidy(f"every position at least {constraints.min_position:.4%}")
        limits.append(Limit("min_position", label, "min_position", "min", constraints.min_position, np.ones(n)))
    return limits


def _tidy(label: str) -> str:
    """Percentages without the zeros that say nothing: 10.0000% becomes 10 %."""
    return re.sub(r"(\d+)(?:\.(\d*?))0*%", lambda found: f"{found[1]}{'.' + found[2] if found[2] else ''} %", label)


def _check(constraints: Constraints, universe: Universe) -> None:
    named = {"min_weight and max_weight": (constraints.min_weight, constraints.max_weight)}
    named |= {"min_cash and max_cash": (constraints.min_cash, constraints.max_cash or 0.0)}
    named |= {f"bounds of {name}": bounds for name, bounds in (
        *constraints.ticker_bounds.items(), *constraints.sector_bounds.items())}  # fmt: skip
    for name, (low, high) in named.items():
        if not (0 <= low <= 1 and 0 <= high <= 1):  # a minimum above its maximum is a conflict, to be explained
            raise InputError(name, got=(low, high), allowed="fractions from 0 to 1")
    for name in ("min_position", "max_turnover", "min_dividend_yield"):
        value = getattr(constraints, name)
        if value is not None and not 0 <= value <= 1:
            raise InputError(name, got=value, allowed="a fraction from 0 to 1")
    if constraints.max_positions is not None and constraints.max_positions < 1:
        raise InputError("max_positions", got=constraints.max_positions, allowed="a whole number from 1 on")
    for ticker in (*constraints.ticker_bounds, *constraints.exclude):
        if ticker not in universe.tickers:
            raise UnknownKeyError("ticker", ticker, universe.tickers)
    for sector in constraints.sector_bounds:
        if sector not in universe.sectors.values():
            raise UnknownKeyError("sector", sector, set(universe.sectors.values()))
