"""Ratings, patterns and the record of the signals in the store: every night as a rebuild would have it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scratch import settings_in
from signal_bars import walk

from analytics.inference import benjamini_hochberg
from analytics.market import FIELDS, Bars
from analytics.scorecard import HORIZONS, bucket_codes, forward_returns, pooled, quarterly_sums, scorecard
from analytics.signals import technical_signals, timeframe_rating
from pipeline import sources
from pipeline.queries import connect, prices
from pipeline.queries import scorecard as scorecard_queries
from pipeline.queries import signals as signal_queries
from pipeline.runner import UpdateRequest, update
from pipeline.sources import FetchRequest, Source, SourceData
from pipeline.sources._frames import fetch_log

TABLES = ("technical_signals", "technical_ratings", "candlestick_patterns", "signal_scorecard")
HOLIDAYS = ("2020-12-25", "2021-01-01", "2021-04-02", "2021-05-31")
FIRST, LAST = "2018-10-01", "2021-06-04"
DAYS = np.arange(np.datetime64(FIRST), np.datetime64(LAST) + 1)
DAYS = DAYS[np.is_busday(DAYS, holidays=list(HOLIDAYS))]
OVERLAP = 12


def histories() -> dict[str, tuple[str, Bars]]:
    """A stock, one that leaves, one of closes, one listed three bars before the end, one that is halted for months."""
    made = {}
    for seed, (ticker, kind) in enumerate((("AAA", "stock"), ("GONE", "stock"), ("CLOSES", "index"), ("NEW", "stock"),
                                           ("HALT", "stock"), ("FUND", "etf"))):  # fmt: skip
        bars = walk(seed, len(DAYS))
        bars = Bars(ticker, DAYS, *(getattr(bars, name) for name in FIELDS))
        if ticker == "CLOSES":
            unknown = np.full(len(DAYS), np.nan)
            bars = Bars(ticker, DAYS, unknown, unknown, unknown, bars.close, bars.adj_close, unknown)
        if ticker == "NEW":
            bars = bars.rows(slice(-3, None))
        if ticker == "HALT":
            bars = bars.rows((np.datetime64("2020-12-10") >= DAYS) | (np.datetime64("2021-02-10") <= DAYS))
        made[ticker] = (kind, bars)
    return made


class Vendor:
    """Shows the bars up to a day; GONE is not heard of after its last day."""

    def __init__(self, today: str, *, gone_after: str = "9999") -> None:
        self.today, self.gone_after, self.all = today, gone_after, histories()
        self.source = Source("vendor", "Vendor", "for the test", self.fetch, incremental=True)

    def fetch(self, request: FetchRequest, _report: Any) -> SourceData:
        frames, names = [], []
        for ticker, (_, bars) in self.all.items():
            if (ticker == "GONE" and self.today > self.gone_after) or ticker not in (request.tickers or self.all):
                continue
            frame = pd.DataFrame({"ticker": ticker, "date": bars.dates.astype(str)} | {
                name: getattr(bars, name) for name in FIELDS
            }).query("date <= @self.today")  # fmt: skip
            known = request.last_dates.get(ticker)
            if known:
                before = frame.index[frame["date"] <= known]
                frame = frame.loc[before[max(0, len(before) - OVERLAP)] :]
            if len(frame):
                frames.append(frame)
                names.append(ticker)
        return SourceData(
            instruments=pd.DataFrame({"ticker": names, "name": names, "kind": [self.all[name][0] for name in names]}),
            prices=pd.concat(frames, ignore_index=True), fetch_log=fetch_log([*((name, "ok", 1, "") for name in names), *(
                (name, "not_found", 0, "") for name in self.all if name not in names and not request.tickers
            )]),
        )  # fmt: skip


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Vendor:
    made = Vendor("2020-12-18")
    for module in ("pipeline.sources", "pipeline.runner", "pipeline.queries.runs"):
        monkeypatch.setattr(f"{module}.SOURCES", dict(sources.SOURCES) | {"vendor": made.source})
    return made


def nights(vendor: Vendor, settings: Any, days: list[str]) -> Any:
    summary = None
    for day in days:
        vendor.today = day
        summary = update(UpdateRequest(source="vendor"), settings=settings)
    return summary


def stored(db: Path, table: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(db)) as connection:
        keys = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[5]]
        return connection.execute(f"SELECT * FROM {table} ORDER BY {', '.join(keys)}").fetchall()


def assert_as_rebuilt(vendor: Vendor, nightly: Any, folder: Path) -> None:
    rebuilt = settings_in(folder / "rebuilt")
    update(UpdateRequest(source="vendor"), settings=rebuilt)
    for table in TABLES:
        assert stored(nightly.db, table) == stored(rebuilt.db, table), table


DECEMBER = ["2020-12-18", "2020-12-23", "2020-12-24", "2020-12-28", "2020-12-30", "2020-12-31", "2021-01-04"]


def test_the_last_week_of_a_year_that_ends_on_a_holiday_is_stored_late(vendor: Vendor, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    nights(vendor, settings, DECEMBER[:-1])
    assert ("AAA", "W", "2020-12-31") not in [row[:3] for row in stored(settings.db, "technical_ratings")]
    assert ("AAA", "M", "2020-12-31") in [row[:3] for row in stored(settings.db, "technical_ratings")]
    nights(vendor, settings, DECEMBER[-1:])
    assert ("AAA", "W", "2020-12-31") in [row[:3] for row in stored(settings.db, "technical_ratings")]
    assert_as_rebuilt(vendor, settings, tmp_path)


def test_a_ticker_that_trades_again_ends_its_old_week_and_month(vendor: Vendor, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    nights(vendor, settings, ["2020-12-18", "2021-01-15", "2021-02-09"])
    assert ("HALT", "W", "2020-12-10") not in [row[:3] for row in stored(settings.db, "technical_ratings")]
    nights(vendor, settings, ["2021-02-10", "2021-02-11"])
    found = [row[:3] for row in stored(settings.db, "technical_ratings")]
    assert ("HALT", "W", "2020-12-10") in found
    assert ("HALT", "M", "2020-12-10") in found
    assert_as_rebuilt(vendor, settings, tmp_path)


def test_many_nights_equal_a_rebuild(vendor: Vendor, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    nights(vendor, settings, ["2020-12-18", "2021-03-31", "2021-04-01", "2021-04-05", "2021-05-28", "2021-06-01",
                              "2021-06-03", "2021-06-04"])  # fmt: skip
    assert_as_rebuilt(vendor, settings, tmp_path)


def test_a_corrected_past_is_computed_again(vendor: Vendor, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    nights(vendor, settings, ["2021-01-04"])
    bars = vendor.all["AAA"][1]
    day = bars.dates == np.datetime64("2020-12-29")
    for name in ("open", "high", "low", "close", "adj_close"):
        getattr(bars, name)[day] *= 1.001
    nights(vendor, settings, ["2021-01-05"])
    assert_as_rebuilt(vendor, settings, tmp_path)


def test_nothing_new_leaves_the_record_alone(vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_in(tmp_path)
    nights(vendor, settings, ["2021-01-04"])
    before = {table: stored(settings.db, table) for table in TABLES}
    monkeypatch.setattr("pipeline.steps.scorecard.gather", lambda *_a: pytest.fail("the record was computed again"))
    summary = nights(vendor, settings, ["2021-01-04"])
    assert {step.label: step.outcome.rows for step in summary.steps if step.outcome.rows} == {}
    assert {table: stored(settings.db, table) for table in TABLES} == before


def test_another_version_of_the_code_judges_anew(
    vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_in(tmp_path)
    nights(vendor, settings, ["2021-01-04"])
    monkeypatch.setattr("pipeline.runner.code_version", lambda: "another")
    summary = nights(vendor, settings, ["2021-01-04"])
    assert {step.label: step.outcome.rows for step in summary.steps}["Signal scorecard"] > 0


def test_patterns_from_a_date_on_hold_that_date(simulated: Any) -> None:
    with connect(simulated.db) as reader:
        every = signal_queries.patterns(reader, "SIM001")
        day = every["date"].iloc[len(every) // 2]
        assert signal_queries.patterns(reader, "SIM001", start=day).equals(
            every[every["date"] >= day].reset_index(drop=True)
        )


def test_the_number_of_processes_changes_no_byte(tmp_path: Path) -> None:
    made = []
    for processes in (1, 2):
        settings = settings_in(
            tmp_path / str(processes), simulated_tickers=17, simulated_years=3, update_processes=processes
        )
        update(UpdateRequest(source="simulated"), settings=settings)
        made.append({table: stored(settings.db, table) for table in TABLES})
    assert made[0] == made[1]
    scopes = {row[0] for row in made[0]["signal_scorecard"]}
    assert scopes > {"stocks", *(f"SIM{number:03d}" for number in range(1, 18))}  # and the index


def record(reader: Any, ticker: str, horizon: int) -> Any:
    bars = prices.bars(reader, ticker)
    sums = quarterly_sums(bars.dates, {horizon: forward_returns(bars, horizon)}, bucket_codes(technical_signals(bars)))
    return sums.get(horizon)


def test_the_pool_holds_all_stocks_those_that_left_too(vendor: Vendor, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    vendor.gone_after = "2020-12-24"
    nights(vendor, settings, ["2020-12-18", "2020-12-31", "2021-01-15", "2021-06-04"])
    with connect(settings.db) as reader:
        listed = {row[0]: row[1] for row in reader.rows("SELECT ticker, active FROM instruments")}
        found = scorecard_queries.scorecard(reader, "stocks")
        for horizon in HORIZONS:
            sums = [record(reader, ticker, horizon) for ticker in ("AAA", "GONE", "HALT", "NEW")]
            total = pooled([item for item in sums if item])
            assert total is not None
            expected = scorecard(total, horizon).sort_values(["signal", "bucket"], ignore_index=True)
            rows = found[found["horizon_days"] == horizon].reset_index(drop=True)
            pd.testing.assert_frame_equal(rows[list(expected)], expected, check_dtype=False)
            bars = prices.bars(reader, "AAA")
            assert rows["first_date"].unique().tolist() == [FIRST]
            assert rows["last_date"].unique().tolist() == [str(bars.dates[-1 - horizon])]
    assert listed["GONE"] == 0


def test_rows_of_odd_tickers(vendor: Vendor, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    nights(vendor, settings, [LAST])
    with connect(settings.db) as reader:
        assert scorecard_queries.scorecard(reader, "NEW").empty  # three bars: no window is over
        assert signal_queries.patterns(reader, "CLOSES").empty
        closes = scorecard_queries.scorecard(reader, "CLOSES")
        assert {"vote_rsi", "vote_sma_50", "overall_signal", "rating_label"} <= set(closes["signal"])
        assert not {"vote_adx", "vote_vwma_20", "vote_stochastic"} & set(closes["signal"])
        newest = signal_queries.timeframe_ratings(reader, "CLOSES")
        for timeframe, row in newest.items():
            expected = timeframe_rating(prices.bars(reader, "CLOSES"), timeframe)
            assert (row["date"], row["rating_label"]) == (str(expected["date"][-1]), expected["rating_label"][-1])
        assert newest["W"]["date"] == LAST
        assert newest["M"]["date"] == "2021-05-28"
        assert signal_queries.timeframe_ratings(reader, "NOBODY") == {}


def test_q_values_are_of_two_families(simulated: Any) -> None:
    with connect(simulated.db) as reader:
        columns = "scope, signal, bucket, horizon_days, p_value, q_value"
        rows = pd.DataFrame(reader.rows(f"SELECT {columns} FROM signal_scorecard"), columns=columns.split(", "))
    for family in (rows["scope"] == "stocks", rows["scope"] != "stocks"):
        part = rows[family].astype({"p_value": float, "q_value": float})
        np.testing.assert_array_equal(part["q_value"], benjamini_hochberg(part["p_value"]))
        assert part["p_value"].notna().sum() > 100


def test_a_history_too_short_for_any_signal_does_not_stop_the_update(vendor: Vendor, tmp_path: Path) -> None:
    vendor.all = {"NEW": ("stock", histories()["AAA"][1].rows(slice(0, 8)))}
    settings = settings_in(tmp_path)
    summary = nights(vendor, settings, ["2018-10-10"])
    assert summary.run_id
    with connect(settings.db) as reader:
        card = scorecard_queries.scorecard(reader, "NEW")
    assert set(card["horizon_days"]) <= {5}
