"""The set of indicators: its contract of keys and columns, and what it takes to add one."""

import sys
import textwrap
from importlib import import_module
from pathlib import Path

import pytest

from analytics.errors import UnknownKeyError
from analytics.indicators import INDICATORS, VOTES, Indicator
from analytics.registry import collect, lookup

METHODS = (Path(__file__).parents[3] / "docs/METHODS.md").read_text(encoding="utf-8")
COLUMNS = {
    "sma": ("sma_10", "sma_20", "sma_30", "sma_50", "sma_100", "sma_200"),
    "ema": ("ema_10", "ema_12", "ema_20", "ema_26", "ema_30", "ema_50", "ema_100", "ema_200"),
    "hull": ("hull_9",),
    "vwma": ("vwma_20",),
    "ichimoku": ("ichimoku_conversion", "ichimoku_base", "ichimoku_span_a", "ichimoku_span_b"),
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
    "awesome_oscillator": ("awesome_oscillator",),
    "momentum": ("momentum_10",),
    "stochastic_rsi": ("stoch_rsi_k", "stoch_rsi_d"),
    "bull_bear_power": ("bull_power", "bear_power"),
    "ultimate_oscillator": ("ultimate_oscillator",),
    "trix": ("trix_15",),
    "aroon": ("aroon_up_14", "aroon_down_14"),
    "parabolic_sar": ("parabolic_sar",),
    "donchian": ("donchian_upper", "donchian_middle", "donchian_lower"),
    "high_52w": ("high_52w_distance",),
    "keltner": ("keltner_upper", "keltner_middle", "keltner_lower"),
    "bollinger_percent_b": ("bb_percent_b",),
    "bollinger_bandwidth": ("bb_bandwidth",),
    "realised_volatility": ("realised_vol_21",),
    "yang_zhang_volatility": ("yang_zhang_vol_21",),
    "chaikin_money_flow": ("cmf_20",),
    "vwap": ("vwap_20",),
}
ON_THE_PRICE = {
    "sma", "ema", "hull", "vwma", "vwap", "ichimoku", "bollinger", "keltner", "donchian", "parabolic_sar",
}  # fmt: skip
AVERAGES_RATED = {f"{kind}_{window}" for kind in ("sma", "ema") for window in (10, 20, 30, 50, 100, 200)}
RATED = {
    "moving_average": AVERAGES_RATED | {"hull_9", "vwma_20", "ichimoku_base"},
    "oscillator": {
        "rsi", "stochastic", "cci", "adx", "awesome_oscillator", "momentum", "macd", "stochastic_rsi", "williams_r",
        "bull_bear_power", "ultimate_oscillator",
    },
}  # fmt: skip
NOT_RATED = {
    "sma",
    "ema",
    "bollinger",
    "mfi",
    "obv",
    "roc",
    "aroon",
    "parabolic_sar",
    "chaikin_money_flow",
    "trix",
    "vwap",
}
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


def test_vote_keys_are_the_contract() -> None:
    groups = {group: {key for key, voter in VOTES.items() if voter.vote.rating == group} for group in (*RATED, None)}
    assert groups == RATED | {None: NOT_RATED}
    assert [len(groups[group]) for group in RATED] == [15, 11]


def test_a_vote_reads_columns_of_its_indicator_and_is_stored_under_its_key() -> None:
    for key, (indicator, vote) in VOTES.items():
        assert vote.key == key
        assert vote.column == f"vote_{key}"
        assert vote in indicator.votes
        assert set(vote.reads) <= set(indicator.outputs)


def test_no_two_indicators_store_the_same_column() -> None:
    columns = [output for indicator in INDICATORS.values() for output in indicator.outputs]
    assert len(columns) == len(set(columns))


@pytest.mark.parametrize("key", INDICATORS)
def test_each_is_described(key: str) -> None:
    indicator = INDICATORS[key]
    assert indicator.pane == ("price" if key in ON_THE_PRICE else "own")
    assert all((indicator.label, indicator.description, indicator.formula, indicator.reference))
    assert all(vote.label and vote.rule for vote in indicator.votes)
    assert set(indicator.drawn) <= set(indicator.outputs)
    assert list(indicator.levels) == sorted(indicator.levels)
    for parameter in indicator.parameters:
        assert parameter.check(parameter.default) == parameter.default


@pytest.mark.parametrize("key", INDICATORS)
def test_each_has_a_row_in_methods(key: str) -> None:
    section = METHODS.split("## Indicators", 1)[1].split("\n## ", 1)[0]
    indicator = INDICATORS[key]
    names = (key, *indicator.outputs, *(vote.key for vote in indicator.votes))
    missing = [name for name in names if f"`{name}`" not in section]
    assert not missing, f"docs/METHODS.md does not explain {missing}"
