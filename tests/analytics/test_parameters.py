"""A declared parameter: numbers, selections, one of several, switches and texts, each in one canonical form."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.errors import InputError, UnknownKeyError
from analytics.parameters import LONGEST_TEXT, Parameter, resolve

SHARE = Parameter("share", "Share", 0.5, "of the account", minimum=0, maximum=1)
DAYS = Parameter("days", "Days", 20, "how many", minimum=1, maximum=250)
VOTES = Parameter("votes", "Votes", ("rsi",), "which", choices=("rsi", "sma", "macd"))
SIDE = Parameter("side", "Side", "long_only", "which way", one_of=("long_only", "long_short"))
ON = Parameter("on", "On", default=True, help="whether")
NAME = Parameter("name", "Name", "", "a text", parse=str.strip)
ALL = (SHARE, DAYS, VOTES, SIDE, ON, NAME)


@pytest.mark.parametrize("value", [True, 1, 1.0, "true", "True", "1", "on", "ON"])
def test_a_switch_is_on(value):
    assert ON.check(value) is True


@pytest.mark.parametrize("value", [False, 0, 0.0, "false", "FALSE", "0", "off"])
def test_a_switch_is_off(value):
    assert ON.check(value) is False


@pytest.mark.parametrize("value", ["", "yes", 2, -1, 0.5, math.nan, None, b"on"])
def test_a_switch_is_nothing_else(value):
    with pytest.raises(InputError, match=r"on: got .*; allowed: true or false"):
        ON.check(value)


@pytest.mark.parametrize("value", ["long_only", "long_short"])
def test_one_of_several_is_taken_as_it_is(value):
    assert SIDE.check(value) == value
    assert type(SIDE.check(value)) is str


@pytest.mark.parametrize("value", ["", "LONG_ONLY", "long", None, 0, True, ("long_only",), b"long_only"])
def test_one_of_several_is_no_other(value):
    with pytest.raises(UnknownKeyError):
        SIDE.check(value)


def test_a_slip_of_the_pen_is_named():
    with pytest.raises(UnknownKeyError, match="Did you mean 'long_short'"):
        SIDE.check("long_shrt")


@pytest.mark.parametrize("value", [[], {}, ["long_only"], {"a": 1}, [True]], ids=repr)
@pytest.mark.parametrize("item", ALL, ids=lambda item: item.name)
def test_what_a_browser_may_send_is_refused_with_an_error_of_ours(item, value):
    with pytest.raises((InputError, UnknownKeyError)):
        item.check(value)


def test_a_number_is_whole_where_its_default_is():
    assert DAYS.check("20") == 20
    assert type(DAYS.check(20.0)) is int
    assert SHARE.check("0.25") == 0.25
    with pytest.raises(InputError, match=r"days: got 20\.5; allowed: a whole number"):
        DAYS.check(20.5)
    for value in (math.nan, math.inf, -0.1, 1.1, "half", None, 10**400):
        with pytest.raises(InputError, match=r"share: got .*; allowed: a number from 0 to 1"):
            SHARE.check(value)


def test_a_selection_is_sorted_and_without_repeats():
    assert VOTES.check("sma,rsi,sma") == VOTES.check(["sma", "rsi"]) == ("rsi", "sma")
    with pytest.raises(InputError, match="Choose at least one"):
        VOTES.check([])
    for value in (7, 0.5, True):
        with pytest.raises(InputError, match="votes: got"):
            VOTES.check(value)


def test_a_text_is_parsed_and_bounded():
    assert NAME.check("  a ") == "a"
    with pytest.raises(InputError, match=f"a text of up to {LONGEST_TEXT} characters"):
        NAME.check("a" * (LONGEST_TEXT + 1))


def test_what_is_not_given_has_its_default():
    assert resolve(ALL, {}) == {
        "share": 0.5, "days": 20, "votes": ("rsi",), "side": "long_only", "on": True, "name": "",
    }  # fmt: skip
    assert resolve(ALL, {"on": None, "side": None})["on"] is True
    assert resolve(ALL, {"on": False})["on"] is False
    with pytest.raises(UnknownKeyError, match="Did you mean 'days'"):
        resolve(ALL, {"day": 3})


@given(st.fixed_dictionaries({}, optional={
    "share": st.floats(0, 1), "days": st.integers(1, 250), "votes": st.sets(st.sampled_from(VOTES.choices), min_size=1),
    "side": st.sampled_from(SIDE.one_of), "on": st.booleans(),
}))  # fmt: skip
def test_canonical_values_stay_as_they_are(given):
    once = resolve(ALL, given)
    assert resolve(ALL, once) == once
