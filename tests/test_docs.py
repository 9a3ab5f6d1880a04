"""What the program has, the documents explain: a page, an indicator, a metric, a setting without a row fails here."""

import re

import pytest

from analytics.backtest.strategies import STRATEGIES
from analytics.factor_models import FACTOR_MODELS
from analytics.indicators import INDICATORS
from analytics.metrics import METRICS
from analytics.portfolio import COVARIANCES, EXPECTED_RETURNS
from analytics.portfolio.objectives import OBJECTIVES
from config import ROOT, SETTINGS
from dashapp.pages import PAGES
from pipeline import schema
from pipeline.sources import SOURCES
from pipeline.steps import STEPS


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(("document", "keys"), [
    ("docs/METHODS.md", [*INDICATORS, *METRICS, *FACTOR_MODELS, *STRATEGIES, *EXPECTED_RETURNS, *COVARIANCES, *OBJECTIVES]),
    ("docs/METHODS.md", [output for item in INDICATORS.values() for output in item.outputs]),
    ("docs/DATA.md", list(SOURCES)),
    ("docs/DATA.md", [table.name for metadata in (schema.MARKET, schema.WORKSPACE) for table in metadata.sorted_tables]),
    ("docs/ARCHITECTURE.md", list(STEPS)),
], ids=["methods", "columns", "sources", "tables", "steps"])  # fmt: skip
def test_every_key_has_a_row(document: str, keys: list[str]) -> None:
    written = text(document)
    missing = [key for key in keys if f"`{key}`" not in written]
    assert not missing, f"{document} does not explain {missing}"


def test_readme_shows_every_page_and_setting() -> None:
    readme = text("README.md")
    for page in PAGES.values():
        assert f"**{page.name}**" in readme, page.name
        assert page.description in readme, page.description
    for item in SETTINGS:
        row = f"| `{item.variable}` | {f'`{item.shown_default}`' if item.shown_default else ''} | {item.help} |"
        assert row in readme, row


def test_readme_pictures_exist() -> None:
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text("README.md"))
    assert len(pictures) >= 6
    assert all((ROOT / picture).is_file() for picture in pictures)


def test_links_between_documents_lead_somewhere() -> None:
    for name in ("README.md", "docs/ARCHITECTURE.md", "docs/METHODS.md", "docs/DATA.md", "docs/OPERATIONS.md"):
        for link in re.findall(r"(?<!!)\[[^\]]*\]\(([^)#]+)[^)]*\)", text(name)):
            if not link.startswith("http"):
                assert ((ROOT / name).parent / link).exists(), f"{name} links to {link}"


def test_every_make_target_is_listed() -> None:
    makefile = text("Makefile")
    phony = re.search(r"\.PHONY: (.*)", makefile)
    assert phony
    for target in phony.group(1).split():
        assert re.search(rf"^{target}:.*## ", makefile, re.MULTILINE), target
