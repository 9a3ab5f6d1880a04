"""Every preset is a question that can be asked, and differs from the defaults where it says so."""

import pytest

from analytics.backtest import BacktestSpec, Costs, Rules
from analytics.backtest.presets import PRESETS
from analytics.backtest.strategies import STRATEGIES


@pytest.mark.parametrize("key", list(PRESETS))
def test_a_preset_can_be_asked_of_the_engine(key: str) -> None:
    preset = PRESETS[key]
    strategies = [preset.strategy] if preset.strategy else list(STRATEGIES)
    for strategy in strategies:
        spec = BacktestSpec(
            strategy=strategy, parameters=preset.parameters, engine="kernel", costs=Costs(**preset.costs), rules=Rules(**preset.rules),
        )  # fmt: skip
        for name, value in preset.parameters.items():
            assert spec.parameters[name] == (tuple(sorted(value)) if isinstance(value, tuple) else value)
        for name, value in {**preset.costs, **preset.rules}.items():
            assert getattr(spec.costs if name in preset.costs else spec.rules, name) == value


def test_only_the_defaults_change_nothing() -> None:
    plain = [key for key, item in PRESETS.items() if not (item.strategy or item.costs or item.rules)]
    assert plain == ["defaults"]
    assert all(item.strategy or not item.parameters for item in PRESETS.values())


def test_before_costs_nothing_is_charged() -> None:
    costs = Costs(**PRESETS["before_costs"].costs)
    charged = {name: value for name, value in vars(costs).items() if name != "impact_exponent"}
    assert set(charged.values()) == {0.0}
