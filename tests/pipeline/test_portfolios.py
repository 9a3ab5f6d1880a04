"""Saved portfolios: what is kept and read back, what is refused, and that an older workspace loses nothing."""

import math
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from test_migrations import make

from analytics.errors import LISTED, InputError, MissingDataError
from pipeline import maintenance, schema, store, workspace
from pipeline.queries import portfolios as queries

ORIGIN = {
    "universe": "stocks", "source": "frontier point 25, mean__ledoit_wolf", "request": '{"points":50}',
    "data_run_id": "run", "as_of": "2024-01-02",
}  # fmt: skip
ROUNDING = 1e-12  # what adding up the same floats in another order may differ by
EXAMPLES = hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "workspace.db"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second passes with every look at the time."""
    ticks = iter(range(60))
    monkeypatch.setattr(store, "utc_now", lambda: f"2024-05-01T00:00:{next(ticks):02d}.000Z")


def save(path: Path, name: str = "Core", weights: Any = None, **changed: str) -> None:
    workspace.save_portfolio(path, name, weights or {"AAPL": 0.25, "MSFT": 0.5}, **(ORIGIN | changed))


def listed(path: Path) -> pd.DataFrame:
    with workspace.reading(path) as reader:
        return queries.portfolios(reader)


def weights_of(path: Path, name: str = "Core") -> dict[str, float]:
    with workspace.reading(path) as reader:
        return queries.portfolio_weights(reader, name)


def content(path: Path) -> dict[str, list[Any]]:
    """Every row of every table."""
    with closing(sqlite3.connect(path)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in names}


@pytest.mark.usefixtures("clock")
def test_a_portfolio_is_read_as_it_was_saved(path: Path) -> None:
    save(path)
    assert weights_of(path) == {"MSFT": 0.5, "AAPL": 0.25}
    assert list(weights_of(path)) == ["MSFT", "AAPL"]  # the largest first
    assert listed(path).to_dict("records") == [{
        "name": "Core", "updated_at": "2024-05-01T00:00:00.000Z", "universe": "stocks",
        "source": "frontier point 25, mean__ledoit_wolf", "as_of": "2024-01-02", "positions": 2,
    }]  # fmt: skip
    assert content(path)["portfolios"] == [
        ("Core", *["2024-05-01T00:00:00.000Z"] * 2, *(ORIGIN[name] for name in ("universe", "source", "request")),
         "run", "2024-01-02"),
    ]  # fmt: skip


@pytest.mark.usefixtures("clock")
def test_the_same_name_is_replaced_whole_and_keeps_when_it_was_made(path: Path) -> None:
    save(path)
    save(path, "Other", {"PEP": 1.0})
    save(path, weights={"KO": 0.1}, source="editor", as_of="2024-01-03")
    assert weights_of(path) == {"KO": 0.1}
    assert weights_of(path, "Other") == {"PEP": 1.0}
    found = listed(path)
    assert list(found["name"]) == ["Core", "Other"]  # newest first
    assert list(found["positions"]) == [1, 1]
    core = content(path)["portfolios"][0]
    assert core[1:3] == ("2024-05-01T00:00:00.000Z", "2024-05-01T00:00:02.000Z")
    assert core[4] == "editor"


def test_a_save_that_fails_halfway_leaves_the_portfolio_that_was_there(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(path)
    before = content(path)

    def full(*_arguments: Any) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(store, "insert", full)  # after the row was changed and the old weights were deleted
    with pytest.raises(sqlite3.OperationalError, match="full"):
        save(path, weights={"KO": 1.0})
    assert content(path) == before


@EXAMPLES
@given(
    raw=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8).filter(lambda raw: sum(raw) > 1e-6),
    cash=st.floats(0.0, 0.9),
)
def test_any_long_only_weights_come_back(path: Path, raw: list[float], cash: float) -> None:
    weights = {f"T{i}": (1.0 - cash) * value / math.fsum(raw) for i, value in enumerate(raw)}
    save(path, weights=weights)
    found = weights_of(path)
    assert found == {ticker: weight for ticker, weight in weights.items() if weight >= workspace.NEGLIGIBLE}
    assert 1.0 - sum(found.values()) >= cash - ROUNDING
    save(path, weights=found)
    assert weights_of(path) == found


def test_rounding_of_the_optimiser_is_no_position_and_no_error(path: Path) -> None:
    save(path, weights={"A": 1.0 + 5e-10, "B": 9e-10, "C": -1e-12, "D": 0.0})
    assert weights_of(path) == {"A": 1.0}
    save(path, weights={"A": np.float64(0.5), "B": np.float32(0.25)})
    assert weights_of(path) == {"A": 0.5, "B": 0.25}


@pytest.mark.parametrize("weights", [
    {"A": math.nan}, {"A": math.inf}, {"A": -math.inf}, {"A": -0.01, "B": 0.5}, {"A": 1.1}, {"A": 10**400},
    {"A": 0.6, "B": 0.4 + 1e-8}, {"A": 0.0}, {"A": 9e-10}, {"A": "0.5"}, {"A": None}, {"": 0.5}, {"A\n": 0.5}, {3: 0.5},
    {"\ud800": 0.5},
], ids=repr)  # fmt: skip
def test_weights_that_are_no_portfolio_are_refused(path: Path, weights: Any) -> None:
    with pytest.raises(InputError, match=r"weight|ticker"):
        save(path, weights=weights)
    assert not path.exists()


def test_no_weights_are_refused(path: Path) -> None:
    with pytest.raises(InputError, match="a sum of 0"):
        workspace.save_portfolio(path, "Core", {}, **ORIGIN)


@pytest.mark.parametrize("name", [
    "", " ", " Core", "Core ", "Core\n", "\tCore", "Co\x00re", "Co\x7fre", "\u202eeroC", "Co\u2028re", "\ud800", "x" * 61,
    None, 3, ["Core"],
], ids=ascii)  # fmt: skip
def test_names_that_cannot_be_read_are_refused(path: Path, name: Any) -> None:
    with pytest.raises(InputError, match="name"):
        save(path, name)
    assert not path.exists()


@pytest.mark.parametrize("name", ["x" * 60, "Größe & Wert", "'; DROP TABLE portfolios; --", "<b>Core</b>", "核心"])
def test_any_readable_name_is_only_a_name(path: Path, name: str) -> None:
    save(path)
    save(path, name, {"KO": 0.125})
    assert weights_of(path, name) == {"KO": 0.125}
    workspace.delete_portfolio(path, name)
    assert list(listed(path)["name"]) == ["Core"]


@pytest.mark.parametrize("as_of", ["", "yesterday", "2024-02-30", "2024-1-2"])
def test_the_date_is_a_date(path: Path, as_of: str) -> None:
    with pytest.raises(InputError, match="as_of"):
        save(path, as_of=as_of)


def test_the_database_itself_refuses_what_is_no_portfolio(path: Path) -> None:
    save(path)
    with closing(store.open_writer(path, schema.WORKSPACE)) as connection:
        for statement in (
            "UPDATE portfolio_weights SET weight = 1.5", "UPDATE portfolio_weights SET weight = -0.1",
            "INSERT INTO portfolio_weights VALUES ('nobody', 'A', 0.5)", "DELETE FROM portfolios",
            "UPDATE portfolios SET request = 'points'", "UPDATE portfolios SET as_of = '2024-02-30'",
        ):  # fmt: skip
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(statement)


def test_a_deleted_portfolio_is_gone_with_its_weights(path: Path) -> None:
    save(path)
    save(path, "Other")
    workspace.delete_portfolio(path, "Core")
    assert {row[0] for row in content(path)["portfolio_weights"]} == {"Other"}
    with pytest.raises(MissingDataError, match=r"no portfolio 'Core'\. Saved are: 'Other'\."):
        workspace.delete_portfolio(path, "Core")
    assert list(listed(path)["name"]) == ["Other"]


def test_an_unknown_name_is_answered_with_those_there_are(path: Path) -> None:
    assert listed(path).empty
    with pytest.raises(MissingDataError, match=r"Saved are: \(none\)\."):
        weights_of(path)
    for i in range(LISTED + 2):
        save(path, f"P{i:02d}")
    for unknown in ("core", "\ud800", "x" * 5_000, None, ["P00"]):
        with pytest.raises(MissingDataError, match=r"'P00', 'P01', .*'P24' … \(27 in all\)"):
            weights_of(path, unknown)  # type: ignore[arg-type]


ROWS_OF_VERSION_1 = (
    "INSERT INTO backtesting_results VALUES ('r', 't', 's', '{}', '[]', 'a', 'b', 'd', 'c', 0.1, NULL, -0.2, '{}', '{}')",
    "INSERT INTO jobs VALUES ('j', 'backtest', 'done', 1.0, NULL, 'me', 'c', 'h', 'd', 'r')",
    "INSERT INTO backtesting_equity VALUES ('r', '2024-01-02', 1.0, 1.0, 0.0, NULL, NULL)",
    "INSERT INTO backtesting_questions VALUES ('q', 'r', 'd')",
    "INSERT INTO backtesting_trades VALUES ('r', 1, 'A', 'long', 'a', 1.0, NULL, NULL, 1.0, 0.0, 0.0, 0.0, NULL, NULL, 'x')",
)


@pytest.fixture
def old(path: Path) -> Path:
    """A workspace as the first release made it, with a row in every table."""
    with closing(make("workspace_1", path)) as connection, connection:
        for statement in ROWS_OF_VERSION_1:
            connection.execute(statement)
    return path


def test_a_workspace_of_the_first_release_keeps_every_row_and_takes_portfolios(old: Path) -> None:
    before = content(old)
    assert all(len(rows) == 1 for rows in before.values())
    assert listed(old).empty  # reading alone brings it forward
    save(old)
    after = content(old)
    for name, (row,) in before.items():
        (now,) = after[name]
        assert now[: len(row)] == row
        assert all(value is None for value in now[len(row) :])  # columns of later versions
    assert set(after) - set(before) >= {"portfolios", "portfolio_weights"}
    assert store.faults(old) == []
    assert store.schema_version(old) == schema.VERSIONS[schema.WORKSPACE]


def test_a_backup_of_the_first_release_is_restored(old: Path) -> None:
    before = content(old)
    kept = maintenance.backup(maintenance.workspace(old))
    save(old)
    assert maintenance.restore(maintenance.workspace(old), kept) == kept
    assert content(old) == before
    assert listed(old).empty


def test_portfolios_are_part_of_a_backup(path: Path) -> None:
    save(path)
    maintenance.backup(maintenance.workspace(path))
    workspace.delete_portfolio(path, "Core")
    path.write_bytes(b"not a database any more" * 400)
    maintenance.restore(maintenance.workspace(path))
    assert weights_of(path) == {"MSFT": 0.5, "AAPL": 0.25}
