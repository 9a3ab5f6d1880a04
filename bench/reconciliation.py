"""Our metrics beside those of other libraries as they come: python -m bench.reconciliation writes the table anew.

It writes docs/RECONCILIATION.md and, for the app, which has none of these libraries, dashapp/pages/backtest/reconciliation.csv.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.metrics import METRICS, Performance, compute_metrics
from bench.library_defaults import LIBRARIES, Sample
from config import ROOT

DOCUMENT = ROOT / "docs/RECONCILIATION.md"
TABLE = ROOT / "dashapp/pages/backtest/reconciliation.csv"
NAMES = {
    "quantstats": "QuantStats",
    "empyrical": "empyrical",
    "ffn": "ffn",
    "skfolio": "skfolio",
    "vectorbt": "vectorbt",
}
COLUMNS = ("metric", "ours", *LIBRARIES, "reason")
SEED, SESSIONS = 11, 1_413
FREE = 0.00008 + 0.00004 * np.sin(np.arange(SESSIONS) / 60)  # about 2 % a year
CLOSED = 40  # sessions in cash at the start: their returns are 0
SAME = 1e-6  # relative to max(1, |x|): what differs by more needs a reason
DIGITS = 6  # significant

INTRODUCTION = """# Reconciliation

Our metrics beside the numbers that five libraries give for the same returns when they are asked as they come, and the reason for every difference. Where a
library's convention can be turned to ours it then agrees to 1e-9: the tests of the metrics hold each of those calls.

* **Series**: {sessions:,} weekdays from {first} to {last}, drawn from Student t distributions with a fixed seed; a benchmark correlated with it; a
  risk-free rate of {low:.3f} to {high:.3f} % a session, which only our column knows, for no library has one unless it is given; the first {closed} sessions without a position, at a return of 0.
* **As they come**: QuantStats `stats.*` (of the windows, what `reports.metrics` does), empyrical's functions, ffn's `PerformanceStats` and functions,
  skfolio's `Portfolio` (and `measures`), vectorbt's returns accessor with `freq="1D"`.
* An empty cell: the library has no such number. A number without a reason is ours to 1e-6.
* The table is written by `python -m bench.reconciliation`, which also writes the copy that the Backtest tab shows; a test fails where it is not up to date.

"""


@dataclass(frozen=True)
class Row:
    """One metric: our number, each library's where it has one, and why they differ."""

    metric: str
    ours: float
    theirs: dict[str, float]
    reasons: dict[str, str]  # of each library that gives one

    def cells(self) -> tuple[str, ...]:
        numbers = [self.ours, *(self.theirs.get(library) for library in LIBRARIES)]
        return (self.metric, *map(_number, numbers), self.reason())

    def reason(self) -> str:
        """Every reason once, after the libraries that it holds for."""
        libraries: dict[str, list[str]] = {}
        for library, text in self.reasons.items():
            libraries.setdefault(text.replace("; ", ", "), []).append(NAMES[library])
        return "; ".join(f"{', '.join(names)}: {text}" for text, names in libraries.items())

    def differs(self, library: str) -> bool:
        """Whether a library's number is another one."""
        gap = abs(self.theirs[library] - self.ours)
        return not gap <= SAME * max(1.0, abs(self.ours))


def sample() -> Sample:
    """Return the series of the table."""
    rng = np.random.default_rng(SEED)
    market = 0.0004 + 0.009 * rng.standard_t(4, SESSIONS)
    returns = 0.0002 + 0.8 * market + 0.005 * rng.standard_t(5, SESSIONS)
    returns[:CLOSED] = 0.0
    days = pd.bdate_range("2017-12-29", periods=SESSIONS + 1)
    return Sample(pd.Series(returns, days[1:]), pd.Series(market, days[1:]), days[0])


def rows() -> list[Row]:
    """Compute the table: every metric that a library has, in the order of the registry."""
    one = sample()
    ours = compute_metrics(_performance(one))
    found = []
    for key in METRICS:
        answers = {library: answers[key] for library, answers in LIBRARIES.items() if key in answers}
        if answers:
            theirs = {library: float(value(one)) for library, (value, _) in answers.items()}
            found.append(Row(key, ours[key], theirs, {name: why for name, (_, why) in answers.items() if why}))
    return found


def _performance(one: Sample) -> Performance:
    dates = one.r.index.to_numpy().astype("datetime64[D]")
    exposure = (np.arange(SESSIONS) >= CLOSED).astype(float)
    return Performance(
        dates,
        one.r.to_numpy(),
        benchmark_returns=one.b.to_numpy(),
        risk_free_returns=FREE,
        gross_exposure=exposure,
    )


def _number(value: float | None) -> str:
    return "" if value is None or not np.isfinite(value) else f"{value:.{DIGITS}g}"


def table(found: Sequence[Row]) -> str:
    """Return the rows as comma-separated values."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *(row.cells() for row in found)])
    return text.getvalue()


def document(found: Sequence[Row]) -> str:
    """Return the rows as a page."""
    days = sample().r.index
    span = {
        "first": f"{days[0]:%Y-%m-%d}",
        "last": f"{days[-1]:%Y-%m-%d}",
        "low": 100 * FREE.min(),
        "high": 100 * FREE.max(),
    }
    head = INTRODUCTION.format(sessions=SESSIONS, closed=CLOSED, **span)
    lines = [("metric", "ours", *NAMES.values(), "why"), ("---", *["---:"] * (1 + len(LIBRARIES)), "---")]
    lines += [(f"`{row.metric}`", *row.cells()[1:]) for row in found]
    return head + "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def main() -> None:
    """Write the page and the table."""
    found = rows()
    DOCUMENT.write_text(document(found), encoding="utf-8")
    TABLE.write_text(table(found), encoding="utf-8")
    print(f"{len(found)} metrics: {DOCUMENT.relative_to(ROOT)}, {TABLE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
