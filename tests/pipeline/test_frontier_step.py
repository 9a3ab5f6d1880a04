"""The frontiers that are stored: of every universe and estimator, anew where an input changed, and where there is none."""

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tolerances import PARITY

from analytics.conventions import FRONTIER_POINTS, FRONTIER_SESSIONS
from analytics.portfolio import DEFAULT_ESTIMATOR, ESTIMATORS, efficient_frontier
from pipeline import schema, store
from pipeline.queries import Reader, connect, frontier
from pipeline.queries.portfolio_inputs import portfolio_inputs
from pipeline.runner import UpdateRequest, update
from pipeline.sources import FetchRequest
from pipeline.steps import frontier as step
from pipeline.steps._step import Context

SESSIONS = 320


def folder_of(tmp_path: Path, lengths: dict[str, int], *, factors: bool) -> Path:
    folder = tmp_path / "folder"
    (folder / "prices").mkdir(parents=True)
    days = np.busday_offset("2021-01-04", range(SESSIONS + 1), roll="forward").astype(str)
    for number, (ticker, length) in enumerate(lengths.items()):
        moves = np.random.default_rng(number).normal(0.0005, 0.01 + 0.002 * number, length)
        closes = 100 * np.exp(np.cumsum(moves))
        lines = [f"{day},{close:.6f}" for day, close in zip(days[:length], closes, strict=True)]
        (folder / "prices" / f"{ticker}.csv").write_text("Date,Close\n" + "\n".join(lines) + "\n")
    if factors:
        (folder / "ff").mkdir()
        months = [
            f"{year}{month:02d},  1.00,  0.10,  0.20,  0.05" for year in (2020, 2021, 2022) for month in range(1, 13)
        ]
        (folder / "ff" / "F-F_Research_Data_Factors.CSV").write_text(
            "made\n\n,Mkt-RF,SMB,HML,RF\n" + "\n".join(months) + "\n"
        )
    return folder


def built(settings: Any, folder: Path) -> tuple[dict[str, Any], Any, Any]:
    update(UpdateRequest(source="csv", path=folder), settings=settings)
    with connect(settings.db) as reader:
        run = frontier.latest_frontier(reader)
        assert run is not None
        key = {name: run[name] for name in ("universe", "as_of", "estimator")}
        return run, frontier.frontier_points(reader, **key), frontier.frontier_weights(reader, **key)


def test_every_session_of_the_window_counts_and_the_rate_is_its_mean(settings: Any, tmp_path: Path) -> None:
    run, points, weights = built(settings, folder_of(tmp_path, dict.fromkeys("ABC", SESSIONS), factors=True))
    assert run["n_obs"] == SESSIONS - 1
    assert run["risk_free_rate"] == pytest.approx(12 * 0.0005, rel=0.06)  # 0.05 % a month, spread over its sessions
    assert points["kind"].value_counts().loc[["frontier", "min_variance", "max_sharpe", "asset"]].tolist() == [
        50,
        1,
        1,
        3,
    ]
    assert sorted(weights["point"].unique()) == list(range(52))


def test_without_factor_files_there_is_no_rate_and_no_sharpe_ratio(settings: Any, tmp_path: Path) -> None:
    run, points, weights = built(settings, folder_of(tmp_path, dict.fromkeys("ABC", SESSIONS), factors=False))
    assert run["risk_free_rate"] is None
    assert points["sharpe_ratio"].isna().all()
    assert "max_sharpe" not in set(points["kind"])
    assert sorted(weights["point"].unique()) == list(range(51))


def test_one_fresher_ticker_does_not_empty_the_frontier(settings: Any, tmp_path: Path) -> None:
    lengths = dict.fromkeys("ABC", SESSIONS) | {"D": SESSIONS + 1, "NEW": 30}
    run, _, weights = built(settings, folder_of(tmp_path, lengths, factors=True))
    assert run["n_obs"] == SESSIONS - 1
    assert set(weights["ticker"]) == {"A", "B", "C", "D"}


# ---- on a copy of a store, whose tables are changed between two runs of the step ------------------------------

MADE = ("SIM001", "SIM002", "SIM003")


class Stored:
    """A private copy of the simulated store, the frontiers in it up to date, with a universe of three beside."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        for ticker in MADE:
            self.execute("INSERT INTO universe_members VALUES ('made', ?, '1990-01-01', NULL)", ticker)
            self.execute("INSERT INTO company_fundamentals VALUES (?, '2020-01-01', 'market_cap', 1e9, '2020')", ticker)
        self.run()

    def execute(self, sql: str, *values: Any) -> None:
        assert self.connection.execute(sql, values).rowcount > 0, "nothing was changed"

    def run(self) -> Any:
        """The step alone, as an update runs it where neither the code nor the store changed."""
        context = Context(
            self.connection, Path("build.db"), "run", source=None, request=FetchRequest(), settings=None,
            report=lambda *_: None, recompute_all=False,
        )  # type: ignore[arg-type]  # fmt: skip
        return step.run(context)

    def keys(self) -> set[tuple[str, str]]:
        """(universe, estimator) of what is stored; the three tables agree on it."""
        found = [
            set(self.connection.execute(f"SELECT DISTINCT universe, estimator FROM {table.name}"))
            for table in step.TABLES
        ]
        assert found[0] == found[1] == found[2]
        return found[0]

    def points(self, universe: str, estimator: str) -> pd.DataFrame:
        as_of = portfolio_inputs(Reader(self.connection), universe).as_of  # type: ignore[union-attr]
        return frontier.frontier_points(Reader(self.connection), universe=universe, as_of=as_of, estimator=estimator)


@pytest.fixture
def stored(simulated: Any, tmp_path: Path) -> Any:
    path = Path(shutil.copyfile(simulated.db, tmp_path / "copy.db"))
    with closing(store.open_writer(path, schema.MARKET)) as connection:
        yield Stored(connection)


def every(*universes: str) -> set[tuple[str, str]]:
    return {(universe, estimator) for universe in universes for estimator in ESTIMATORS}


def test_every_universe_is_stored_under_every_estimator(stored: Stored) -> None:
    assert stored.keys() == every("stocks", "made")
    inputs = portfolio_inputs(Reader(stored.connection), "made")
    assert inputs is not None
    for key, estimator in ESTIMATORS.items():
        mu, sigma = estimator.estimate(inputs.data)
        expected = efficient_frontier(mu, sigma, risk_free_rate=inputs.data.risk_free_rate)
        points = stored.points("made", key)
        along = points[points["kind"] == "frontier"]
        np.testing.assert_allclose(along["expected_return"], expected.expected_return, rtol=PARITY, err_msg=key)
        np.testing.assert_allclose(along["volatility"], expected.volatility, rtol=PARITY, err_msg=key)
        assert ("random" in set(points["kind"])) == (estimator is DEFAULT_ESTIMATOR)
        assert points[points["kind"] == "asset"]["ticker"].tolist() == list(MADE)
        assert len(along) == FRONTIER_POINTS


def test_nothing_is_written_where_nothing_changed(stored: Stored) -> None:
    outcome = stored.run()
    unchanged = f"7 tickers over {FRONTIER_SESSIONS} sessions, too short: SIM008, nothing changed"
    assert outcome.rows == 0
    assert outcome.message == f"stocks: {unchanged}; made: 3 tickers over {FRONTIER_SESSIONS} sessions, nothing changed"
    assert stored.keys() == every("stocks", "made")


FIT = "ticker = 'SIM002' AND frequency = 'M' AND window_months = 0 AND as_of = '2024-12-31' AND model"
ONE_INPUT = {
    "returns": ("UPDATE prices SET adj_close = adj_close * 1.001 WHERE ticker = 'SIM002' AND date = '2023-03-01'", "mean"),
    "rate": ("UPDATE factor_returns SET rf = rf * 2 WHERE frequency = 'D'", "black_litterman"),
    "market weights": ("UPDATE company_fundamentals SET value = 2e9 WHERE ticker = 'SIM002'", "black_litterman"),
    "capm": (f"UPDATE factor_model_fits SET expected_return = 0.2 WHERE {FIT} = 'capm'", "capm"),
    "ff3": (f"UPDATE factor_model_fits SET expected_return = 0.2 WHERE {FIT} = 'ff3'", "ff3"),
    "ff5": (f"UPDATE factor_model_fits SET expected_return = 0.2 WHERE {FIT} = 'ff5'", "ff5"),
    "factor returns": ("UPDATE factor_returns SET hml = hml + 0.01 WHERE frequency = 'D' AND date = '2023-03-01'", "mean"),
}  # fmt: skip


@pytest.mark.parametrize("changed", ONE_INPUT)
def test_each_input_alone_has_the_frontiers_computed_anew(stored: Stored, changed: str) -> None:
    sql, returns = ONE_INPUT[changed]
    key = f"{returns}__{'factor_model' if changed == 'factor returns' else 'ledoit_wolf'}"
    before = stored.points("made", key)
    stored.execute(sql)
    outcome = stored.run()
    assert outcome.rows > 0
    assert "made: 3 tickers over 1260 sessions" in outcome.message
    assert not outcome.message.endswith("nothing changed")
    assert not np.allclose(stored.points("made", key)["expected_return"], before["expected_return"], rtol=PARITY)
    assert stored.keys() == every("stocks", "made")
    assert stored.run().rows == 0


def test_only_the_universe_whose_input_changed_is_computed(stored: Stored) -> None:
    fit = FIT.replace("SIM002", "SIM005")  # of the stocks and not of the three
    stored.execute(f"UPDATE factor_model_fits SET expected_return = 0.2 WHERE {fit} = 'capm'")
    outcome = stored.run()
    assert outcome.rows == len(stored_rows(stored, "stocks"))
    assert outcome.message.endswith("made: 3 tickers over 1260 sessions, nothing changed")


def stored_rows(stored: Stored, universe: str) -> list[Any]:
    return [
        row for table in step.TABLES
        for row in stored.connection.execute(f"SELECT * FROM {table.name} WHERE universe = ?", (universe,))
    ]  # fmt: skip


def test_a_universe_that_is_no_more_is_dropped(stored: Stored) -> None:
    stored.execute("DELETE FROM universe_members")
    assert stored.run().rows == 0
    assert stored.keys() == every("stocks")


def test_a_universe_of_one_has_no_frontier_until_it_has_two(stored: Stored) -> None:
    """What was stored of it goes, and comes back though the data are again those that it was computed from."""
    before = stored_rows(stored, "made")
    for ticker in MADE[1:]:
        stored.execute("UPDATE instruments SET active = 0 WHERE ticker = ?", ticker)
    outcome = stored.run()
    assert "made: fewer than two tickers are complete over a year, no frontier" in outcome.message
    assert stored.keys() == every("stocks")
    for ticker in MADE[1:]:
        stored.execute("UPDATE instruments SET active = 1 WHERE ticker = ?", ticker)
    stored.run()
    assert len(stored_rows(stored, "made")) == len(before)


@pytest.mark.parametrize(
    ("factors", "missing"),
    [
        # Without any rate Black-Litterman has nothing to start from, and without daily factors there is no factor model.
        (False, lambda returns, covariance: returns in ("capm", "ff3", "ff5", "black_litterman") or covariance == "factor_model"),
        # 16 months of returns are too few for a monthly fit, which takes 24.
        (True, lambda returns, covariance: returns in ("capm", "ff3", "ff5") or covariance == "factor_model"),
    ],
)  # fmt: skip
def test_estimators_without_data_are_left_out_and_counted(
    settings: Any, tmp_path: Path, factors: bool, missing: Callable[[str, str], bool]
) -> None:
    folder = folder_of(tmp_path, dict.fromkeys("ABC", SESSIONS), factors=factors)
    result = update(UpdateRequest(source="csv", path=folder), settings=settings)
    left_out = {key for key in ESTIMATORS if missing(*key.split("__"))}
    assert len(ESTIMATORS) > len(left_out) > 0
    message = {line.label: line.outcome.message for line in result.steps}["Frontier"]
    expected = (
        f"stocks: 3 tickers over {SESSIONS - 1} sessions, no data for {len(left_out)} of {len(ESTIMATORS)} estimators"
    )
    assert message == expected
    with connect(settings.db) as reader:
        for table in step.TABLES:
            found = {row[0] for row in reader.rows(f"SELECT DISTINCT estimator FROM {table.name}")}
            assert found == set(ESTIMATORS) - left_out


def test_of_a_large_universe_the_default_estimator_alone_is_stored(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "ALL_PAIRS_UP_TO", 2)
    result = update(
        UpdateRequest(source="csv", path=folder_of(tmp_path, dict.fromkeys("ABC", SESSIONS), factors=True)),
        settings=settings,
    )
    told = next(one.outcome.message for one in result.steps if one.label == step.STEP.label)
    assert f"{DEFAULT_ESTIMATOR.key} alone" in told
    with connect(settings.db) as reader:
        assert reader.rows("SELECT DISTINCT estimator FROM frontier_runs") == [(DEFAULT_ESTIMATOR.key,)]
