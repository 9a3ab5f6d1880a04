from collections.abc import Callable
from typing import Any

import pytest

from analytics.errors import InputError, PlumblineError, UnknownKeyError
from analytics.parameters import Parameter
from dashapp import inputs

NUMBER = Parameter("threshold", "Threshold", 3, "votes", 1, 7)
CHOICE = Parameter("votes", "Votes", ("rsi",), "which", choices=("rsi", "macd"))


@pytest.mark.parametrize("ticker", ["A", "BRK-B", "BRK.B", "^GSPC", "EURUSD=X", "0700.HK", "A" * 15])
def test_t37_a_ticker_is_taken_as_it_is(ticker: str) -> None:
    assert inputs.ticker(ticker) == ticker
    assert inputs.tickers([ticker]) == [ticker]


@pytest.mark.parametrize("ticker", [
    "", "aapl", "A" * 16, "AAPL\n", "\nAAPL", "AAPL ", "-A", ".A", "=A", "A/B", "A?b", "A#", "A%20", "../A", "АAPL", "ＡＡＰＬ", "A'",
    "A;", "A\x00", None, 7, ["A"], {"A": 1}, b"A",
])  # fmt: skip
def test_t37_anything_else_is_no_ticker(ticker: Any) -> None:
    with pytest.raises(InputError, match=r"1 to 15 of A-Z"):
        inputs.ticker(ticker)


REFUSED: list[tuple[Callable[[Any], Any], list[Any]]] = [
    (lambda value: inputs.names("f", value, most=2), ["a", ["a", "b", "c"], [["a"]], ["../a"], [None], {"a": 1}, ["a"] * 2_000]),
    (lambda value: inputs.text("f", value, most=3), ["abcd", 1, ["a"], {"a": 1}, False]),
    (lambda value: inputs.choice("f", value, ("a", "b")), ["c", "", None, 1, ["a"], {"a": 1}]),
    (lambda value: inputs.choices("f", value, {"a": 1}), ["a", ["c"], [["a"]], [None], 3, {"a": 1}, ["a"] * 1_001]),
    (lambda value: inputs.whole("f", value, low=1, high=9), [0, 10, 1.0, "1", True, None, [1], 10**30]),
    (lambda value: inputs.number("f", value), ["1", None, "", True, [1], float("nan"), float("inf")]),
    (lambda value: inputs.date("f", value), ["2024-1-1", "20240101", "2024-01-01\n", 20240101, ["2024-01-01"], "٢٠٢٤-٠١-٠١x"]),
    (lambda value: inputs.name("f", value), ["", "x y", "../a", "a" * 65, 7, None, ["a"], "a\n"]),
    (lambda value: inputs.tickers(value), ["A", {"A": 1}, ["a"], [["A"]], 7]),
    (lambda value: inputs.view(value), [None, [], "x", {"range": "9y"}, {"ticker": "A"}, {"range": ["1y"]}]),
    (lambda value: inputs.parameter(NUMBER, value), ["3", [3], None, {}]),
    (lambda value: inputs.parameter(CHOICE, value), ["rsi", ["sma"], [None], 3]),
]  # fmt: skip


@pytest.mark.parametrize(("check", "values"), REFUSED)
def test_t35_what_is_not_allowed_is_refused_in_one_short_sentence(
    check: Callable[[Any], Any], values: list[Any]
) -> None:
    for value in values:
        with pytest.raises(PlumblineError) as told:
            check(value)
        assert "allowed: " in str(told.value)
        assert len(str(told.value)) < 250


def test_names_and_texts_come_back_without_what_is_too_much() -> None:
    assert inputs.names("f", ["a", "b", "a"], most=2) == ("a", "b")
    assert inputs.names("f", None, most=2) == ()
    assert [inputs.text("f", value, most=3) for value in (None, "", " a ", "abc")] == ["", "", "a", "abc"]


def test_what_is_allowed_comes_back() -> None:
    assert inputs.choice("f", "a", ("a", "b")) == "a"
    assert inputs.choices("f", ["b", "a", "b"], {"a": 1, "b": 2}) == [2, 1]
    assert inputs.choices("f", None, {}) == inputs.tickers(None) == []
    assert inputs.whole("f", 9, low=1, high=9) == 9
    assert (repr(inputs.number("f", 3)), inputs.number("f", -0.5)) == ("3", -0.5)
    assert (inputs.date("f", "2024-01-02"), inputs.date("f", ""), inputs.date("f", None)) == ("2024-01-02", None, None)
    assert inputs.name("f", "0f" * 32) == "0f" * 32
    assert inputs.view({"ticker": "A", "range": "1y"}) == ("A", "1y")
    assert inputs.parameter(NUMBER, 4) == 4
    assert inputs.parameter(CHOICE, ["rsi"]) == ["rsi"]


def test_the_nearest_choice_is_suggested() -> None:
    with pytest.raises(UnknownKeyError, match="Did you mean 'candles'"):
        inputs.choice("price as", "candle", ("candles", "line"))


@pytest.mark.parametrize(("value", "words"), [
    ("x" * 5_000, "x" * 40 + "…"), ("short", "short"), (None, "None"), (10**30, str(10**30)), (["x"] * 99, "a list"), ({}, "a dict"),
])  # fmt: skip
def test_a_refused_value_is_repeated_in_few_words(value: Any, words: str) -> None:
    assert inputs.shown(value) == words
