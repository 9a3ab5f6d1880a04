"""The set of indicators: its contract of keys and columns, and what it takes to add one."""

import sys
import textwrap
from importlib import import_module
from pathlib import Path

import pytest

from analytics.errors import UnknownKeyError
from analytics.indicators import INDICATORS, Indicator
from analytics.registry import collect, lookup

METHODS = (Path(__file__).parents[3] / "docs/METHODS.md").read_text(encoding="utf-8")
COLUMNS = {
    "sma": ("sma_20", "sma_50", "sma_200"),
    "ema": ("ema_12", "ema_26"),
    "macd": ("macd", "macd_signal", "macd_hist"),
    "rsi": ("rsi_14",),
    "bollinger": ("bb_upper", "bb_middle", "bb_lower"),
    "stochastic": ("stoch_k", "stoch_d"),
    "atr": ("atr_14",),
    "adx": ("adx_14", "plus_di_14", "minus_di_14"),
    "cci": ("cci_20",),
    "williams_r": ("williams_r_14",),
    "mfi": ("mfi_14",),
    "obv": ("obv",),
    "roc": ("roc_12",),
}
ON_THE_PRICE = {"sma", "ema", "bollinger"}
MODULE = """
    from analytics.indicators import Indicator

    INDICATOR = Indicator(
        key={key!r}, label="", description="", formula="", reference="", group="oscillator", pane="own",
        inputs=("close",), outputs=("out",), parameters=(), compute=lambda inputs: (inputs["close"],), warm_up=0,
    )
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that writes {module: source} as a package and imports it."""
    name = "throwaway_indicators"

    def write(modules: dict[str, str]):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").touch()
        for module, source in modules.items():
            (folder / f"{module}.py").write_text(textwrap.dedent(source))
        return import_module(name)

    monkeypatch.syspath_prepend(tmp_path)
    yield write
    for loaded in [module for module in sys.modules if module.split(".")[0] == name]:
        del sys.modules[loaded]


def test_a_new_module_is_collected(package) -> None:
    written = package({"first": MODULE.format(key="first"), "second": MODULE.format(key="second")})
    found = collect(written, "INDICATOR", Indicator)
    assert list(found) == ["first", "second"]
    assert found["second"].outputs == ("out",)


def test_a_private_module_is_not_an_indicator(package) -> None:
    written = package({"first": MODULE.format(key="first"), "_shared": "RATE = 2"})
    assert list(collect(written, "INDICATOR", Indicator)) == ["first"]


def test_a_duplicate_key_fails(package) -> None:
    written = package({"first": MODULE.format(key="same"), "second": MODULE.format(key="same")})
    with pytest.raises(ValueError, match=r"throwaway_indicators\.second: duplicate INDICATOR key 'same'"):
        collect(written, "INDICATOR", Indicator)


def test_a_missing_constant_fails(package) -> None:
    written = package({"first": "VALUE = 1"})
    with pytest.raises(
        TypeError, match=r"throwaway_indicators\.first must export INDICATOR of type Indicator, has None"
    ):
        collect(written, "INDICATOR", Indicator)


def test_a_constant_of_another_type_fails(package) -> None:
    written = package({"first": "INDICATOR = 'rsi'"})
    with pytest.raises(TypeError, match="must export INDICATOR of type Indicator, has 'rsi'"):
        collect(written, "INDICATOR", Indicator)


def test_the_set_cannot_be_changed_at_run_time() -> None:
    with pytest.raises(TypeError, match="does not support item assignment"):
        INDICATORS["rsi"] = INDICATORS["sma"]  # type: ignore[index]


def test_an_unknown_key_names_the_nearest() -> None:
    with pytest.raises(UnknownKeyError, match=r"indicator: got 'mcad'.*Did you mean 'macd'\?"):
        lookup(INDICATORS, "mcad", "indicator")


def test_keys_and_columns_are_the_contract() -> None:
    assert {key: indicator.outputs for key, indicator in INDICATORS.items()} == COLUMNS


def test_no_two_indicators_store_the_same_column() -> None:
    columns = [output for indicator in INDICATORS.values() for output in indicator.outputs]
    assert len(columns) == len(set(columns))


@pytest.mark.parametrize("key", INDICATORS)
def test_each_is_described(key: str) -> None:
    indicator = INDICATORS[key]
    assert indicator.pane == ("price" if key in ON_THE_PRICE else "own")
    assert all((indicator.label, indicator.description, indicator.formula, indicator.reference, indicator.vote_rule))
    assert indicator.vote_rule.startswith("no vote") == (indicator.vote is None)
    assert list(indicator.levels) == sorted(indicator.levels)
    for parameter in indicator.parameters:
        assert parameter.check(parameter.default) == parameter.default


@pytest.mark.parametrize("key", INDICATORS)
def test_each_has_a_row_in_methods(key: str) -> None:
    section = METHODS.split("## Indicators", 1)[1].split("\n## ", 1)[0]
    missing = [name for name in (key, *INDICATORS[key].outputs) if f"`{name}`" not in section]
    assert not missing, f"docs/METHODS.md does not explain {missing}"
