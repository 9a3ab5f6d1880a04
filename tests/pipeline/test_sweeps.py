"""The door to a sweep: what is refused, what is stored and counted, and what a cancelled sweep does not do again."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analytics.backtest import run_backtest
from analytics.backtest.parameter_sets import Range
from analytics.backtest.sweep_cells import KEPT, SweepPlan
from analytics.errors import InputError, MissingDataError, PlumblineError, UnknownKeyError
from pipeline import backtests, sweeps
from pipeline import workspace as results
from pipeline.ledger import hypothesis_of
from pipeline.queries import connect
from pipeline.queries import sweeps as sweep_queries
from pipeline.queries import trials as trial_queries
from pipeline.sweeps import SweepRequest

TOLERANCE = 1e-12  # the same arithmetic on the same numbers, by way of text that holds every digit
SUMS_TOLERANCE = 1e-9  # block sums against one mean and deviation: the order of additions differs
AXES = (Range("rsi.window", 10, 14, 2), Range("threshold", 2, 4))  # 9 sets
CALM = "buy_and_hold"


def asked(*ranges: Range, **options: Any) -> SweepRequest:
    given: dict[str, Any] = {"tickers": ["SIM001"], "start": "2018-01-01"}
    return SweepRequest.of(ranges=ranges or AXES, **(given | options))


@pytest.fixture
def run(simulated: Any, tmp_path: Path) -> Any:
    return lambda request, **options: sweeps.run(request, db=simulated.db, workspace=tmp_path / "w.db", **options)


@pytest.fixture
def cells_of(tmp_path: Path) -> Any:
    def read(name: str) -> Any:
        with results.reading(tmp_path / "w.db") as reader:
            return sweep_queries.cells(reader, name)

    return read


def tries(workspace: Path, *tickers: str) -> Any:
    with results.reading(workspace) as reader:
        return trial_queries.trials(reader, hypothesis_of("technical_vote", tickers))


# ---- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ranges", "options", "says"),
    [
        ([Range("rsi.window", 2, 200), Range("sma.sma_50", 2, 500), Range("macd.fast", 2, 25)], {}, "1 to 10,000 combinations"),
        ([Range("mean", 1, 2)], {}, "mean"), ([Range("rsi.windw", 5, 10)], {}, "Did you mean 'rsi.window'"),
        ([Range("threshold", 4, 2)], {}, "Swap the two"), ([Range("threshold", float("nan"), 2)], {}, "allowed: a number from 1"),
        ([Range("threshold", 1, 10**4000)], {}, "allowed: a"), ([Range("threshold", 2, 4, 1e-15)], {}, "threshold step"),
        ([Range("threshold", 2, 3), Range("threshold", 2, 3)], {}, "each parameter once"), ([], {}, "1 to 3 parameters"),
        ([Range("votes", 1, 2)], {}, "list of its values"), ([Range("threshold", 2, 4)], {"draws": 4}, "number of different sets"),
        ([Range("threshold", 2, 4)], {"draws": 10**9}, "1 to 10,000"), ([Range("threshold", 2, 4)], {"draws": 0}, "1 to 10,000"),
        ([Range("threshold", 2, 4)], {"draws": 2, "seed": -1}, "seed"),
        ([Range("threshold", 2, 4)], {"strategy": "technical_voting"}, "Did you mean 'technical_vote'"),
        ([Range("threshold", 2, 4)], {"start": "2020-01-01", "end": "2019-01-01"}, "Swap the two dates"),
        ([Range("threshold", 2, 4)], {"tickers": []}, "Choose a ticker"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_before_anything_is_read(ranges: list[Range], options: dict[str, Any], says: str) -> None:
    given: dict[str, Any] = {"tickers": ["SIM001"]}
    with pytest.raises(PlumblineError, match=says):
        SweepRequest.of(ranges=ranges, **(given | options))


def test_what_the_store_does_not_have_is_refused_before_anything_is_computed(run: Any, tmp_path: Path) -> None:
    with pytest.raises(UnknownKeyError, match="Did you mean 'SIM001'"):
        run(asked(tickers=["SIM01"]))
    with pytest.raises(MissingDataError, match="No prices"):
        run(asked(start="2090-01-01"))
    with pytest.raises(MissingDataError, match="no stored sweep"):
        sweeps.load("nothing", workspace=tmp_path / "w.db")
    with results.reading(tmp_path / "w.db") as reader:
        assert sweep_queries.sweeps(reader).empty


# ---- what names a sweep ---------------------------------------------------------------------------------------


def test_the_name_does_not_depend_on_order_or_spelled_defaults(simulated: Any) -> None:
    def name(request: SweepRequest) -> str:
        return sweeps.sweep_id(request, db=simulated.db)

    first = name(asked())
    assert name(asked(AXES[1], Range("rsi.window", 10.0, 14, 2.0))) == first
    assert name(asked(AXES[0], Range("threshold", 2, 4, 1))) == first
    assert name(asked(strategy="technical_vote", costs={"fee_rate": None})) == first
    others = [
        asked(AXES[0]), asked(AXES[0], Range("threshold", 2, 5)), asked(draws=4), asked(draws=4, seed=1), asked(draws=5),
        asked(costs={"fee_rate": 0.002}), asked(tickers=["SIM002"]), asked(end="2020-01-31"),
    ]  # fmt: skip
    assert len({first, *map(name, others)}) == len(others) + 1


def test_a_stored_sweep_can_be_asked_again(run: Any, simulated: Any, tmp_path: Path) -> None:
    for request in (
        asked(costs={"fee_rate": 0.002}),
        asked(draws=3, seed=5),
        asked(Range("fraction", 0.1, 0.3, 0.1), strategy="momentum_12_1"),
    ):
        name = run(request)
        again = sweeps.request_of(sweeps.load(name, workspace=tmp_path / "w.db"))
        assert again.cells == request.cells
        assert sweeps.sweep_id(again, db=simulated.db) == name


# ---- what is stored and counted -------------------------------------------------------------------------------


def test_every_cell_is_that_backtest(run: Any, cells_of: Any, simulated: Any, tmp_path: Path) -> None:
    request = asked()
    cells, sums = cells_of(run(request))
    assert list(cells["cell"]) == list(range(9))
    for position in (0, 4, 8):
        row = cells.iloc[position]
        parameters = request.cells[position].parameters(request.question.spec.parameters)
        assert (parameters["threshold"], parameters["indicator_parameters"]) == (
            row["threshold"],
            f"rsi.window={row['rsi.window']}",
        )
        one = backtests.BacktestRequest.of(tickers=["SIM001"], start="2018-01-01", parameters=parameters)
        found = metrics_of_one(one, simulated.db)
        for key in KEPT:
            expected = np.nan if found[key] is None else found[key]
            assert row[key] == pytest.approx(expected, abs=TOLERANCE, nan_ok=True), key
        assert sums.sharpe_ratio()[position] == pytest.approx(row["sharpe_ratio"], rel=SUMS_TOLERANCE, nan_ok=True)


def metrics_of_one(request: backtests.BacktestRequest, db: Path) -> Any:
    """The metrics of one backtest, by the engine that the Backtest tab uses."""
    with connect(db) as reader:
        question = backtests.resolve(reader, request, db)
        inputs = backtests.read_inputs(reader, question)
    return run_backtest(inputs, request.over(start=question.start, end=question.end)).metrics


def test_the_benchmark_is_buy_and_hold_of_the_same_sessions(
    run: Any, cells_of: Any, simulated: Any, tmp_path: Path
) -> None:
    name = run(asked(AXES[1]))
    row = sweeps.load(name, workspace=tmp_path / "w.db")
    held = metrics_of_one(
        backtests.BacktestRequest.of(strategy=CALM, tickers=["SIM001"], start="2018-01-01"), simulated.db
    )
    assert row["benchmark_sharpe_ratio"] == pytest.approx(held["sharpe_ratio"], abs=TOLERANCE)
    with results.reading(tmp_path / "w.db") as reader:
        sums = sweep_queries.benchmark(reader, name)
        assert sweep_queries.benchmark(reader, "nothing") is None
    assert sums.sharpe_ratio() == pytest.approx([held["sharpe_ratio"]], rel=SUMS_TOLERANCE)
    assert np.array_equal(sums.n, cells_of(name)[1].n)  # cut into the same blocks


def test_every_cell_is_counted_once_whichever_sweep_asks(run: Any, tmp_path: Path) -> None:
    run(asked())
    first = tries(tmp_path / "w.db", "SIM001")
    assert len(first) == 9
    assert (first["n_obs"] > 1000).all()
    run(asked())
    assert len(tries(tmp_path / "w.db", "SIM001")) == 9
    run(asked(AXES[0], Range("threshold", 2, 5)))  # three of these twelve are new
    assert len(tries(tmp_path / "w.db", "SIM001")) == 12
    run(asked(end="2022-12-30"))  # other dates are other tries
    assert len(tries(tmp_path / "w.db", "SIM001")) == 21
    assert tries(tmp_path / "w.db", "SIM002").empty


def test_sets_that_do_not_go_together_are_stored_with_the_reason(run: Any, cells_of: Any) -> None:
    cells, sums = cells_of(run(asked(Range("macd.fast", 24, 27))))
    assert list(cells["problem"].notna()) == [False, False, True, True]
    assert "less than slow" in cells["problem"].iloc[2]
    assert cells["sharpe_ratio"].isna().tolist() == [False, False, True, True]
    assert np.isnan(sums.total[2:]).all()


# ---- cancelled and resumed --------------------------------------------------------------------------------------


class CancelledError(Exception):
    """Stands for the end of the process."""


def test_a_cancelled_sweep_goes_on_without_repeating_work(
    run: Any, cells_of: Any, simulated: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "BATCH", 2)
    monkeypatch.setattr(sweeps, "STORE_SECONDS", 0.0)
    computed: list[str] = []
    real = SweepPlan.evaluate

    def counting(self: SweepPlan, cells: Any, **options: Any) -> Any:
        for batch in real(self, cells, **options):
            computed.extend(cell.key for cell in batch.cells if cell.values)  # the benchmark has none
            yield batch

    monkeypatch.setattr(SweepPlan, "evaluate", counting)

    def stop_at_four(_done: float, message: str) -> None:
        if message.startswith("4 of"):
            raise CancelledError

    request = asked()
    with pytest.raises(CancelledError):
        run(request, report=stop_at_four)
    with results.reading(tmp_path / "w.db") as reader:
        row = sweep_queries.sweeps(reader).iloc[0]
    assert (row["stored"], row["n_cells"]) == (4, 9)
    assert len(tries(tmp_path / "w.db", "SIM001")) == 4
    name = run(request)
    assert sorted(computed) == sorted(cell.key for cell in request.cells)  # each exactly once
    whole, sums = cells_of(name)
    monkeypatch.undo()
    at_once = sweeps.run(request, db=simulated.db, workspace=tmp_path / "other.db")
    with results.reading(tmp_path / "other.db") as reader:
        expected, expected_sums = sweep_queries.cells(reader, at_once)
    assert at_once == name
    assert whole.equals(expected)
    assert np.array_equal(sums.total, expected_sums.total)
    computed.clear()
    assert run(request) == name  # whole: nothing is read or computed
    assert computed == []


def test_progress_never_falls_and_ends_at_one(run: Any) -> None:
    seen: list[tuple[float, str]] = []
    run(asked(), report=lambda done, message: seen.append((done, message)))
    parts = [done for done, _ in seen]
    assert parts == sorted(parts)
    assert parts[-1] == pytest.approx(1.0)
    assert seen[-1][1] == "9 of 9 parameter sets"


def test_a_cell_with_a_range_error_names_its_field() -> None:
    with pytest.raises(InputError, match=r"rsi\.window"):
        asked(Range("rsi.window", 0, 10))
