"""The chosen runs as the Compare tab shows them: read once, named so that they can be told apart, on common sessions."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analytics.backtest.side_by_side import SideBySide, side_by_side
from analytics.backtest.strategies import STRATEGIES
from analytics.backtest.tear_sheet import Record
from analytics.conventions import INITIAL_CAPITAL, FloatArray
from analytics.errors import InputError, MissingDataError
from dashapp import inputs
from dashapp.data import workspace
from pipeline.queries import history as history_queries
from pipeline.queries import results as result_queries
from pipeline.workspace import reading

MOST_RUNS = 12
KEPT = 16  # sets of runs that stay in memory
NAMED = 2  # tickers that a label spells out
BUY_AND_HOLD = "buy_and_hold"
LISTED_STRATEGY = {key: item.label for key, item in STRATEGIES.items()}


@dataclass(frozen=True, eq=False)
class Runs:
    """Chosen runs in the order of their choice, all by label.

    results: their rows. records: their accounts. benchmarks: buy and hold of each list of tickers among them.
    """

    results: Mapping[str, dict[str, Any]]
    records: Mapping[str, Record]
    benchmarks: Mapping[str, Record]

    @property
    def labels(self) -> list[str]:
        """What the runs are called here."""
        return list(self.results)

    @cached_property
    def common(self) -> SideBySide:
        """The sessions that all of them know; raises MissingDataError where there are none."""
        return side_by_side(self.records, self.benchmarks)

    @property
    def same_dates(self) -> bool:
        """Whether each run covers the same sessions."""
        return not _dates_differ(list(self.results.values()))

    @property
    def measure(self) -> str:
        """What the others are to beat: the run that buys and holds, else buy and hold of the common tickers, else the first run."""
        passive = [label for label, item in self.results.items() if item["strategy_name"] == BUY_AND_HOLD]
        shared = list(self.benchmarks) if len({tuple(item["tickers"]) for item in self.results.values()}) == 1 else []
        return (passive or shared or self.labels)[0]

    def returns(self, *, measured: bool = False) -> dict[str, FloatArray]:
        """Returns on the common sessions; with what they are measured against, if asked."""
        wanted = self.labels if not measured or self.measure in self.labels else [*self.labels, self.measure]
        return {label: self.common.returns[label].to_numpy(dtype=float) for label in wanted}


@dataclass(frozen=True)
class Held:
    """Runs as an argument that a cache compares by workspace, labels and result_ids: what is stored never changes."""

    runs: Runs = field(compare=False)
    key: tuple[Any, ...]

    @classmethod
    def of(cls, runs: Runs) -> "Held":
        """Return the runs of the workspace that the app serves."""
        return cls(runs, (workspace(), *((label, item["result_id"]) for label, item in runs.results.items())))


def result_ids(value: Any) -> tuple[str, ...]:
    """Return the result_ids that a browser sent; raises InputError."""
    return inputs.names("runs", value, most=MOST_RUNS)


def chosen_runs(value: Any) -> Runs:
    """Return two or more chosen runs; raises InputError, and MissingDataError where one is not stored or too few are chosen."""
    wanted = result_ids(value)
    if len(wanted) < 2:
        raise MissingDataError(f"Choose 2 to {MOST_RUNS} runs in the table above. The Backtest tab makes them.")
    path = workspace()
    with reading(path) as reader:
        listed = history_queries.chosen(reader, wanted)
        rows = [result_queries.result(reader, item) for item in wanted]
    missing = [item for item in wanted if item not in set(listed["result_id"])]
    if missing:
        raise MissingDataError(f"There is no stored result {missing[0]}.")
    results = {label: row for label, row in zip(labels(listed), rows, strict=True) if row is not None}
    accounts = dict(zip(wanted, _accounts(path, wanted), strict=True))
    records = {label: Record.of(accounts[item["result_id"]], _capital(item)) for label, item in results.items()}
    return Runs(results, records, _benchmarks(results, records))


@lru_cache(maxsize=KEPT)
def _accounts(path: Path, wanted: tuple[str, ...]) -> list[pd.DataFrame]:
    """The accounts of results: they never change once they are stored."""
    with reading(path) as reader:
        found = history_queries.accounts(reader, wanted)
    gone = [item for item in wanted if item not in found]
    if gone:  # deleted since it was listed
        raise MissingDataError(f"There is no stored result {gone[0]}.")
    return [found[item] for item in wanted]


def _capital(result: Mapping[str, Any]) -> float:
    return float(result["params"].get("initial_capital", INITIAL_CAPITAL))


def _benchmarks(results: Mapping[str, dict[str, Any]], records: Mapping[str, Record]) -> dict[str, Record]:
    """Buy and hold of each list of tickers among the results, as the first run on them has it; none that is a run itself."""
    first: dict[tuple[str, ...], str] = {}
    for label, item in results.items():
        first.setdefault(tuple(item["tickers"]), label)
    held = {tuple(item["tickers"]) for item in results.values() if item["strategy_name"] == BUY_AND_HOLD}
    found = {
        ("Buy and hold" if len(first) == 1 else f"Buy and hold · {tickers_text(tickers)}"): records[label]
        for tickers, label in first.items() if tickers not in held
    }  # fmt: skip
    return {name: record for name, record in found.items() if name not in results}


def labels(listed: pd.DataFrame) -> list[str]:
    """Return a name for each listed run: its own, else strategy and, where they differ, tickers; and what tells equal ones apart."""
    rows = listed.to_dict("records")
    same_tickers = len({tuple(row["tickers"]) for row in rows}) == 1
    parts = [(strategy_text(row["strategy_name"]), tickers_text(row["tickers"])) for row in rows]
    plain = [
        row["name"] or " · ".join(part[:1] if same_tickers else part) for row, part in zip(rows, parts, strict=True)
    ]
    counted = Counter(plain)
    found = [
        _told_apart(name, row, [other for other, same in zip(rows, plain, strict=True) if same == name])
        if counted[name] > 1
        else name
        for name, row in zip(plain, rows, strict=True)
    ]
    used: set[str] = set()
    for place, name in enumerate(found):
        number = 1
        while found[place] in used:
            number += 1
            found[place] = f"{name} ({number})"
        used.add(found[place])
    return found


def _told_apart(name: str, row: Mapping[str, Any], same: Sequence[Mapping[str, Any]]) -> str:
    """The name with the first parameters that differ between runs of the same name, and the years where these are not enough."""
    keys = dict.fromkeys(key for item in same for key in item["params"])
    differing = [key for key in keys if len({str(item["params"].get(key)) for item in same}) > 1][:NAMED]
    told = [
        [f"{key.replace('_', ' ')} {_short(item['params'].get(key))}" for key in differing] for item in (row, *same)
    ]
    years = (
        [f"{row['start_date'][:4]} to {row['end_date'][:4]}"] if told.count(told[0]) > 2 and _dates_differ(same) else []
    )
    return " · ".join([name, *told[0], *years])


def _dates_differ(rows: Sequence[Mapping[str, Any]]) -> bool:
    return len({(item["start_date"], item["end_date"]) for item in rows}) > 1


def _short(value: Any) -> str:
    if isinstance(value, list):
        return "+".join(map(str, value[:NAMED])) + ("…" if len(value) > NAMED else "")
    return f"{value:g}" if isinstance(value, float) else str(value)


def strategy_text(strategy: str) -> str:
    """Return a strategy's label; its key where it is not here any more."""
    return LISTED_STRATEGY.get(strategy, strategy)


def tickers_text(tickers: Sequence[str]) -> str:
    """Return a list of tickers in a few letters: AAPL, MSFT +3."""
    more = len(tickers) - NAMED
    return ", ".join(tickers[:NAMED]) + (f" +{more}" if more > 0 else "")


def one_of(runs: Runs, value: Any) -> str:
    """Return the label of the run that a control names by its result_id, the first one where it names none; raises InputError."""
    ids = {item["result_id"]: label for label, item in runs.results.items()}
    if value is None:
        return runs.labels[0]
    wanted = inputs.name("run", value)
    if wanted not in ids:
        raise InputError("run", got=inputs.shown(value), allowed="one of the chosen runs", fix="Choose it again.")
    return ids[wanted]


def known(value: Any) -> float:
    """Return a stored number; NaN where it is undefined."""
    return float(value) if isinstance(value, (int, float)) and np.isfinite(value) else float("nan")
