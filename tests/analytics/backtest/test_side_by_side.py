"""Runs side by side: their common sessions, curves from one base, and their correlation."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from analytics.backtest.side_by_side import BASE, side_by_side
from analytics.backtest.tear_sheet import Record
from analytics.errors import InputError, MissingDataError

ROUNDING = 1e-12  # relative: a few multiplications of doubles
CAPITAL = 1_000.0


def record(start: str, returns: list[float], *, benchmark: list[float] | None = None, risk_free: float = 0.0) -> Record:
    """An account over business days that earned these simple returns."""
    n = len(returns)
    dates = np.busday_offset(start, np.arange(n), roll="forward").astype(str)
    grown = [CAPITAL * np.cumprod(1 + np.array(values)) for values in (returns, benchmark or [0.01] * n)]
    return Record.of(
        pd.DataFrame({"date": dates, "equity": grown[0], "benchmark": grown[1], "risk_free": risk_free}), CAPITAL
    )


def test_curves_begin_at_the_first_common_close_by_hand() -> None:
    early, late = record("2024-01-01", [0.5, 0.1, 0.2, -0.1]), record("2024-01-02", [0.3, 0.0, 0.1, 0.4])
    found = side_by_side({"early": early, "late": late}, {"held": late})
    assert found.dates.astype(str).tolist() == ["2024-01-02", "2024-01-03", "2024-01-04"]
    assert found.curves["early"].tolist() == pytest.approx([100.0, 120.0, 108.0], rel=ROUNDING)
    assert found.curves["late"].tolist() == pytest.approx([100.0, 100.0, 110.0], rel=ROUNDING)
    assert found.curves["held"].tolist() == pytest.approx([100.0, 101.0, 102.01], rel=ROUNDING)
    assert found.returns["early"].tolist() == pytest.approx([0.1, 0.2, -0.1], rel=1e-9)


def test_the_correlation_is_numpy_s() -> None:
    rng = np.random.default_rng(3)
    drawn = rng.normal(0, 0.01, (3, 80))
    found = side_by_side({str(place): record("2024-01-01", list(row)) for place, row in enumerate(drawn)}, {})
    assert found.correlation.to_numpy() == pytest.approx(np.corrcoef(drawn), abs=1e-9)


def test_the_correlation_with_what_stands_still_is_unknown() -> None:
    found = side_by_side(
        {"still": record("2024-01-01", [0.0] * 5), "moving": record("2024-01-01", [0.1, -0.1, 0.2, 0.0, 0.1])}, {}
    )
    assert np.isnan(found.correlation.loc["still", "moving"])


def test_the_risk_free_rate_is_that_of_whichever_run_knows_it() -> None:
    unknown, known = (
        record("2024-01-01", [0.1] * 4, risk_free=float("nan")),
        record("2024-01-02", [0.1] * 4, risk_free=0.0002),
    )
    assert side_by_side({"a": unknown, "b": known}, {}).risk_free.tolist() == [0.0002] * 3


def test_a_benchmark_does_not_narrow_the_sessions() -> None:
    gap = record("2024-01-01", [0.1] * 4, benchmark=[0.01, float("nan"), 0.01, 0.01])
    found = side_by_side({"run": gap}, {"held": gap})
    assert len(found.dates) == 4
    assert found.curves["run"].notna().all()
    assert found.curves["held"].isna().sum() == 3


@pytest.mark.parametrize(("runs", "benchmarks"), [({}, {}), ({"a": 1}, {"a": 1})], ids=["none", "a name twice"])
def test_runs_need_names_of_their_own(runs: dict[str, int], benchmarks: dict[str, int]) -> None:
    one = record("2024-01-01", [0.1] * 4)
    with pytest.raises(InputError, match="each name once"):
        side_by_side(dict.fromkeys(runs, one), dict.fromkeys(benchmarks, one))


def test_runs_without_common_sessions_say_so() -> None:
    with pytest.raises(MissingDataError, match="share 0 sessions"):
        side_by_side({"a": record("2020-01-01", [0.1] * 4), "b": record("2024-01-01", [0.1] * 4)}, {})


@hypothesis_settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-0.5, 0.5), min_size=3, max_size=30), st.integers(0, 5), st.floats(0.01, 100))
def test_curves_follow_from_the_returns_whatever_the_capital(returns: list[float], later: int, scale: float) -> None:
    one = record("2024-01-01", returns)
    other = record(str(np.busday_offset("2024-01-01", min(later, len(returns) - 2))), returns)
    scaled = Record(
        CAPITAL * scale, one.dates, one.equity * scale, one.benchmark * scale, one.returns, one.benchmark_returns,
        one.risk_free_returns, one.traded * scale,
    )  # fmt: skip
    found, again = side_by_side({"one": one, "other": other}, {}), side_by_side({"one": scaled, "other": other}, {})
    np.testing.assert_allclose(found.curves, again.curves, rtol=1e-9)
    assert (found.curves.iloc[0] == BASE).all()
    grown = (1 + found.returns.iloc[1:]).cumprod() * BASE
    np.testing.assert_allclose(found.curves.iloc[1:], grown, rtol=1e-9)
