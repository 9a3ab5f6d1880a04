import dataclasses
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scratch import settings_in

from analytics.errors import InputError, UnknownKeyError
from pipeline import schema, steps, store
from pipeline.errors import CheckError, LockedError, SourceError, StoreError
from pipeline.publish import build_path
from pipeline.queries import connect, instruments
from pipeline.queries import prices as price_queries
from pipeline.queries import runs as run_queries
from pipeline.runner import UpdateRequest, update
from pipeline.workspace import prepare


def contents(db: Path) -> dict[str, tuple[int, str]]:
    """Rows and checksum of every table of the published run: the canonical dump, without run ids and times."""
    with connect(db) as reader:
        run = run_queries.published_run(reader)
        tables = run_queries.table_rows(reader, run["run_id"])
    return {row.table_name: (row.rows, row.checksum) for row in tables.itertuples()}


def run_of(db: Path) -> dict[str, Any]:
    with connect(db) as reader:
        return run_queries.published_run(reader)


def write_folder(folder: Path, *, last_close: float = 12.0, sessions: int = 300) -> Path:
    """A csv folder of two close-only tickers."""
    (folder / "prices").mkdir(parents=True, exist_ok=True)
    days = [str(day) for day in np.busday_offset("2020-01-01", range(sessions), roll="forward")]
    for ticker, base in (("AAA", 10.0), ("BBB", 20.0)):
        closes = [base + (i % 7) * 0.1 for i in range(sessions - 1)] + [last_close]
        text = "Date,Close\n" + "".join(f"{day},{close}\n" for day, close in zip(days, closes, strict=True))
        with gzip.open(folder / "prices" / f"{ticker}.csv.gz", "wt") as file:
            file.write(text)
    return folder


def test_a_first_update_publishes_one_complete_run(simulated: Any) -> None:
    run = run_of(simulated.db)
    assert (run["source"], run["status"]) == ("simulated", "complete")
    with connect(simulated.db) as reader:
        ran = run_queries.run_steps(reader, run["run_id"])
    order = ran["step"].tolist()
    assert sorted(order[1:-1]) == [
        "factor_models",
        "frontier",
        "quality",
        "scorecard",
        "technical_signals",
        "walk_forward",
    ]
    assert order.index("scorecard") > order.index("technical_signals")
    assert (order[0], order[-1]) == ("prices", "checks")
    assert set(ran["status"]) == {"complete"}
    rows = contents(simulated.db)
    for table in (
        "instruments",
        "prices",
        "technical_signals",
        "factor_model_fits",
        "factor_loadings",
        "frontier_points",
        "frontier_weights",
        "frontier_walk_forward",
    ):
        assert rows[table][0] > 0, table
    assert rows["prices"][0] == rows["technical_signals"][0]
    with connect(simulated.db) as reader:
        fitted = {row[0] for row in reader.rows("SELECT DISTINCT ticker FROM factor_model_fits")}
        assert fitted == set(
            instruments.stock_tickers(reader)
        )  # an index leaves out dividends: no model is fitted to it


def test_the_same_source_gives_the_same_bytes(settings: Any, tmp_path: Path) -> None:
    other = settings_in(tmp_path / "other", simulated_tickers=6, simulated_years=3)
    for made in (settings, other):
        update(UpdateRequest(source="simulated"), settings=made)
    assert contents(settings.db) == contents(other.db)


def test_a_second_update_changes_nothing_where_nothing_changed(settings: Any, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "folder")
    update(UpdateRequest(source="csv", path=folder), settings=settings)
    before = contents(settings.db)
    again = update(UpdateRequest(), settings=settings)  # the source and its folder are remembered
    assert again.source == "csv"
    assert {step.label: step.outcome.rows for step in again.steps}["Prices"] == 0
    assert contents(settings.db) == before


def test_only_what_changed_is_recomputed_and_equals_a_full_rebuild(settings: Any, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "folder", sessions=290)
    update(UpdateRequest(source="csv", path=folder), settings=settings)
    write_folder(folder, sessions=300)
    bbb = folder / "prices" / "BBB.csv.gz"
    bbb.unlink()
    night = update(UpdateRequest(), settings=settings)
    assert "1 changed" in night.steps[0].outcome.message
    with connect(settings.db) as reader:
        assert price_queries.last_dates(reader)["BBB"] < price_queries.last_dates(reader)["AAA"]  # its history is kept
        assert reader.rows("SELECT ticker, active FROM instruments") == [("AAA", 1), ("BBB", 0)]
    write_folder(folder, sessions=300)
    update(UpdateRequest(), settings=settings)
    incremental = contents(settings.db)
    update(UpdateRequest(full=True), settings=settings)
    assert contents(settings.db) == incremental


def test_a_line_taken_out_of_a_file_is_taken_out_of_the_store(settings: Any, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "folder", sessions=300)
    update(UpdateRequest(source="csv", path=folder), settings=settings)
    write_folder(folder, sessions=299)
    update(UpdateRequest(), settings=settings)
    shorter = contents(settings.db)
    assert {step.label: step.outcome.rows for step in update(UpdateRequest(), settings=settings).steps}["Prices"] == 0
    update(UpdateRequest(full=True), settings=settings)
    assert contents(settings.db) == shorter


def test_another_folder_is_another_store(settings: Any, tmp_path: Path) -> None:
    update(UpdateRequest(source="csv", path=write_folder(tmp_path / "one")), settings=settings)
    other = write_folder(tmp_path / "two")
    (other / "prices" / "BBB.csv.gz").rename(other / "prices" / "CCC.csv.gz")
    update(UpdateRequest(source="csv", path=other), settings=settings)
    with connect(settings.db) as reader:
        assert sorted(price_queries.last_dates(reader)) == ["AAA", "CCC"]


def test_naming_another_source_rebuilds_from_empty(settings: Any, tmp_path: Path) -> None:
    update(UpdateRequest(source="simulated"), settings=settings)
    update(UpdateRequest(source="csv", path=write_folder(tmp_path / "folder")), settings=settings)
    with connect(settings.db) as reader:
        assert sorted(price_queries.last_dates(reader)) == ["AAA", "BBB"]
    assert run_of(settings.db)["source"] == "csv"


def test_tickers_limit_the_fetch_and_delete_nothing(settings: Any, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "folder")
    update(UpdateRequest(source="csv", path=folder), settings=settings)
    write_folder(folder, last_close=15.0)
    update(UpdateRequest(tickers=("AAA",)), settings=settings)
    with connect(settings.db) as reader:
        assert price_queries.bars(reader, "AAA").close[-1] == 15.0
        assert price_queries.bars(reader, "BBB").close[-1] == 12.0


@pytest.mark.parametrize("broken", ["technical_signals", "checks"])
def test_a_failed_update_changes_nothing_and_says_where(
    settings: Any, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    update(UpdateRequest(source="simulated"), settings=settings)
    before, run = Path(settings.db).read_bytes(), run_of(settings.db)

    def fail(_context: Any) -> Any:
        raise CheckError("planted")

    monkeypatch.setattr(
        steps,
        "STEPS",
        {key: dataclasses.replace(step, run=fail) if key == broken else step for key, step in steps.STEPS.items()},
    )
    with pytest.raises(CheckError, match="planted"):
        update(UpdateRequest(full=True), settings=settings)
    assert Path(settings.db).read_bytes() == before
    failed = run_queries.update_state(settings.db, published=run)
    assert (failed["state"], failed["step"], failed["message"]) == ("failed", broken, "planted")


def test_a_store_that_fails_its_checks_is_not_published(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    update(UpdateRequest(source="simulated"), settings=settings)
    real = steps.STEPS["technical_signals"]

    def forget_one(context: Any) -> Any:
        outcome = real.run(context)
        store.delete(context.connection, schema.technical_signals, ticker="SIM001")
        return outcome

    monkeypatch.setattr(
        steps, "STEPS", dict(steps.STEPS) | {"technical_signals": dataclasses.replace(real, run=forget_one)}
    )
    run = run_of(settings.db)
    with pytest.raises(CheckError, match=r"technical_signals has .* rows, and checksums for"):
        update(UpdateRequest(full=True), settings=settings)
    assert run_of(settings.db) == run


def test_a_second_update_at_once_is_refused(settings: Any) -> None:
    with store.exclusive(Path(settings.db)), pytest.raises(LockedError):
        update(UpdateRequest(source="simulated"), settings=settings)
    assert not Path(settings.db).exists()


def test_bad_requests_are_refused_before_anything_changes(settings: Any, tmp_path: Path) -> None:
    with pytest.raises(UnknownKeyError, match="Did you mean 'sample'"):
        update(UpdateRequest(source="smaple"), settings=settings)
    with pytest.raises(InputError, match="YYYY-MM-DD"):
        update(UpdateRequest(source="simulated", start="01/02/2020"), settings=settings)
    with pytest.raises(SourceError, match="no-such-folder"):
        update(UpdateRequest(source="csv", path=tmp_path / "no-such-folder"), settings=settings)
    assert not Path(settings.db).exists()


@pytest.mark.parametrize("name", ["db", "build"])
def test_a_file_that_is_not_ours_is_never_overwritten(settings: Any, name: str) -> None:
    path = Path(settings.db) if name == "db" else build_path(Path(settings.db))
    path.write_bytes(b"my thesis" * 1000)
    with pytest.raises(StoreError, match="not a store made by Plumbline"):
        update(UpdateRequest(source="simulated", full=True), settings=settings)
    assert path.read_bytes() == b"my thesis" * 1000


def test_a_workspace_is_never_overwritten(settings: Any, tmp_path: Path) -> None:
    prepare(settings.workspace)
    before = Path(settings.workspace).read_bytes()
    with pytest.raises(InputError, match="another file than the workspace"):
        update(UpdateRequest(source="simulated"), settings=settings_in(tmp_path, db=settings.workspace))
    with pytest.raises(StoreError, match="nothing was changed"):
        update(UpdateRequest(source="simulated"), settings=settings_in(tmp_path / "x", db=settings.workspace))
    assert Path(settings.workspace).read_bytes() == before


@pytest.mark.parametrize("place", ["folder", "below a file"])
def test_a_place_that_cannot_hold_a_database_is_named(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("x")
    db = tmp_path if place == "folder" else tmp_path / "file" / "data.db"
    with pytest.raises(StoreError, match=r"is a folder|cannot be written"):
        update(UpdateRequest(source="simulated"), settings=settings_in(tmp_path / "s", db=db))


def test_a_store_that_is_ours_but_damaged_is_rebuilt(settings: Any) -> None:
    update(UpdateRequest(source="simulated"), settings=settings)
    content = bytearray(Path(settings.db).read_bytes())
    for page in range(1, len(content) // 4096, 3):
        content[page * 4096 : page * 4096 + 512] = bytes(512)
    Path(settings.db).write_bytes(content)
    update(UpdateRequest(source="simulated", full=True), settings=settings)
    assert run_of(settings.db)["status"] == "complete"


def test_changed_code_recomputes_every_signal(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_folder(tmp_path / "folder")
    update(UpdateRequest(source="csv", path=folder), settings=settings)
    monkeypatch.setattr("pipeline.runner.code_version", lambda: "another")
    summary = {step.label: step.outcome.message for step in update(UpdateRequest(), settings=settings).steps}
    assert summary["Technical signals"] == "2 of 2 tickers recomputed"


def test_readers_keep_reading_while_a_run_is_published(settings: Any) -> None:
    update(UpdateRequest(source="simulated"), settings=settings)
    with connect(settings.db) as reader:
        first = run_queries.published_run(reader)
        update(UpdateRequest(full=True), settings=settings)
        assert run_queries.published_run(reader) == first  # this response still sees its own run
        assert reader.one("SELECT count(*) FROM prices")[0] > 0
    assert run_of(settings.db) != first


def test_build_path_lies_beside_the_store() -> None:
    assert build_path(Path("/x/data.db")) == Path("/x/build.db")
    assert build_path(Path("/x/other.db")) == Path("/x/other.build.db")


def test_parameters_of_the_run_are_kept(settings: Any) -> None:
    update(UpdateRequest(source="simulated", full=True), settings=settings)
    assert run_of(settings.db)["parameters"] == json.loads(
        '{"full": true, "path": null, "start": null, "tickers": null}'
    )
