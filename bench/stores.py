"""Throw-away folders, the stores in them, simulated data in memory, and the commands run as a user runs them."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import config

OK = (0, 3)  # exit codes of an update that published: complete, partial


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="plumbline-bench-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def built(folder: Path, source: str, **overrides: Any) -> Any:
    """Return settings of a store of `source`, freshly built in `folder`."""
    from pipeline.runner import UpdateRequest, update

    files = {"db": folder / "data.db", "workspace": folder / "workspace.db", "cache_dir": folder / "cache"}
    settings = config.load_settings({}, **files, **overrides)
    update(UpdateRequest(source=source), settings=settings)
    return settings


def simulated(tickers: int, years: int) -> Any:
    """Return the simulated market as a source delivers it, with the prices of the stocks alone."""
    from pipeline.sources import SOURCES, FetchRequest

    settings = config.load_settings({}, simulated_tickers=tickers, simulated_years=years)
    data = SOURCES["simulated"].fetch(FetchRequest(settings=settings), lambda *_: None)
    stocks = data.instruments.loc[data.instruments["kind"] == "stock", "ticker"]
    return replace(data, prices=data.prices[data.prices["ticker"].isin(stocks)])


def as_bars(prices: Any) -> dict[str, Any]:
    """Return {ticker: Bars} of a long frame of prices."""
    from analytics.market import FIELDS, Bars

    return {
        ticker: Bars(ticker, rows["date"].to_numpy().astype("datetime64[D]"), *(rows[name].to_numpy(float) for name in FIELDS))
        for ticker, rows in prices.groupby("ticker")
    }  # fmt: skip


def environment(folder: Path) -> Mapping[str, str]:
    """Return the environment of a command: nobody's own settings, its private files in `folder`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(config.PREFIX)}
    return kept | {"PLUMBLINE_CACHE_DIR": str(folder / "cache"), "PYTHONPATH": str(config.ROOT)}


def update_command(folder: Path, *options: str, standard: bool = False) -> None:
    """Run `python -m pipeline update` into folder/data.db; raises RuntimeError where it did not publish.

    standard: with the standard backtests that follow it.
    """
    stores = ["--db", str(folder / "data.db"), "--workspace", str(folder / "workspace.db")]
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "update", *stores, *options],
        cwd=config.ROOT, env={**environment(folder), **({} if standard else {"PLUMBLINE_STANDARD_SECONDS": "0"})},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode not in OK:
        raise RuntimeError(f"update ended with {done.returncode}: {done.stderr[-500:]}")
