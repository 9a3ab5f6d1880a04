"""Inputs of strategies, made up: markets whose prices or votes are set, and factor fits that change by the month."""

from collections.abc import Mapping

import numpy as np

from analytics.backtest.inputs import FactorView, StrategyInputs
from analytics.backtest.strategies import STRATEGIES, first_decision_rows
from analytics.factor_models import fundamental_outlook
from analytics.market import Panel
from analytics.parameters import resolve


def inputs_of(
    panel: Panel, *, start: int = 0, factors: FactorView | None = None, risk_free: float = 0.0001
) -> StrategyInputs:
    """Inputs of a test that begins at the row `start`."""
    first_rows = first_decision_rows(panel, panel.dates[start])
    return StrategyInputs(panel, first_rows, np.full(len(panel.dates), risk_free), factors)


def decide(key: str, inputs: StrategyInputs, **parameters: object) -> np.ndarray:
    """What a strategy decides with the given parameters and its defaults."""
    return STRATEGIES[key].decide(inputs, **resolve(STRATEGIES[key].parameters, parameters))


def explain(key: str, inputs: StrategyInputs, column: int, rows: list[int], **parameters: object) -> list[str]:
    chosen = resolve(STRATEGIES[key].parameters, parameters)
    return STRATEGIES[key].explain(inputs, column, np.array(rows, dtype=int), **chosen)


def held(decisions: np.ndarray) -> np.ndarray:
    """The weights in force after each close: the last one said, 0 before the first."""
    in_force, current = np.zeros(decisions.shape), np.zeros(decisions.shape[1])
    for row, said in enumerate(decisions):
        current = np.where(np.isfinite(said), said, current)
        in_force[row] = current
    return in_force


def view_of(
    as_of: np.ndarray, values: Mapping[str, object], *, median: object = 0.08, known: np.ndarray | None = None,
    returns: Mapping[str, object] | None = None,
) -> FactorView:  # fmt: skip
    """A view of what is given, row by row."""
    dates = np.asarray(as_of, dtype="datetime64[D]")
    return FactorView(
        dates,
        {name: np.asarray(rows, dtype=float) for name, rows in values.items()},
        np.broadcast_to(np.asarray(median, dtype=float), dates.shape),
        np.empty(0, dtype="datetime64[D]") if known is None else np.asarray(known, dtype="datetime64[D]"),
        {name: np.asarray(months, dtype=float) for name, months in (returns or {}).items()},
    )


def random_view(panel: Panel, *, seed: int = 0) -> FactorView:
    """Fits and factor months of every month end of a panel, some of them unknown."""
    rng, n_tickers = np.random.default_rng(seed), len(panel.tickers)
    months = np.unique(panel.dates.astype("datetime64[M]"))
    as_of = (months + 1).astype("datetime64[D]") - 1
    shape = (len(as_of), n_tickers)
    values = {
        "alpha": rng.normal(0.0, 0.03, shape), "expected_return": rng.normal(0.08, 0.04, shape),
        "beta": rng.normal(1.1, 0.4, shape), "smb": rng.normal(0.0, 0.5, shape), "hml": rng.normal(0.0, 0.5, shape),
    }  # fmt: skip
    for name in values:
        values[name][:2] = np.nan
    values["alpha"][rng.random(shape) < 0.05] = np.nan
    median = np.nanmedian(np.where(np.isfinite(values["expected_return"]), values["expected_return"], 0.08), axis=1)
    judged = [
        [fundamental_outlook(a, e, m) for a, e in zip(alphas, expected, strict=True)]
        for alphas, expected, m in zip(values["alpha"], values["expected_return"], median, strict=True)
    ]
    values["outlook"] = np.array(judged, dtype=float)
    returns = {name: rng.normal(0.0, 0.03, len(as_of)) for name in ("mkt_rf", "smb", "hml", "mom")}
    return FactorView(as_of, values, median, as_of, returns)
