"""The engine of record against the event simulation, which was written from the rules alone."""

from collections import Counter
from functools import cache

import numpy as np
import pytest
from tolerances import PARITY
from two_engines import FILL_COLUMNS, PATHS, Answer, ask
from wild_strategies import wild_question

SEEDS = range(20)
TEXT = ("ticker", "direction", "entry_date", "exit_date", "reason")
SEVERAL = 3  # of the 20 that a rule must decide something in


@cache
def simulated(seed: int) -> Answer:
    return ask("simulation", wild_question(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_engine_equals_the_event_simulation(seed):
    mine, theirs = simulated(seed), ask("engine", wild_question(seed))
    assert theirs.reasons == mine.reasons
    for i, name in enumerate(FILL_COLUMNS):
        np.testing.assert_allclose(theirs.fills[:, i], mine.fills[:, i], rtol=PARITY, atol=PARITY, err_msg=name)
    for name in PATHS:
        np.testing.assert_allclose(theirs.paths[name], mine.paths[name], rtol=PARITY, atol=PARITY, err_msg=name)
    assert len(theirs.trades) == len(mine.trades)
    for engine_trade, trade in zip(theirs.trades, mine.trades, strict=True):
        for name, value in trade.items():
            expected = value if name in TEXT else pytest.approx(value, rel=PARITY, abs=PARITY)
            assert engine_trade[name] == expected, (name, trade)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_trades_add_up_to_what_the_account_gained_beside_its_interest(seed):
    question, answer = wild_question(seed), simulated(seed)
    gained = answer.paths["equity"][-1] - question.initial_capital - answer.paths["interest"].sum()
    assert sum(trade["pnl"] for trade in answer.trades) == pytest.approx(gained, rel=PARITY, abs=1e-4)


def test_every_rule_decides_something_in_several_of_the_strategies():
    seen = Counter()
    for seed in SEEDS:
        question, answer = wild_question(seed), simulated(seed)
        seen.update(set(answer.reasons))
        columns = dict(zip(FILL_COLUMNS, answer.fills.T, strict=True))
        seen.update(name for name in ("fee", "spread", "slippage", "impact", "borrow") if columns[name].any())
        seen["interest"] += answer.paths["interest"].any()
        ended = {(trade["ticker"], trade["exit_date"]) for trade in answer.trades}
        seen["through zero"] += any((trade["ticker"], trade["entry_date"]) in ended for trade in answer.trades)
        asked = set(zip(question.orders.row, question.orders.column, strict=True))
        signals = [fill for fill, reason in zip(answer.fills, answer.reasons, strict=True) if reason == "signal"]
        seen["remainder"] += any((fill[0], fill[1]) not in asked for fill in signals)
    assert {name: count for name, count in seen.items() if count < SEVERAL} == {}
    assert len(seen) == 7 + 5 + 3, seen
