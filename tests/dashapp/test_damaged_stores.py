"""T15 and T19: whatever is wrong with a database file, every tab answers with what is wrong and what mends it."""

import logging
import os
import random
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from dispatch import Dispatch, text_of, with_class
from hostile import LEAKS
from opened_page import CONTENT, figure_of, opened, view

from dashapp.pages import PAGES
from pipeline.publish import build_path

PAGE_SIZE, NOBODY = 4_096, 65_534
MENDED_BY = r"make (update|restore|check-data)"


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def root_page(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0])


def overwrite(path: Path, offset: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)


def missing(path: Path) -> None:
    path.unlink()


def empty_file(path: Path) -> None:
    path.write_bytes(b"")


def no_database(path: Path) -> None:
    path.write_bytes(b"not a database " * 1_000)


def garbage_header(path: Path) -> None:
    overwrite(path, 0, random.Random(1).randbytes(100))


def truncated_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def zeroed_prices_page(path: Path) -> None:
    overwrite(path, (root_page(path, "prices") - 1) * PAGE_SIZE, bytes(PAGE_SIZE))


def zeroed_published_page(path: Path) -> None:
    overwrite(path, (root_page(path, "published") - 1) * PAGE_SIZE, bytes(PAGE_SIZE))


def random_512_bytes(path: Path) -> None:
    overwrite(path, (root_page(path, "instruments") - 1) * PAGE_SIZE, random.Random(2).randbytes(512))


def text_that_is_no_text(path: Path) -> None:
    change(path, "PRAGMA foreign_keys=OFF", "UPDATE instruments SET name = CAST(x'fffe41' AS TEXT)")


def missing_table(path: Path) -> None:
    change(path, "PRAGMA foreign_keys=OFF", "DROP TABLE technical_signals")


def older_schema(path: Path) -> None:
    change(path, "PRAGMA user_version=1")


def newer_schema(path: Path) -> None:
    change(path, "PRAGMA user_version=99")


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DEFECTS = (
    missing, empty_file, no_database, garbage_header, truncated_half, zeroed_prices_page, zeroed_published_page, random_512_bytes,
    text_that_is_no_text, missing_table, older_schema, newer_schema, a_folder,
)  # fmt: skip
PARTLY = {  # the tabs that do not need what is damaged
    zeroed_prices_page: {"fundamentals", "frontier", "backtest", "compare", "sensitivity"}, random_512_bytes: {"frontier", "backtest", "compare", "sensitivity"},
    text_that_is_no_text: {"frontier", "backtest", "compare", "sensitivity"}, zeroed_published_page: {"overview", "fundamentals", "frontier"},
}  # fmt: skip


@pytest.fixture
def db(serve: Callable[..., Any], simulated: Any, tmp_path: Path) -> Path:
    path = Path(shutil.copyfile(simulated.db, tmp_path / "data.db"))
    serve(db=path)
    return path


@pytest.mark.parametrize("spoil", DEFECTS, ids=lambda function: function.__name__)
def test_t15_every_tab_says_what_is_wrong_and_what_mends_it(
    db: Path, dispatch: Dispatch, caplog: pytest.LogCaptureFixture, spoil: Callable[[Path], None]
) -> None:
    spoil(db)
    with caplog.at_level(logging.ERROR):
        for page in PAGES:
            assert dispatch.client.get(PAGES[page].path).status_code == 200
            content = opened(dispatch, page, view("SIM001"))
            words = text_of(with_class(content, "empty-state"))
            if page in PARTLY.get(spoil, ()):
                continue
            assert re.search(MENDED_BY, words), f"{page}: {words or text_of(content)[:200]}"
            assert not [leak for leak in (*LEAKS, str(db.parent)) if leak in words], words
        head = text_of(dispatch("shell-badge.children", view("SIM001"))["shell-badge.children"])
        assert spoil in (zeroed_prices_page, text_that_is_no_text) or re.search(MENDED_BY, head), head
        assert dispatch("data-progress.children", view(None))["data-refresh.disabled"] is False
    assert [record.message for record in caplog.records] == []


@pytest.mark.parametrize("spoil", DEFECTS, ids=lambda function: function.__name__)
def test_t15_health_is_503_with_the_reason(db: Path, dispatch: Dispatch, spoil: Callable[[Path], None]) -> None:
    assert dispatch.client.get("/health").status_code == 200
    spoil(db)
    response = dispatch.client.get("/health")
    if spoil is text_that_is_no_text:  # the pages are whole: the checksums of make check-data find it
        assert response.status_code == 200
        return
    assert response.status_code == 503
    assert re.search(MENDED_BY, response.json["reason"])
    assert not [leak for leak in (*LEAKS, str(db.parent)) if leak in response.text]


def test_t15_a_tab_that_cannot_be_shown_leaves_the_others(db: Path, dispatch: Dispatch) -> None:
    zeroed_prices_page(db)
    frontier = opened(dispatch, "frontier", view("SIM001"))  # drawn as stored; the chosen portfolio needs prices
    assert figure_of(frontier)["data"]
    assert "damaged" in text_of(with_class(frontier, "empty-state"))
    assert not with_class(opened(dispatch, "fundamentals", view("SIM001")), "empty-state")


@pytest.mark.parametrize("content", [b"", b"garbage" * 1_000], ids=["empty", "garbage"])
def test_t18_a_damaged_build_database_hides_nothing(db: Path, dispatch: Dispatch, content: bytes) -> None:
    build_path(db).write_bytes(content)
    for page in ("overview", "technical", "fundamentals", "frontier", "data"):
        assert not with_class(opened(dispatch, page, view("SIM001")), "empty-state")
    assert dispatch.client.get("/health").status_code == 200


WORKSPACES: dict[str, Callable[[Path], Any]] = {
    "garbage": no_database, "a market store": lambda path: change(path, "CREATE TABLE x (y)", "PRAGMA user_version=7"),
    "newer": lambda path: change(path, "CREATE TABLE x (y)", "PRAGMA user_version=99"), "a folder": lambda path: path.mkdir(),
}  # fmt: skip


def tables(path: Path) -> Any:
    """What a file holds: its tables, or its bytes where it is no database."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT name, sql FROM sqlite_master").fetchall()
    except sqlite3.Error:
        return path.read_bytes() if path.is_file() else b""


@pytest.mark.parametrize("spoil", WORKSPACES.values(), ids=WORKSPACES)
def test_t15_a_damaged_workspace_is_left_alone_and_explained(
    serve: Callable[..., Any], simulated: Any, dispatch: Dispatch, tmp_path: Path, caplog: pytest.LogCaptureFixture,
    spoil: Callable[[Path], Any],
) -> None:  # fmt: skip
    path = tmp_path / "workspace.db"
    spoil(path)
    serve(db=simulated.db, workspace=path)
    before = tables(path)
    form = view("SIM001") | {
        "backtest-run.n_clicks": 1, "backtest-strategy.value": "technical_vote", "backtest-scope.value": "chosen",
        "backtest-tickers.value": ["SIM001"], "backtest-capital.value": 1000, "backtest-engine.value": "kernel",
        "backtest-shown.data": "0" * 64,
    }  # fmt: skip
    with caplog.at_level(logging.ERROR):
        told = [
            text_of(with_class(opened(dispatch, "backtest", form), "empty-state")),
            text_of(dispatch("backtest-error.children", form)["backtest-error.children"]),
            text_of(with_class(opened(dispatch, "compare", form), "empty-state")),
            text_of(
                with_class(opened(dispatch, "sensitivity", form | {"sensitivity-shown.data": "0" * 64}), "empty-state")
            ),
        ]
        for page in (name for name in CONTENT if name not in ("backtest", "compare", "sensitivity")):
            assert not with_class(opened(dispatch, page, view("SIM001")), "empty-state")
    for words in told:
        assert re.search(r"make restore|[Rr]estore a backup|another file|cannot be opened for writing", words), words
    assert [record.message for record in caplog.records] == []
    assert tables(path) == before


@pytest.fixture
def read_only(simulated: Any) -> Iterator[Path]:
    """A published store in a folder that this process may read and not write: root gives up its right for the while."""
    folder = Path(tempfile.mkdtemp())
    path = Path(shutil.copyfile(simulated.db, folder / "data.db"))
    path.chmod(0o444)
    folder.chmod(0o555)
    is_root = os.geteuid() == 0
    if is_root:
        os.setresuid(NOBODY, NOBODY, 0)
    yield path
    if is_root:
        os.setresuid(0, 0, 0)
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_t19_a_folder_that_cannot_be_written_is_served(
    serve: Callable[..., Any], dispatch: Dispatch, read_only: Path
) -> None:
    with pytest.raises(PermissionError):
        (read_only.parent / "x").write_text("x")
    serve(db=read_only, workspace=read_only.with_name("workspace.db"))
    for page in PAGES:
        words = text_of(with_class(opened(dispatch, page, view("SIM001")), "empty-state"))
        assert not words or page in ("backtest", "compare", "sensitivity")
    shown = opened(dispatch, "backtest", view("SIM001") | {"backtest-shown.data": "0" * 64})
    assert "workspace.db cannot be" in text_of(shown)
    assert dispatch.client.get("/health").status_code == 200
