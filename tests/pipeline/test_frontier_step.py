"""The window, the rate and the left-out of the frontier step, on a folder made for the purpose."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.queries import connect, frontier
from pipeline.runner import UpdateRequest, update

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
