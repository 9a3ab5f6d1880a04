"""What the controls of the Frontier tab ask for, checked, and back as text for a link."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from analytics.errors import InputError, PlumblineError
from analytics.portfolio import COVARIANCES, EXPECTED_RETURNS, Constraints
from analytics.portfolio.views import parse_views
from dashapp import inputs
from dashapp.inputs import shown

NOTHING_HELD, EQUALLY_HELD = "none", "equal"
LONGEST: Final = 2_000  # characters of views
DEFAULTS: Final[Mapping[str, Any]] = {
    "universe": "stocks", "returns": "mean", "covariance": "ledoit_wolf", "views": "", "max_weight": 100, "min_weight": 0,
    "min_cash": 0, "max_cash": None, "max_positions": None, "min_position": None, "max_turnover": None,
    "min_dividend_yield": None, "exclude": [], "held": NOTHING_HELD, "sectors": {}, "tickers": {},
}  # fmt: skip

LABELS: Final[Mapping[str, str]] = {  # of the fields, as the page and its messages name them
    "max_weight": "At most, % of each ticker", "min_weight": "At least, % of each ticker", "min_cash": "Cash at least, %",
    "max_cash": "Cash at most, %", "max_positions": "Positions, at most", "min_position": "Smallest position, %",
    "max_turnover": "Turnover at most, %", "min_dividend_yield": "Dividend yield at least, %",
}  # fmt: skip


@dataclass(frozen=True)
class FrontierRequest:
    """One question: a universe, its estimators, what may be held and what is held today."""

    universe: str
    returns: str
    covariance: str
    views: str
    constraints: Constraints
    held: str
    text: str  # the same question, the same text

    @property
    def estimator(self) -> str:
        """The key of the pair of estimators."""
        return f"{self.returns}__{self.covariance}"

    @property
    def is_plain(self) -> bool:
        """Whether it asks for what the nightly update stores: no views and no limits."""
        return not self.views and self.constraints == Constraints()


def parse(data: Any) -> FrontierRequest:
    """Return the request that the controls or a link state, percentages as fractions; raises InputError."""
    stated = _mapping("request", data).items()
    given = dict(DEFAULTS) | {key: value for key, value in stated if key in DEFAULTS and value is not None}
    views = given["views"] or ""
    if not isinstance(views, str) or len(views) > LONGEST:
        raise InputError("views", got=shown(views), allowed=f"up to {LONGEST:,} characters")
    universe, held = given["universe"] or "", given["held"] or NOTHING_HELD
    for name, value in (("universe", universe), ("held", held)):
        if not isinstance(value, str) or len(value) > inputs.MANY:
            raise InputError(name, got=shown(value), allowed="a name")
    given["exclude"] = sorted(set(inputs.tickers(given["exclude"])))
    returns = inputs.choice("returns", given["returns"], EXPECTED_RETURNS)
    return FrontierRequest(
        universe, returns, inputs.choice("covariance", given["covariance"], COVARIANCES),
        views if returns == "black_litterman" and parse_views(views) else "", _constraints(given), held,
        json.dumps({key: value for key, value in given.items() if value != DEFAULTS[key]}, sort_keys=True),
    )  # fmt: skip


def from_link(text: str) -> tuple[dict[str, Any], str]:
    """Return what a link asks for and "", or the defaults and why the link cannot be read."""
    if not text:
        return dict(DEFAULTS), ""
    try:
        found = json.loads(text)
        parse(found)
    except PlumblineError as error:
        return dict(DEFAULTS), str(error)
    except (ValueError, RecursionError):
        return dict(DEFAULTS), "it is not as this page writes it"
    return dict(DEFAULTS) | {key: value for key, value in (found or {}).items() if key in DEFAULTS}, ""


def _constraints(given: Mapping[str, Any]) -> Constraints:
    positions = given["max_positions"]
    return Constraints(
        min_weight=_share(LABELS["min_weight"], given["min_weight"]), max_weight=_share(LABELS["max_weight"], given["max_weight"]),
        ticker_bounds={inputs.ticker(key): _bounds(key, value) for key, value in _mapping("tickers", given["tickers"]).items()},
        sector_bounds={key: _bounds(key, value) for key, value in _mapping("sectors", given["sectors"]).items()
                       if _bounds(key, value) != (0.0, 1.0)},
        min_cash=_share(LABELS["min_cash"], given["min_cash"]), max_cash=_optional(LABELS["max_cash"], given["max_cash"]),
        max_positions=None if positions is None else inputs.whole(LABELS["max_positions"], positions, low=1, high=inputs.MANY),
        min_position=_share(LABELS["min_position"], given["min_position"]),
        max_turnover=_optional(LABELS["max_turnover"], given["max_turnover"]),
        min_dividend_yield=_optional(LABELS["min_dividend_yield"], given["min_dividend_yield"]),
        exclude=tuple(given["exclude"]),
    )  # fmt: skip


def _mapping(field: str, value: Any) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or len(value) > inputs.MANY or not all(isinstance(key, str) for key in value):
        raise InputError(field, got=shown(value), allowed="values by name")
    return value


def _bounds(field: str, value: Any) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise InputError(field, got=shown(value), allowed="a smallest and a largest weight")
    low, high = (_share(field, item) for item in value)
    return low, high


def _share(field: str, value: Any) -> float:
    """A percentage as a fraction; an empty field is 0."""
    return _optional(field, value) or 0.0


def _optional(field: str, value: Any) -> float | None:
    if value is None or value == "":
        return None
    percentage = inputs.number(field, value)
    if not 0 <= percentage <= 100:
        raise InputError(field, got=shown(value), allowed="a percentage from 0 to 100")
    return round(percentage / 100, 10)
