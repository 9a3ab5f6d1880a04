"""The stored factor fits: what was known when, what is made anew, and the joint tests."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scratch import settings_in
from tolerances import EXACT

from analytics.factor_models import fit_factor_models, grs_test
from analytics.returns import monthly_returns
from pipeline.queries import connect, factors, prices
from pipeline.runner import UpdateRequest, update
from pipeline.steps import factor_models

TICKERS, KEY = ["AAA", "BBB", "CCC"], ["ticker", "model", "frequency", "window_months", "as_of"]


def market(
    folder: Path, *, until: str = "2021-12-31", poison: float = 1.0, seed: int = 3, daily_until: str = "2099-12-31"
) -> Path:
    """Write 11 years of prices and factors as a csv source; everything after `until` is dropped, or × poison."""
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2010-01-01", "2022-06-30")
    market_returns = rng.normal(0.0004, 0.01, len(days))
    (folder / "prices").mkdir(parents=True, exist_ok=True)
    (folder / "ff").mkdir(exist_ok=True)
    late = days > until
    for ticker in TICKERS:
        close = 50 * np.cumprod(1 + 0.9 * market_returns + rng.normal(0, 0.012, len(days)))
        rows = pd.DataFrame({"date": days.date, "close": np.round(np.where(late, close * poison, close), 4)})
        rows[~late if poison == 1.0 else late | ~late].to_csv(folder / "prices" / f"{ticker}.csv", index=False)
    _write_factors(folder / "ff", days, market_returns, rng, until, poison)
    daily = folder / "ff" / "F-F_Research_Data_Factors_daily.csv"
    kept = [
        line
        for line in daily.read_text().splitlines()
        if not line[:8].isdigit() or line[:8] <= daily_until.replace("-", "")
    ]
    daily.write_text("\n".join(kept) + "\n\n")
    return folder


def _write_factors(
    folder: Path, days: pd.DatetimeIndex, market_returns: Any, rng: np.random.Generator, until: str, poison: float
) -> None:
    daily = pd.DataFrame({"Mkt-RF": 100 * market_returns, "SMB": rng.normal(0, 0.5, len(days)),
                          "HML": rng.normal(0, 0.5, len(days)), "RF": 0.005}, index=days)  # fmt: skip
    months = daily.resample("ME").sum()
    for name, frame, form in (
        ("F-F_Research_Data_Factors_daily", daily, "%Y%m%d"),
        ("F-F_Research_Data_Factors", months, "%Y%m"),
    ):
        shown = frame.copy()
        shown.loc[shown.index > until] *= poison
        shown = shown if poison != 1.0 else shown[shown.index <= until]
        lines = [f"{date.strftime(form)}," + ",".join(f"{x:.4f}" for x in row) for date, row in zip(shown.index, shown.to_numpy(), strict=True)]  # fmt: skip
        (folder / f"{name}.csv").write_text("Made by a test.\n\n,Mkt-RF,SMB,HML,RF\n" + "\n".join(lines) + "\n\n")


def stored(settings: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    with connect(settings.db) as reader:
        found = [pd.concat([query(reader, ticker, model, window) for ticker in TICKERS for model in ("capm", "ff3") for window in (0, 60)])
                 for query in (factors.fit_history, factors.loading_history)]  # fmt: skip
    return found[0], found[1]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = settings_in(tmp_path_factory.mktemp("whole"))
    update(UpdateRequest(source="csv", path=market(Path(made.db).parent / "source")), settings=made)
    return made


@pytest.mark.parametrize("poison", [1.0, 1.5])
def test_no_fit_known_on_a_date_changes_with_what_comes_after(whole: Any, tmp_path: Path, poison: float) -> None:
    """The market up to 2019 alone, and with everything after it changed: what was known at its end is the same."""
    other, until = settings_in(tmp_path), "2019-12-31"
    update(UpdateRequest(source="csv", path=market(tmp_path / "source", until=until, poison=poison)), settings=other)
    known_until = (pd.Timestamp(until) + pd.Timedelta(days=45)).strftime("%Y-%m-%d")
    latest_only = [
        "alpha_q",
        "beta_vasicek",
        "break_p",
        "break_date",
        "chow_p",
        "chow_date",
    ]  # which look at other tickers, and are of the latest fit
    for mine, theirs in zip(stored(whole), stored(other), strict=True):
        order = [*KEY, *(["factor"] if "factor" in mine else [])]
        frames = [frame[frame["as_of"] <= known_until].drop(columns=latest_only, errors="ignore").sort_values(order, ignore_index=True)
                  for frame in (mine, theirs)]  # fmt: skip
        assert len(frames[0]) > 500
        pd.testing.assert_frame_equal(*frames, rtol=0, atol=EXACT)


def test_the_month_ends_and_the_latest_fits_of_all_models_are_kept(whole: Any) -> None:
    with connect(whole.db) as reader:
        latest, ends = factors.latest_fits(reader, "AAA"), factors.fit_history(reader, "AAA", "capm", 60)
        assert set(latest["frequency"]) == {"M", "D"}
        assert set(latest["model"]) == {"capm", "ff3"}  # the source has no five-factor file
        assert set(latest["window_months"]) == {0, 120, 60, 36}
        assert len(ends) == 144 - 1 - 23  # months with a return, less those before the 24th
        assert len(factors.fit_history(reader, "AAA", "capm", 36)) == 1
        known = factors.known_fit(reader, "AAA", "capm", 60, "2018-05-15").iloc[0]
    assert (known["as_of"], known["sample_end"]) == ("2018-04-30", "2018-02-28")


def test_latest_fits_hold_what_analytics_says(whole: Any) -> None:
    with connect(whole.db) as reader:
        closes, monthly = prices.month_end_closes(reader, TICKERS), factors.factor_returns(reader, "M")
        found = factors.latest_fits(reader, "BBB").query("frequency == 'M'")
    returns = monthly_returns(closes)
    expected = fit_factor_models(returns[returns.index <= monthly.index[-1]], monthly)[0].query("ticker == 'BBB'")
    order = ["model", "window_months"]
    pd.testing.assert_frame_equal(
        found.sort_values(order, ignore_index=True), expected.sort_values(order, ignore_index=True)[list(found.columns)],
        check_dtype=False, rtol=0, atol=EXACT,
    )  # fmt: skip


def test_a_new_month_touches_the_last_years_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, asked = settings_in(tmp_path), []
    real = factor_models.month_end_fits
    monkeypatch.setattr(factor_models, "month_end_fits", lambda *given, **named: asked.append((list(given[0]), named["since"])) or real(*given, **named))  # fmt: skip
    folder = market(tmp_path / "source", until="2021-10-31")
    update(UpdateRequest(source="csv", path=folder), settings=made)
    market(folder, until="2021-11-30")
    update(UpdateRequest(), settings=made)
    update(UpdateRequest(), settings=made)  # nothing new: nothing is fitted
    assert [(names, since.year) for names, since in asked] == [(TICKERS, 2009), (TICKERS, 2019)]
    again = settings_in(tmp_path / "again")
    update(UpdateRequest(source="csv", path=folder), settings=again)
    for mine, theirs in zip(stored(made), stored(again), strict=True):
        pd.testing.assert_frame_equal(mine, theirs)


def test_old_month_ends_are_retired(tmp_path: Path) -> None:
    made = settings_in(tmp_path, keep_fit_years=3)
    update(UpdateRequest(source="csv", path=market(tmp_path / "source")), settings=made)
    fits, loadings = stored(made)
    assert fits["as_of"].min() == loadings["as_of"].min() == "2018-01-31"


def test_a_new_year_retires_the_oldest(tmp_path: Path) -> None:
    nightly, rebuilt = (settings_in(tmp_path / name, keep_fit_years=3) for name in ("nightly", "rebuilt"))
    folder = market(tmp_path / "source", until="2020-12-31")
    update(UpdateRequest(source="csv", path=folder), settings=nightly)
    market(folder, until="2021-02-28")
    update(UpdateRequest(), settings=nightly)
    update(UpdateRequest(source="csv", path=folder), settings=rebuilt)
    for mine, theirs in zip(stored(nightly), stored(rebuilt), strict=True):
        assert mine["as_of"].min()[:4] == "2018"
        pd.testing.assert_frame_equal(mine, theirs)


def every_fit(settings: Any) -> pd.DataFrame:
    with connect(settings.db) as reader:
        return reader.frame("SELECT * FROM factor_model_fits ORDER BY ticker, model, frequency, window_months, as_of")


def assert_as_rebuilt(nightly: Any, folder: Path, tmp_path: Path) -> None:
    rebuilt = settings_in(tmp_path / "rebuilt")
    update(UpdateRequest(source="csv", path=folder), settings=rebuilt)
    pd.testing.assert_frame_equal(every_fit(nightly), every_fit(rebuilt), rtol=0, atol=EXACT)


def test_newest_fits_that_were_old_leave_nothing_behind(tmp_path: Path) -> None:
    """The daily file ended years before the monthly one, and then came."""
    made = settings_in(tmp_path / "nightly")
    folder = market(tmp_path / "source", daily_until="2016-06-30")
    update(UpdateRequest(source="csv", path=folder), settings=made)
    assert every_fit(made).query("frequency == 'D'")["as_of"].max() == "2016-08-31"
    market(folder)
    update(UpdateRequest(), settings=made)
    assert every_fit(made).query("frequency == 'D'")["as_of"].min() > "2021"
    assert_as_rebuilt(made, folder, tmp_path)


def test_a_window_that_a_gap_has_emptied_has_no_fit_left(tmp_path: Path) -> None:
    made = settings_in(tmp_path / "nightly")
    folder = market(tmp_path / "source")
    path = folder / "prices" / "CCC.csv"
    rows = pd.read_csv(path)
    rows[rows["date"] <= "2014-03-10"].to_csv(path, index=False)
    update(UpdateRequest(source="csv", path=folder), settings=made)
    rows[(rows["date"] <= "2014-03-10") | (rows["date"] >= "2021-10-10")].to_csv(path, index=False)
    update(UpdateRequest(), settings=made)
    assert_as_rebuilt(made, folder, tmp_path)


def test_the_joint_test_follows_the_universe(tmp_path: Path) -> None:
    made = settings_in(tmp_path / "nightly")
    folder = market(tmp_path / "source")
    update(UpdateRequest(source="csv", path=folder), settings=made)
    (folder / "prices" / "CCC.csv").unlink()  # it keeps its history and leaves the universe
    update(UpdateRequest(), settings=made)
    with connect(made.db) as reader:
        assert set(factors.joint_tests(reader)["n_tickers"]) == {2}


def test_another_lag_and_revised_factors_make_all_anew(tmp_path: Path) -> None:
    made = settings_in(tmp_path / "nightly")
    folder = market(tmp_path / "source")
    update(UpdateRequest(source="csv", path=folder), settings=made)
    before = every_fit(made)
    later = dataclasses.replace(made, publication_lag_days=80)
    update(UpdateRequest(), settings=later)
    after = every_fit(later)
    assert len(after) == len(before)
    assert (after["as_of"].to_numpy() > before["as_of"].to_numpy()).all()
    path = folder / "ff" / "F-F_Research_Data_Factors.csv"
    path.write_text(path.read_text().replace("\n201203,", "\n201203,9"))  # one month of one factor, long ago
    update(UpdateRequest(), settings=later)
    rebuilt = settings_in(tmp_path / "rebuilt", publication_lag_days=80)
    update(UpdateRequest(source="csv", path=folder), settings=rebuilt)
    pd.testing.assert_frame_equal(every_fit(later), every_fit(rebuilt), rtol=0, atol=EXACT)
    assert not np.allclose(every_fit(later)["alpha"], after["alpha"])


def test_a_price_within_a_month_of_a_year_that_is_over_moves_the_daily_fits(tmp_path: Path) -> None:
    made = settings_in(tmp_path / "nightly")
    folder = market(tmp_path / "source")
    update(UpdateRequest(source="csv", path=folder), settings=made)
    path = folder / "prices" / "BBB.csv"
    rows = pd.read_csv(path)
    rows.loc[rows["date"] == "2014-07-15", "close"] *= 1.02
    rows.to_csv(path, index=False)
    before = every_fit(made).query("ticker == 'BBB'")
    update(UpdateRequest(), settings=made)
    after = every_fit(made).query("ticker == 'BBB'")
    moved = before["alpha"].to_numpy() != after["alpha"].to_numpy()
    assert set(after[moved]["frequency"]) == {"D"}
    assert_as_rebuilt(made, folder, tmp_path)


def test_the_joint_test_leaves_out_who_is_not_complete_and_says_so(tmp_path: Path) -> None:
    made = settings_in(tmp_path)
    folder = market(tmp_path / "source")
    for ticker, kept in (("BBB", slice("2018-01-01", None)), ("CCC", slice(None, "2015-06-30"))):
        path = folder / "prices" / f"{ticker}.csv"
        rows = pd.read_csv(path).set_index("date")
        rows.loc[kept].reset_index().to_csv(path, index=False)
    update(UpdateRequest(source="csv", path=folder), settings=made)
    with connect(made.db) as reader:
        tests = factors.joint_tests(reader).set_index(["model", "window_months"])
        alpha = (
            factors.latest_fits(reader, "AAA")
            .query("frequency == 'M' and model == 'capm' and window_months == 60")["alpha"]
            .iloc[0]
        )
    row = tests.loc[("capm", 60)]
    assert (row["n_tickers"], row["sample_end"], row["as_of"]) == (1, "2021-12-31", "2022-02-28")
    assert row["message"] == "without BBB, CCC: not complete over the window"
    assert row["mean_abs_alpha"] == pytest.approx(abs(alpha), rel=1e-9)
    whole_history = tests.loc[("capm", 0)]
    assert (whole_history["n_tickers"], whole_history["sample_start"]) == (2, "2018-02-28")
    assert whole_history["message"] == "without CCC: not known to the end of the sample"


def test_the_joint_test_is_that_of_the_common_sample(whole: Any) -> None:
    with connect(whole.db) as reader:
        tests = factors.joint_tests(reader).set_index(["model", "window_months"])
        closes, monthly = prices.month_end_closes(reader, TICKERS), factors.factor_returns(reader, "M")
    row = tests.loc[("ff3", 60)]
    excess = monthly_returns(closes).sub(monthly["rf"], axis=0).dropna().iloc[-60:]
    expected = grs_test(excess.to_numpy(), monthly.loc[excess.index, ["mkt_rf", "smb", "hml"]].to_numpy())
    assert (row["n_obs"], row["n_tickers"], row["message"]) == (60, 3, "")
    assert row["statistic"] == pytest.approx(expected.statistic, rel=EXACT)
    assert row["p_value"] == pytest.approx(expected.p_value, rel=EXACT)


def test_too_many_stocks_for_the_sample_are_said(tmp_path: Path) -> None:
    """Thirty stocks over three years: no test of 36 - 1 months with the factors, but the reason."""
    made = settings_in(tmp_path, simulated_tickers=40, simulated_years=3)
    update(UpdateRequest(source="simulated"), settings=made)
    with connect(made.db) as reader:
        tests = factors.joint_tests(reader)
    assert tests["statistic"].isna().all()
    assert tests["message"].str.contains("more observations than tickers and factors").all()
