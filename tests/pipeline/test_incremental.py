"""Thirty nights, one after the other, give what one full rebuild on the last night gives."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from killing import check_whole
from scratch import settings_in
from vendor_nights import FIRST_NIGHT, NIGHTS, Night

from pipeline import schema, sources, store
from pipeline.runner import UpdateRequest, update
from pipeline.steps import _factor_inputs

TOLERANCE = 1e-9  # relative to max(1, |x|): what an incremental result may differ from a rebuild


def use(vendor: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("pipeline.sources", "pipeline.runner", "pipeline.queries.runs"):
        monkeypatch.setattr(f"{module}.SOURCES", dict(sources.SOURCES) | {"nights": vendor.source})


def rows(db: Path, table: Any) -> list[tuple[Any, ...]]:
    order = ", ".join(column.name for column in table.primary_key)
    with closing(sqlite3.connect(db)) as connection:
        return connection.execute(f"SELECT * FROM {table.name} ORDER BY {order}").fetchall()


def assert_equal(left: Path, right: Path) -> None:
    for table in store.CONTENT:
        one, other = rows(left, table), rows(right, table)
        assert len(one) == len(other), f"{table.name}: {len(one)} rows against {len(other)}"
        for first, second in zip(one, other, strict=True):
            for column, a, b in zip(table.columns, first, second, strict=True):
                if isinstance(a, float) and isinstance(b, float):
                    assert abs(a - b) <= TOLERANCE * max(1.0, abs(b)), (table.name, column.name, first, second)
                else:
                    assert a == b, (table.name, column.name, first, second)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_thirty_nights_equal_a_full_rebuild(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vendor = Night(seed)
    use(vendor, monkeypatch)
    nightly, rebuilt = settings_in(tmp_path / "nightly"), settings_in(tmp_path / "rebuilt")
    update(UpdateRequest(source="nights"), settings=nightly)
    recomputed, looked, real = [], [], _factor_inputs.monthly
    monkeypatch.setattr(_factor_inputs, "monthly", lambda *given: looked.append(given) or real(*given))
    for night in range(NIGHTS):
        vendor.session = min(FIRST_NIGHT + night, FIRST_NIGHT + NIGHTS - 1)
        summary = update(UpdateRequest(), settings=nightly)
        recomputed.append({step.label: step.outcome.rows for step in summary.steps})
    assert 1 <= len(looked) <= NIGHTS / 2  # a session within a month moves no fit, and nothing is read for it
    update(UpdateRequest(source="nights"), settings=rebuilt)
    assert_equal(Path(nightly.db), Path(rebuilt.db))
    check_whole(Path(nightly.db))
    # It was incremental: few rows a night, whole histories only where the vendor rewrote one, fits only with new months.
    assert sorted(item["Prices"] for item in recomputed)[NIGHTS // 2] <= 5
    assert sum(item["Factor models"] > 0 for item in recomputed) < NIGHTS / 2
    refetched = {
        name for request in vendor.asked[1:] if not request.last_dates and request.tickers for name in request.tickers
    }
    assert {"AAA", "BBB", "CCC", "SPY"} <= refetched


def test_the_comparison_can_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that keeps too much is caught: here the vendor's rewriting goes unnoticed."""
    vendor = Night(1)
    use(vendor, monkeypatch)
    nightly, rebuilt = settings_in(tmp_path / "nightly"), settings_in(tmp_path / "rebuilt")
    monkeypatch.setattr("pipeline.steps.prices.histories.judge", lambda clean, *_a, **_k: _accept(clean))
    for session in (FIRST_NIGHT, FIRST_NIGHT + NIGHTS - 1):
        vendor.session = session
        update(UpdateRequest(source="nights"), settings=nightly)
    update(UpdateRequest(source="nights"), settings=rebuilt)
    with pytest.raises(AssertionError):
        assert_equal(Path(nightly.db), Path(rebuilt.db))


def _accept(clean: Any) -> Any:
    from pipeline.histories import Verdict

    return Verdict(clean=clean, rejects=clean.head(0)[["ticker", "date"]].assign(reason="", payload=""))


def test_nothing_new_computes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vendor = Night(1)
    use(vendor, monkeypatch)
    settings = settings_in(tmp_path)
    update(UpdateRequest(source="nights"), settings=settings)
    before = rows(settings.db, schema.technical_signals)
    again = update(UpdateRequest(), settings=settings)
    assert {step.label: step.outcome.rows for step in again.steps if step.outcome.rows} == {}
    assert rows(settings.db, schema.technical_signals) == before
