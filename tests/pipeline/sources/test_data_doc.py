"""docs/DATA.md names every source, every rule of the quality gate and every data file of ours."""

from pathlib import Path

from config import ROOT
from pipeline.quality import PRICE_RULES, RATE_RULES
from pipeline.sources import SOURCES

TEXT = (ROOT / "docs" / "DATA.md").read_text()


def test_every_source_has_a_section_and_a_row() -> None:
    for source in SOURCES.values():
        assert f"| `{source.key}` | {source.label} |" in TEXT
        assert f"\n## {source.key}\n" in TEXT
        assert source.description


def test_every_rule_is_explained() -> None:
    missing = [rule.name for rule in (*PRICE_RULES, *RATE_RULES) if f"`{rule.name}`" not in TEXT]
    assert not missing


def test_every_data_file_is_described() -> None:
    files = [path.name for path in Path(ROOT / "pipeline" / "data").glob("*.csv")]
    assert len(files) == 4
    assert all(f"pipeline/data/{name}" in TEXT for name in files)
