"""Which of several runs over the same sessions is better, and which differences are no more than chance."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import pandas as pd

from analytics.backtest.intervals import CHUNK, bootstrap_metrics
from analytics.backtest.sharpe_difference import SharpeTest, block_length_of, sharpe_differences
from analytics.bootstrap import stationary_rows
from analytics.conventions import CONFIDENCE, FloatArray
from analytics.errors import InputError

DRAWS: Final = 5_000  # of the Sharpe test: the smallest p value, 1 / 5,001, survives the correction for 190 pairs
METRIC_DRAWS: Final = 1_000
SET_DRAWS: Final = 1_000
MOST_RUNS: Final = 20
MIN_SESSIONS: Final = 60
METRICS: Final = ("sharpe_ratio", "total_return", "annual_return", "max_drawdown", "calmar_ratio")
SIGNIFICANCE: Final = 1.0 - CONFIDENCE
SAME: Final = 1e-9  # deviation of the difference of two scaled series, below which rounding alone tells them apart


@dataclass(frozen=True, eq=False)
class Comparison:
    """Several runs side by side.

    correlation: of their returns, (n_runs, n_runs). differences: a row per pair, see `differences`. metrics: a row per
    pair and metric, see `metric_differences`. spa_p_value: that no run is better than the one named `against`, None
    where none is. confidence_set: the runs among which the best is, with 95 % probability. winner: the one that is
    better than every other, None where there is none; verdict: the same in words. n_sessions: those on which all are
    known.
    """

    correlation: pd.DataFrame
    differences: pd.DataFrame
    metrics: pd.DataFrame
    spa_p_value: float | None
    confidence_set: tuple[str, ...]
    winner: str | None
    verdict: str
    n_sessions: int


def compare(
    returns: Mapping[str, FloatArray], risk_free: FloatArray, *, seed: int, against: str | None = None
) -> Comparison:
    """Return what can be said of several runs, by name; simple returns per session, each of shape (n_sessions,).

    risk_free: the same shape. Sessions on which one of them is unknown are left out. against: the run that the others
    are to beat in the test of superior predictive ability. The same seed gives the same numbers. Raises InputError on
    fewer than 2 or more than 20 runs, unequal lengths, under 60 common sessions or an `against` that is none of them.
    """
    names, values, free = _complete(returns, risk_free)
    if against is not None and against not in names:
        raise InputError("against", got=against, allowed=", ".join(names))
    excess = values - free[:, None]
    pairs = differences(names, excess, seed=seed)
    moving = [name for name, column in zip(names, excess.T, strict=True) if np.ptp(column) > 0.0]
    winner = best_of(names, pairs)
    with np.errstate(divide="ignore", invalid="ignore"):  # the correlation with what stands still is unknown
        correlation = pd.DataFrame(values, columns=names).corr()
    scaled = {name: excess[:, names.index(name)] for name in moving}
    return Comparison(
        correlation, pairs, metric_differences(names, values, free, seed=seed),
        None if against is None else superior_ability(scaled, against, seed=seed),
        confidence_set(scaled, seed=seed), winner, _verdict(names, pairs, winner), len(values),
    )  # fmt: skip


def differences(names: list[str], excess: FloatArray, *, seed: int, draws: int = DRAWS) -> pd.DataFrame:
    """Return a row per pair of runs: run, other, difference of their Sharpe ratios per year, its test, and who is better.

    excess: complete excess returns (n_sessions, n_runs). Columns std_err, low, high (95 %), p_value of the studentised
    block bootstrap and p_hac of the asymptotic test are those of `sharpe_differences`; p_corrected is p_value after
    Holm (1979) for the number of pairs; better: the name of the better run where p_corrected is below 5 %, else None.
    """
    test = sharpe_differences(excess, seed=seed, draws=draws)
    table = _pairs_table(names, test)
    table["p_corrected"] = holm(table["p_value"].to_numpy())
    ahead = np.where(table["difference"] > 0.0, table["run"], table["other"])
    table["better"] = pd.Series(np.where(table["p_corrected"] < SIGNIFICANCE, ahead, None), dtype=object)
    return table


def metric_differences(
    names: list[str], values: FloatArray, risk_free: FloatArray, *, seed: int, draws: int = METRIC_DRAWS
) -> pd.DataFrame:
    """Return a row per pair and metric of METRICS: run, other, metric, difference, low, high (95 %) and p_value.

    values (n_sessions, n_runs) and risk_free (n_sessions,): complete simple returns. Stationary bootstrap (Politis and
    Romano 1994), all runs on the same redrawn sessions; low and high are quantiles of the redrawn differences, p_value
    twice the smaller share of them on one side of 0, not corrected for the number of rows. NaN when: a metric of one of
    the two is undefined, or most of its draws.
    """
    n, length = len(values), block_length_of(values - risk_free[:, None])
    tables = [np.column_stack([run, risk_free, np.full(n, np.nan)]) for run in values.T]
    rng = np.random.default_rng(seed)
    whole = [bootstrap_metrics(table, np.arange(n)[None]) for table in tables]
    parts = []
    for done in range(0, draws, CHUNK):
        rows = stationary_rows(rng, n=n, block_length=length, draws=min(CHUNK, draws - done))
        found = [bootstrap_metrics(table, rows) for table in tables]
        parts.append([[run[key] for key in METRICS] for run in found])
    drawn = np.concatenate(parts, axis=2)  # (n_runs, n_metrics, draws)
    rows_found = []
    for first, second in combinations(range(len(names)), 2):
        for at, key in enumerate(METRICS):
            estimate = float(whole[first][key][0] - whole[second][key][0])
            interval = _interval(drawn[first, at] - drawn[second, at], estimate)
            rows_found.append((names[first], names[second], key, estimate, *interval))
    return pd.DataFrame(rows_found, columns=["run", "other", "metric", "difference", "low", "high", "p_value"])


def superior_ability(excess: Mapping[str, FloatArray], against: str, *, seed: int, draws: int = SET_DRAWS) -> float:
    """Return the p value that none of the other runs is better than `against`: Hansen's (2005) consistent SPA test.

    excess: complete excess returns by run, each scaled to one deviation, so that Sharpe ratios and not leverage are
    compared; what is `against` in all but its scale is no rival. NaN when: `against` is not there, or no rival is.
    Source: arch.
    """
    if against not in excess:
        return float("nan")
    losses = _losses(excess)
    rivals = losses.loc[:, losses.sub(losses[against], axis=0).std() > SAME]
    if rivals.empty:
        return float("nan")
    from arch.bootstrap import SPA  # seconds that only the comparison need wait for

    own = losses[against].to_numpy()
    test = SPA(own, rivals.to_numpy(), block_size=_whole_block(excess), reps=draws, seed=seed)
    test.compute()
    return float(test.pvalues["consistent"])


def confidence_set(excess: Mapping[str, FloatArray], *, seed: int, draws: int = SET_DRAWS) -> tuple[str, ...]:
    """Return the runs that hold the best one with 95 % probability: the model confidence set of Hansen, Lunde and Nason.

    excess: as for `superior_ability`; the order is theirs. Runs that are the same but for their scale, or for a constant,
    are judged by the best of them. One run, or none, is the set itself. Source: Hansen, Lunde and Nason (2011); arch.
    """
    losses = _losses(excess)
    stands_for = {
        name: losses.loc[:, losses.sub(losses[name], axis=0).std() <= SAME].mean().idxmin() for name in excess
    }
    kept = list(dict.fromkeys(stands_for.values()))
    if len(kept) > 1:
        from arch.bootstrap import MCS  # seconds that only the comparison need wait for

        block = _whole_block(excess)
        test = MCS(losses[kept], size=SIGNIFICANCE, reps=draws, block_size=block, seed=seed)
        test.compute()
        kept = test.included
    means = losses.mean()
    return tuple(name for name, best in stands_for.items() if best in kept and means[name] - means[best] <= SAME)


def holm(p_values: FloatArray) -> FloatArray:
    """Return Holm's (1979) corrected p values, shape (n,): each family-wise, at most 1. NaN, no test, is not counted."""
    found = np.full(np.shape(p_values), np.nan)
    tested = np.flatnonzero(np.isfinite(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    scaled = p_values[order] * np.arange(len(order), 0, -1)
    found[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return found


def best_of(names: list[str], differences: pd.DataFrame) -> str | None:
    """Return the run that is better than every other one that can be tested, None where there is none.

    A run whose returns do not vary has no Sharpe ratio, and neither beats nor is beaten.
    """
    tested = differences[differences["p_corrected"].notna()]
    rivals = len(set(tested["run"]) | set(tested["other"])) - 1
    wins = tested["better"].value_counts()
    return next((name for name in names if 0 < wins.get(name, 0) == rivals), None)


def _verdict(names: list[str], pairs: pd.DataFrame, winner: str | None) -> str:
    if winner is not None:
        p_value = pairs.loc[pairs["better"] == winner, "p_corrected"].max()
        than = "the other" if len(names) == 2 else "every other run"
        return f"{winner} has a higher Sharpe ratio than {than} (p = {p_value:.3f})."
    if pairs["p_value"].isna().all():
        return "Nothing to compare: no two runs differ in more than their scale."
    found = pairs[pairs["better"].notna()]
    if found.empty:
        return "No run is better than another: the differences are within what chance makes."
    worse = np.where(found["better"] == found["run"], found["other"], found["run"])
    lines = "; ".join(f"{better} than {other}" for better, other in zip(found["better"], worse, strict=True))
    return f"No run is better than all others. Better: {lines}."


def _complete(returns: Mapping[str, FloatArray], risk_free: FloatArray) -> tuple[list[str], FloatArray, FloatArray]:
    """Names, returns (n_sessions, n_runs) and risk-free returns on the sessions where all are known."""
    if not 2 <= len(returns) <= MOST_RUNS:
        raise InputError("returns", got=f"{len(returns)} runs", allowed=f"2 to {MOST_RUNS} runs")
    for name, series in returns.items():
        if np.shape(series) != np.shape(risk_free):
            raise InputError(name, got=np.shape(series), allowed=f"one return per session, {np.shape(risk_free)}")
    table = np.column_stack([*returns.values(), risk_free]).astype(float)
    table = table[np.isfinite(table).all(axis=1)]
    if len(table) < MIN_SESSIONS:
        fix = "Choose runs whose dates overlap."
        raise InputError("returns", got=f"{len(table)} common sessions", allowed=f"{MIN_SESSIONS} or more", fix=fix)
    return list(returns), table[:, :-1], table[:, -1]


def _pairs_table(names: list[str], test: SharpeTest) -> pd.DataFrame:
    first, second = np.triu_indices(len(names), 1)
    label = np.array(names, dtype=object)
    columns = {
        name: getattr(test, name)[first, second]
        for name in ("difference", "std_err", "low", "high", "p_value", "p_hac")
    }
    return pd.DataFrame({"run": label[first], "other": label[second]} | columns)


def _interval(drawn: FloatArray, estimate: float) -> tuple[float, float, float]:
    defined = drawn[np.isfinite(drawn)]
    if not np.isfinite(estimate) or len(defined) < len(drawn) / 2:
        return float("nan"), float("nan"), float("nan")
    low, high = np.quantile(defined, [SIGNIFICANCE / 2.0, 1.0 - SIGNIFICANCE / 2.0])
    side = min((defined <= 0.0).sum(), (defined >= 0.0).sum())
    return float(low), float(high), float(min(1.0, 2.0 * (side + 1) / (len(defined) + 1)))


def _losses(excess: Mapping[str, FloatArray]) -> pd.DataFrame:
    return pd.DataFrame({name: -series / series.std() for name, series in excess.items()})


def _whole_block(excess: Mapping[str, FloatArray]) -> int:
    return int(np.ceil(block_length_of(np.column_stack(list(excess.values())))))
