"""What the prices step does when a vendor that is asked for news alone rewrites what it said before."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from pipeline import sources
from pipeline.errors import SourceError
from pipeline.queries import connect, prices
from pipeline.runner import UpdateRequest, update
from pipeline.sources import FetchRequest, Source, SourceData

DATES = [str(day.date()) for day in pd.bdate_range("2023-01-02", periods=320)]


def bars(ticker: str, closes: list[float], adjusted: list[float] | None = None, *, start: str = "") -> pd.DataFrame:
    frame = pd.DataFrame(
        {"ticker": ticker, "date": DATES[: len(closes)], "close": closes, "adj_close": adjusted or closes}
    )
    for name in ("open", "high", "low", "volume"):
        frame[name] = float("nan")
    return frame[frame["date"] >= start]


class Vendor:
    """A vendor that brings only what is new, from ten sessions before the last stored date."""

    def __init__(self) -> None:
        self.history = {name: [base + i % 9 for i in range(300)] for name, base in (("AAA", 50.0), ("BBB", 80.0))}
        self.asked: list[FetchRequest] = []
        self.splits: list[tuple[str, str, str, float]] = []
        self.away: set[str] = set()

    def fetch(self, request: FetchRequest, _report: Any) -> SourceData:
        self.asked.append(request)
        wanted = [name for name in self.history if request.tickers is None or name in request.tickers]
        frames = []
        for name in wanted:
            last = request.last_dates.get(name)
            start = DATES[max(0, DATES.index(last) - 10)] if last else ""
            frames.append(bars(name, self.history[name], start=start))
        names = pd.DataFrame({"ticker": wanted, "name": wanted, "kind": "stock"})
        frames = [frame for frame, name in zip(frames, wanted, strict=True) if name not in self.away]
        status = ["timeout" if name in self.away else "ok" for name in wanted]
        log = pd.DataFrame({"ticker": wanted, "status": status, "rows": 1, "message": ""})
        actions = pd.DataFrame(self.splits, columns=["ticker", "date", "kind", "value"])
        found = {"prices": pd.concat(frames)} if frames else {}
        return SourceData(instruments=names, actions=actions, fetch_log=log, **found)


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Vendor:
    made = Vendor()
    source = Source("vendor", "Vendor", "for the test", made.fetch, incremental=True)
    for module in ("pipeline.sources", "pipeline.runner"):
        monkeypatch.setattr(f"{module}.SOURCES", dict(sources.SOURCES) | {"vendor": source})
    return made


def stored(db: Any, ticker: str) -> list[float]:
    with connect(db) as reader:
        return prices.bars(reader, ticker).close.tolist()


def test_only_news_and_an_overlap_are_fetched(settings: Any, vendor: Vendor) -> None:
    update(UpdateRequest(source="vendor"), settings=settings)
    for name in vendor.history:
        vendor.history[name] += [55.0, 56.0]
    night = update(UpdateRequest(), settings=settings)
    assert vendor.asked[-1].last_dates == {"AAA": DATES[299], "BBB": DATES[299]}
    assert len(vendor.asked) == 2
    assert night.steps[0].outcome.rows == 2 * 2  # the overlap is as it was
    assert stored(settings.db, "AAA") == vendor.history["AAA"]


def test_a_rewritten_history_is_fetched_whole(settings: Any, vendor: Vendor) -> None:
    update(UpdateRequest(source="vendor"), settings=settings)
    vendor.history["AAA"] = [close / 4 for close in vendor.history["AAA"]] + [13.0]
    vendor.splits = [("AAA", DATES[300], "split", 4.0)]
    vendor.history["BBB"] += [81.0]
    update(UpdateRequest(), settings=settings)
    assert vendor.asked[-1].tickers == ("AAA",)
    assert vendor.asked[-1].last_dates == {}
    assert stored(settings.db, "AAA") == vendor.history["AAA"]
    assert stored(settings.db, "BBB") == vendor.history["BBB"]


def test_a_history_rescaled_without_a_split_is_not_believed(settings: Any, vendor: Vendor) -> None:
    update(UpdateRequest(source="vendor"), settings=settings)
    before = list(vendor.history["AAA"])
    vendor.history["AAA"] = [close / 4 for close in before] + [13.0]
    vendor.history["BBB"] += [81.0]
    night = update(UpdateRequest(), settings=settings)
    assert night.partial
    assert "kept as they were: AAA" in night.steps[0].outcome.message
    assert stored(settings.db, "AAA") == before
    assert stored(settings.db, "BBB") == vendor.history["BBB"]
    with connect(settings.db) as reader:
        refused = reader.frame("SELECT ticker, date, reason FROM rejects ORDER BY date")
    assert set(refused["ticker"]) == {"AAA"}
    assert refused["date"].tolist() == DATES[289:301]
    assert refused["reason"].str.startswith("history rescaled without a split: closes are ×0.25").all()


def test_a_bar_refused_later_is_taken_out(settings: Any, vendor: Vendor) -> None:
    vendor.history["AAA"] += [130.0]  # nobody can tell yet
    update(UpdateRequest(source="vendor"), settings=settings)
    assert stored(settings.db, "AAA")[-1] == 130.0
    vendor.history["AAA"] += [52.0, 53.0]
    update(UpdateRequest(), settings=settings)
    assert 130.0 not in stored(settings.db, "AAA")
    assert stored(settings.db, "AAA")[-2:] == [52.0, 53.0]


def test_a_ticker_that_answers_nothing_keeps_its_history(
    settings: Any, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    update(UpdateRequest(source="vendor"), settings=settings)
    real = vendor.fetch

    def silent(request: FetchRequest, report: Any) -> SourceData:
        data = real(request, report)
        log = data.fetch_log.assign(status=["ok", "empty"], message=["", "unknown"])
        return replace(data, prices=data.prices[data.prices["ticker"] == "AAA"], fetch_log=log)

    source = replace(sources.SOURCES["vendor"], fetch=silent)
    monkeypatch.setattr("pipeline.runner.SOURCES", {"vendor": source})
    summary = update(UpdateRequest(), settings=settings)
    assert summary.partial
    assert "nothing came for: BBB" in summary.steps[0].outcome.message
    assert stored(settings.db, "BBB") == vendor.history["BBB"]
    with connect(settings.db) as reader:
        assert reader.one("SELECT active FROM instruments WHERE ticker = 'BBB'") == (1,)


@pytest.mark.parametrize(("away", "tolerated", "required", "said"), [
    ({"AAA"}, 0.5, (), None), ({"AAA"}, 0.4, (), "1 of 2 tickers did not come"), ({"BBB"}, 1.0, ("BBB",), "BBB did not come"),
    ({"AAA"}, 1.0, ("BBB",), None), ({"AAA", "BBB"}, 0.5, (), "2 of 2 tickers did not come"),
])  # fmt: skip
def test_t5_too_little_publishes_nothing_and_one_missing_ticker_is_partial(
    settings: Any, vendor: Vendor, monkeypatch: pytest.MonkeyPatch, away: set[str], tolerated: float, required: tuple[str, ...],
    said: str | None,
) -> None:  # fmt: skip
    update(UpdateRequest(source="vendor"), settings=settings)
    strict = replace(sources.SOURCES["vendor"], tolerated=tolerated, required=required)
    for module in ("pipeline.sources", "pipeline.runner"):
        monkeypatch.setattr(f"{module}.SOURCES", dict(sources.SOURCES) | {"vendor": strict})
    vendor.away = away
    for name in vendor.history:
        vendor.history[name] += [55.0]
    if said is None:
        assert update(UpdateRequest(), settings=settings).partial
    else:
        with pytest.raises(SourceError, match=said):
            update(UpdateRequest(), settings=settings)
    stayed = {name for name in vendor.history if len(stored(settings.db, name)) == 300}
    assert stayed == (away if said is None else set(vendor.history))
