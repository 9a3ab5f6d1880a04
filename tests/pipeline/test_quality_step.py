"""The flags and the score of a ticker, against days that were planted."""

from pathlib import Path

import pandas as pd
import pandas_market_calendars
import pytest
from scratch import settings_in

from pipeline.queries import connect, quality
from pipeline.runner import UpdateRequest, update

SESSIONS = pandas_market_calendars.get_calendar("NYSE").schedule("2023-01-01", "2023-12-31").index.strftime("%Y-%m-%d")


def table() -> pd.DataFrame:
    """A sound year of a ticker: 250 sessions that all differ."""
    close = [100 + (number * 7 % 11) / 10 for number in range(len(SESSIONS))]
    frame = pd.DataFrame({"Date": SESSIONS, "Close": close, "Volume": range(1_000, 1_000 + len(SESSIONS))})
    for name, factor in (("Open", 1.0), ("High", 1.01), ("Low", 0.99), ("Adj Close", 1.0)):
        frame[name] = frame["Close"] * factor
    return frame


def flags_and_score(tmp_path: Path, frame: pd.DataFrame, dividends: str = "") -> tuple[dict[str, list[str]], pd.Series]:
    """Return {check: days} and the row of scores after an update."""
    folder = tmp_path / "csv"
    (folder / "prices").mkdir(parents=True)
    frame.to_csv(folder / "prices" / "AAA.csv", index=False)
    if dividends:
        (folder / "actions").mkdir()
        (folder / "actions" / "AAA_dividends.csv").write_text("Date,Dividends\n" + dividends)
    settings = settings_in(tmp_path)
    update(UpdateRequest(source="csv", path=folder), settings=settings)
    with connect(settings.db) as reader:
        flags, scores = quality.flags(reader, "AAA"), quality.scores(reader)
    return {str(check): sorted(days["date"]) for check, days in flags.groupby("check_name")}, scores.iloc[0]


def test_a_sound_ticker_has_no_flag_and_a_full_score(tmp_path: Path) -> None:
    flags, score = flags_and_score(tmp_path, table())
    assert flags == {}
    assert (score["score"], score["sessions"]) == (1.0, len(SESSIONS))


def test_missing_repeated_and_jumping_days_are_flagged_and_lower_the_score(tmp_path: Path) -> None:
    frame = table()
    prices = ["Open", "High", "Low", "Close", "Adj Close"]
    frame.loc[60, prices] = frame.loc[59, prices].to_numpy()  # repeats the session before
    frame.loc[180:, prices] *= 1.45  # a move that stays
    frame.loc[len(frame)] = frame.loc[220].to_dict() | {"Date": SESSIONS[220]}  # twice
    flags, score = flags_and_score(tmp_path, frame.drop(index=[100, 101]))
    assert flags == {
        "missing session": [SESSIONS[100], SESSIONS[101]], "stale bar": [SESSIONS[60]], "jump": [SESSIONS[180]],
    }  # fmt: skip
    assert score[["sessions", "missing_sessions", "stale_sessions", "jumps", "rejected_rows"]].tolist() == [
        len(SESSIONS) - 2, 2, 1, 1, 1,
    ]  # fmt: skip
    assert score["score"] == pytest.approx(1 - 5 / (len(SESSIONS) + 1), abs=1e-12)


def test_a_bar_on_a_holiday_is_flagged_and_a_ticker_of_another_calendar_misses_nothing(tmp_path: Path) -> None:
    holiday = table().loc[10].to_dict() | {"Date": "2023-07-04"}
    frame = pd.concat([table(), pd.DataFrame([holiday])], ignore_index=True)
    flags, score = flags_and_score(tmp_path / "holiday", frame)
    assert flags == {"not a session": ["2023-07-04"]}
    assert score["score"] == 1.0
    weekdays = pd.bdate_range("2023-01-02", "2023-12-29").strftime("%Y-%m-%d").drop(["2023-05-01", "2023-12-27"])
    other = pd.concat([table()] * 2, ignore_index=True).head(len(weekdays)).assign(Date=weekdays)
    flags, score = flags_and_score(tmp_path / "other", other)
    assert "missing session" not in flags
    assert score["missing_sessions"] == 0


@pytest.mark.parametrize(("paid", "flagged"), [(0.50, False), (0.5004, False), (0.51, True), (5.0, True)])
def test_t8_a_dividend_that_the_adjusted_closes_do_not_contain_is_flagged(
    tmp_path: Path, paid: float, flagged: bool
) -> None:
    frame, at = table(), 120
    frame.loc[: at - 1, "Adj Close"] *= 1 - 0.50 / frame.loc[at - 1, "Close"]
    flags, score = flags_and_score(tmp_path, frame, f"{SESSIONS[at]},{paid}\n")
    assert flags == ({"dividend": [SESSIONS[at]]} if flagged else {})
    assert score["score"] == 1.0
