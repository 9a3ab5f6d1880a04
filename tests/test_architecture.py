"""The shape of the project, kept by tests: who may import whom, where SQL lives, how large a file may grow."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("analytics", "pipeline", "dashapp")
SOURCES = [*sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")), ROOT / "config.py"]
NAMES = [path.relative_to(ROOT).as_posix() for path in SOURCES]
MAX_FILE_LINES, MAX_FUNCTION_LINES = 300, 40

# For each part of the tree: the project's own modules it may import.
MAY_IMPORT = {
    "dashapp/figures": ("analytics", "dashapp"),
    "dashapp/components": ("analytics", "dashapp"),
    "dashapp": ("analytics", "config", "dashapp", "pipeline.queries", "pipeline.workspace", "pipeline.asked", "pipeline.backtests", "pipeline.ledger", "pipeline.standard", "pipeline.sweeps"),
    "pipeline": ("analytics", "config", "pipeline"),
    "analytics": ("analytics",),
    "config.py": (),
}  # fmt: skip
FORBIDDEN = {
    "analytics": {"dash", "plotly", "sqlite3", "sqlalchemy", "requests", "urllib", "socket", "yfinance", "flask", "os", "pathlib"},
    "dashapp": {"sqlite3", "sqlalchemy", "yfinance", "requests", "talib", "vectorbt", "statsmodels", "sklearn", "scipy"},
}  # fmt: skip
SQL_ALLOWED = ("pipeline/queries/", "pipeline/store/", "pipeline/schema/")
SQL = re.compile(
    r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+TABLE|PRAGMA\s)", re.DOTALL
)


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def within(name: str, allowed: tuple[str, ...]) -> bool:
    return any(name == module or name.startswith(module + ".") for module in allowed)


@pytest.mark.parametrize("name", NAMES)
def test_imports_go_one_way(name: str) -> None:
    own = {item for item in imports_of(ROOT / name) if item.split(".")[0] in (*PACKAGES, "config")}
    part = next(part for part in MAY_IMPORT if name == part or name.startswith(part + "/"))
    wrong = sorted(item for item in own if not within(item, MAY_IMPORT[part]))
    assert not wrong, f"{name} may import {MAY_IMPORT[part]}, not {wrong}"


@pytest.mark.parametrize("name", NAMES)
def test_forbidden_libraries(name: str) -> None:
    banned = FORBIDDEN.get(name.split("/")[0], set())
    wrong = {item.split(".")[0] for item in imports_of(ROOT / name)} & banned
    assert not wrong, f"{name} imports {wrong}"


@pytest.mark.parametrize("name", NAMES)
def test_sql_lives_in_queries_and_store(name: str) -> None:
    if name.startswith(SQL_ALLOWED):
        return
    strings = [
        node.value for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]  # fmt: skip
    wrong = [text for text in strings if SQL.search(text)]
    allowed = {"PRAGMA optimize", "PRAGMA wal_checkpoint(TRUNCATE)"} if name == "pipeline/publish.py" else set()
    assert set(wrong) <= allowed, f"{name} holds SQL: {wrong}"


@pytest.mark.parametrize("name", NAMES)
def test_files_and_functions_stay_small(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert text.count("\n") <= MAX_FILE_LINES, f"{name} has {text.count(chr(10))} lines"
    long = {
        node.name: (node.end_lineno or 0) - node.lineno + 1
        for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)
        if (node.end_lineno or 0) - node.lineno + 1 > MAX_FUNCTION_LINES
    }  # fmt: skip
    assert not long, f"{name}: functions over {MAX_FUNCTION_LINES} lines: {long}"


@pytest.mark.parametrize("name", NAMES)
def test_modules_say_what_they_own(name: str) -> None:
    assert ast.get_docstring(ast.parse((ROOT / name).read_text(encoding="utf-8"))), f"{name} has no docstring"
    assert not re.search(r"(utils|helpers|common|misc|manager)\.py$", name)


RECORD = ("analytics.scorecard", "pipeline.queries.scorecard", "pipeline.steps.scorecard")


def test_no_signal_and_no_strategy_reads_the_record_of_the_signals() -> None:
    """It knows the whole history: only the step that makes it and the pages that show it may read it."""
    readers = {name for name in NAMES if any(within(item, RECORD) for item in imports_of(ROOT / name))}
    allowed = ("analytics/scorecard/", "pipeline/steps/scorecard.py", "dashapp/")
    assert {name for name in readers if not name.startswith(allowed)} == set()
    assert "pipeline/steps/scorecard.py" in readers
    text = {name: (ROOT / name).read_text(encoding="utf-8") for name in NAMES}
    named = {name for name in NAMES if "signal_scorecard" in text[name] and not name.startswith("dashapp/")}
    assert named == {
        "pipeline/steps/scorecard.py", "pipeline/queries/scorecard.py", "pipeline/schema/__init__.py",
        "pipeline/schema/_market.py",
    }  # fmt: skip


def test_trading_days_are_defined_once() -> None:
    wrong = [
        name for name in NAMES if name != "analytics/conventions.py"
        for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in (252, 252.0, 365) and not isinstance(node.value, bool)
    ]  # fmt: skip
    assert not wrong


def test_colours_are_defined_in_the_theme() -> None:
    wrong = [
        name
        for name in NAMES
        if name != "dashapp/theme.py" and re.search(r"#[0-9a-fA-F]{6}\b", (ROOT / name).read_text())
    ]
    assert not wrong


def test_databases_are_never_moved_as_files() -> None:
    pattern = re.compile(
        r"os\.replace|os\.rename|shutil\.(copy|move)|\bcp +\S*\.db|\bmv +\S*\.db|if_exists *= *.replace"
    )
    wrong = [name for name in NAMES if pattern.search((ROOT / name).read_text(encoding="utf-8"))]
    assert not wrong
    assert not pattern.search((ROOT / "Makefile").read_text(encoding="utf-8"))
