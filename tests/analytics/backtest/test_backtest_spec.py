"""The question is checked before any data is read."""

import math
import pickle
from dataclasses import asdict, fields, replace

import pytest

from analytics import conventions
from analytics.backtest import BacktestSpec, Costs, Rules
from analytics.backtest.strategies import STRATEGIES
from analytics.backtest.terms import COSTS, FREE, LONG_SHORT, RULES
from analytics.conventions import INITIAL_CAPITAL, MAX_POSITION, VOTE_THRESHOLD
from analytics.errors import InputError, UnknownKeyError
from analytics.indicators import VOTES

NUMBERS = [
    (kind, item) for kind, items in ((Costs, COSTS), (Rules, RULES)) for item in items if math.isfinite(item.maximum)
]


@pytest.mark.parametrize(("kind", "item"), NUMBERS, ids=[item.name for _, item in NUMBERS])
def test_a_number_out_of_bounds_is_refused_with_what_is_allowed(kind, item):
    for value in (item.minimum - 1e-9, item.maximum * 1.001, math.nan, math.inf, -math.inf, "much", [0.1], 10**400):
        with pytest.raises(InputError, match=rf"{item.name}: got .*; allowed: a number from {item.minimum:g} to"):
            kind(**{item.name: value})
    for value in (item.minimum, item.maximum, str(item.maximum)):
        assert getattr(kind(**{item.name: value}), item.name) == float(value)


@pytest.mark.parametrize(("kind", "items"), [(Costs, COSTS), (Rules, RULES)])
def test_every_field_is_declared_with_its_default_and_a_label_and_a_help(kind, items):
    assert {item.name: item.default for item in items} == asdict(kind())
    assert all(item.label and item.help for item in items)
    assert [item.name for item in items] == [item.name for item in fields(kind)]


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=lambda strategy: strategy.key)
def test_no_parameter_of_a_strategy_has_the_name_of_a_cost_or_a_rule(strategy):
    """They are stored side by side: one of them would hide the other."""
    taken = {item.name for item in (*COSTS, *RULES)} | {"initial_capital", "engine"}
    assert not taken & {item.name for item in strategy.parameters}


def test_what_trading_costs_by_default_is_the_convention():
    named = (
        "fee_rate",
        "half_spread",
        "slippage_rate",
        "impact_coefficient",
        "impact_exponent",
        "participation_cap",
        "borrow_rate",
    )
    for name in named:
        assert getattr(Costs(), name) == getattr(conventions, name.upper())
    free = asdict(Costs(**FREE))
    assert {name for name, value in free.items() if value} == {"impact_exponent"}


def test_no_rule_is_on_by_default_but_interest_and_the_position_limit():
    on = {name: value for name, value in asdict(Rules()).items() if value}
    assert on == {"direction": "long_only", "cash_interest": True}


@pytest.mark.parametrize(("n_tickers", "limit"), [(1, 1.0), (2, 0.5), (5, MAX_POSITION), (100, MAX_POSITION)])
def test_the_position_limit_is_a_fifth_or_an_equal_share_unless_it_is_set(n_tickers, limit):
    assert Rules().position_limit(n_tickers) == limit
    assert Rules(max_position=0.07).position_limit(n_tickers) == 0.07


def test_direction_and_switch_are_checked():
    assert Rules(direction=LONG_SHORT, cash_interest="off") == Rules(direction=LONG_SHORT, cash_interest=False)
    with pytest.raises(UnknownKeyError, match="Did you mean 'long_short'"):
        Rules(direction="long-short")
    with pytest.raises(InputError, match="cash_interest: got 'perhaps'; allowed: true or false"):
        Rules(cash_interest="perhaps")


@pytest.mark.parametrize(
    "capital",
    [0, -1, 0.99, 1.1e12, math.nan, math.inf, "a lot", None, [1], 10**400, -(10**400), True, False],
    ids=lambda capital: f"{capital!r:.12}",
)
def test_capital_must_be_an_amount_within_bounds(capital):
    with pytest.raises(
        InputError, match=r"initial_capital: got .*; allowed: an amount in USD from 1 to 1,000,000,000,000"
    ):
        BacktestSpec(initial_capital=capital)


def test_end_before_start_is_refused():
    with pytest.raises(InputError, match="end: got '2020-01-01'; allowed: a date on or after the start, 2020-01-02"):
        BacktestSpec(start="2020-01-02", end="2020-01-01")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"strategy": "technical_votes"}, "Did you mean 'technical_vote'"),
        ({"parameters": {"treshold": 2}}, "Did you mean 'threshold'"),
        ({"parameters": {"votes": ["sna"]}}, "Did you mean 'sma'"),
        ({"engine": "vectorbot"}, "Did you mean 'vectorbt'"),
    ],
)
def test_unknown_names_suggest_the_nearest(given, message):
    with pytest.raises(UnknownKeyError, match=message):
        BacktestSpec(**given)


@pytest.mark.parametrize("name", ["strategy", "engine"])
@pytest.mark.parametrize("nonsense", [["kernel"], {"kernel"}, {}, None, 7, 1.5, b"kernel", ("kernel",)])
def test_what_can_be_no_name_is_refused_as_an_unknown_one(name, nonsense):
    with pytest.raises(UnknownKeyError, match=f"{name}: got .*; allowed: "):
        BacktestSpec(**{name: nonsense})


@pytest.mark.parametrize("direction", [["long_only"], {"long_only": 1}, 1, True])
def test_what_can_be_no_direction_is_refused(direction):
    with pytest.raises(InputError, match="direction: got "):
        Rules(direction=direction)


VOTING = ("technical_vote", "filter", "sized", "threshold", "beta_aware", "frontier_timed")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_more_votes_than_voters_are_refused_before_any_data_is_read(strategy):
    chosen = {"threshold": 3, "votes": ["rsi", "sma"]}
    assert (strategy in VOTING) == ({"threshold", "votes"} <= {item.name for item in STRATEGIES[strategy].parameters})
    if strategy not in VOTING:
        BacktestSpec(strategy=strategy)
        return
    with pytest.raises(InputError, match="threshold: got 3; allowed: at most the number of voting indicators, 2"):
        BacktestSpec(strategy=strategy, parameters=chosen)
    lower = {"lower_threshold": 1} if strategy == "threshold" else {}
    BacktestSpec(strategy=strategy, parameters=chosen | {"threshold": 2} | lower)


def test_a_lower_threshold_above_the_other_is_refused_before_any_data_is_read():
    with pytest.raises(InputError, match="lower_threshold: got 4; allowed: at most the votes needed, 3"):
        BacktestSpec(strategy="threshold", parameters={"threshold": 3, "lower_threshold": 4})


KNOWN_TO_VECTORBT = {"costs": Costs(**FREE), "rules": Rules(cash_interest=False)}


@pytest.mark.parametrize(
    ("costs", "rules", "named"),
    [
        ({"impact_coefficient": 0.01}, {}, "market impact"), ({"participation_cap": 0.1}, {}, "participation cap"),
        ({"borrow_rate": 0.01}, {"direction": LONG_SHORT}, "borrow fee"), ({}, {"drawdown_halt": 0.2}, "drawdown halt"),
        ({}, {"cash_interest": True}, "interest on cash"), ({}, {"stop_loss": 0.1, "trailing_stop": 0.1}, "trailing stop"),
        ({"impact_coefficient": 0.01, "participation_cap": 0.1}, {"cash_interest": True}, "market impact, participation cap, interest on cash"),
    ],
)  # fmt: skip
def test_vectorbt_is_refused_what_it_does_not_know_in_words_of_the_form(costs, rules, named):
    asked = {
        "costs": replace(KNOWN_TO_VECTORBT["costs"], **costs), "rules": replace(KNOWN_TO_VECTORBT["rules"], **rules),
    }  # fmt: skip
    message = f"engine: got 'vectorbt with {named}'; .*Set them to 0 or switch them off, or choose the other engine"
    with pytest.raises(InputError, match=message):
        BacktestSpec(engine="vectorbt", **asked)
    BacktestSpec(engine="kernel", **asked)
    BacktestSpec(engine="vectorbt", **KNOWN_TO_VECTORBT)


def test_vectorbt_takes_a_borrow_rate_where_nothing_can_be_sold_short_and_either_stop_alone():
    costs = Costs(**FREE | {"borrow_rate": 0.01})
    for rules in ({}, {"stop_loss": 0.1}, {"trailing_stop": 0.1}, {"stop_loss": 0.1, "take_profit": 0.2}):
        spec = BacktestSpec(engine="vectorbt", costs=costs, rules=Rules(cash_interest=False, **rules))
        assert (spec.engine, spec.costs.borrow_rate) == ("vectorbt", 0.01)


@pytest.mark.parametrize("threshold", [0, len(VOTES) + 1, 2.5, "many"])
def test_the_threshold_is_a_whole_number_of_votes(threshold):
    with pytest.raises(InputError, match="threshold: got"):
        BacktestSpec(parameters={"threshold": threshold})


def test_values_are_canonical():
    spec = BacktestSpec(initial_capital="5000", parameters={"votes": "sma,rsi", "threshold": "1"})
    assert spec.initial_capital == 5000.0
    assert spec.parameters == {"threshold": 1, "votes": ("rsi", "sma"), "indicator_parameters": ""}
    assert BacktestSpec(strategy="buy_and_hold").initial_capital == INITIAL_CAPITAL
    assert BacktestSpec().engine == "kernel"
    assert BacktestSpec(parameters={"votes": "sma,rsi,macd"}).parameters["threshold"] == VOTE_THRESHOLD
    assert Costs(fee_rate="0.001") == Costs(fee_rate=0.001)
    assert pickle.loads(pickle.dumps(spec)) == spec  # it travels to a worker
