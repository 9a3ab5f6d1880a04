"""Markets given bar by bar, and ledgers written as tables: what the accounts worked out by hand are made of."""

import math

import numpy as np
import pytest
from two_engines import ENGINES, Answer

from analytics.market import FIELDS, Panel

CENT = 0.005  # half a cent: the tables are written in cents (or finer, where an amount is a fraction of one)
NAN = math.nan
both = pytest.mark.parametrize("engine", ENGINES)  # a test of this mark is asked of each


def market(**tickers: list[tuple]) -> Panel:
    """Bars (open, high, low, close[, adj_close[, volume]]) by day, None where there is none; volume unknown unless given."""
    n = len(next(iter(tickers.values())))
    arrays = {name: np.full((n, len(tickers)), NAN) for name in FIELDS}
    for column, bars in enumerate(tickers.values()):
        for row, bar in enumerate(bars):
            if bar is not None:
                for name, value in zip(FIELDS, bar + (bar[3], NAN)[len(bar) - 4 :], strict=True):
                    arrays[name][row, column] = value
    return Panel(np.datetime64("2024-01-01") + np.arange(n), tuple(tickers), **arrays)


def flat(price: float, volume: float = NAN) -> tuple:
    """A day on which nothing moves."""
    return (*[float(price)] * 5, volume)


def table(text: str) -> tuple[list[list[float]], list[str]]:
    """The numbers of each line, and the words after the last bar of those that have one."""
    lines = [line.strip() for line in text.strip().splitlines()[1:]]
    numbers = [[float(cell) for cell in line.split("|")[0].replace(",", "").split()] for line in lines]
    return numbers, [line.split("|")[1].strip() for line in lines if "|" in line]


def assert_fills(answer: Answer, text: str) -> None:
    numbers, reasons = table(text)
    np.testing.assert_allclose(answer.fills, np.array(numbers).reshape(len(numbers), -1), rtol=0, atol=CENT)
    assert answer.reasons == reasons


def assert_paths(answer: Answer, text: str) -> None:
    """Each column by the name in its head, one line per session (the column `day` is for the reader)."""
    names = text.strip().splitlines()[0].split()
    numbers, _ = table(text)
    for name, column in zip(names[1:], np.array(numbers).T[1:], strict=True):
        np.testing.assert_allclose(answer.paths[name], column, rtol=0, atol=CENT, err_msg=name)


def assert_trade(trade: dict, **expected: object) -> None:
    for name, value in expected.items():
        assert trade[name] == (pytest.approx(value, abs=CENT) if isinstance(value, float) else value), name
