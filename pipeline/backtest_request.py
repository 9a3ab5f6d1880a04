"""What a user asks of a backtest, checked as far as it can be without data."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from analytics.backtest import BacktestSpec, Costs, Rules
from analytics.conventions import INITIAL_CAPITAL
from analytics.errors import InputError, UnknownKeyError


@dataclass(frozen=True)
class BacktestRequest:
    """One question: a spec without its dates resolved, and the tickers; None: all active stocks."""

    spec: BacktestSpec
    tickers: tuple[str, ...] | None

    @classmethod
    def of(
        cls, *, strategy: str = "technical_vote", tickers: Iterable[str] | None = None, start: str | None = None,
        end: str | None = None, initial_capital: float | None = None, engine: str = "kernel",
        parameters: Mapping[str, Any] | None = None, costs: Mapping[str, Any] | None = None,
        rules: Mapping[str, Any] | None = None,
    ) -> "BacktestRequest":  # fmt: skip
        """Return a checked request with the defaults filled in; raises InputError or UnknownKeyError."""
        if tickers is not None and (isinstance(tickers, str) or not isinstance(tickers, Iterable)):
            raise InputError("tickers", got=tickers, allowed="a list of tickers")
        chosen = tuple(sorted({str(ticker).upper() for ticker in tickers})) if tickers is not None else None
        if chosen == ():
            raise InputError("tickers", got=[], allowed="at least one ticker of the store", fix="Choose a ticker.")
        spec = BacktestSpec(
            strategy=strategy, parameters=parameters or {}, engine=engine, start=start, end=end,
            initial_capital=INITIAL_CAPITAL if initial_capital is None else initial_capital,
            costs=_terms(Costs, "cost", costs), rules=_terms(Rules, "rule", rules),
        )  # fmt: skip
        return cls(spec, chosen)

    def over(self, *, start: str, end: str) -> BacktestSpec:
        """Return the request in the engine's terms, over resolved dates."""
        return replace(self.spec, start=start, end=end)

    def params(self) -> dict[str, Any]:
        """Return everything that was chosen, beside strategy, tickers and dates, as {name: value}."""
        spec = self.spec
        return {
            **spec.parameters, **asdict(spec.costs), **asdict(spec.rules),
            "initial_capital": spec.initial_capital, "engine": spec.engine,
        }  # fmt: skip


def _terms(kind: type[Any], name: str, given: Mapping[str, Any] | None) -> Any:
    """Costs or Rules from {name: value}, the default where none is given."""
    known = [item.name for item in fields(kind)]
    for key in given or {}:
        if key not in known:
            raise UnknownKeyError(name, key, known)
    return kind(**{key: value for key, value in (given or {}).items() if value is not None})
