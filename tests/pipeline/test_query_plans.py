"""Every query of pipeline.queries uses an index on every large table, and returns what it promises."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from analytics.registry import import_all
from pipeline import queries
from pipeline.queries import (
    Reader,
    accounts,
    asked,
    connect,
    factors,
    frontier,
    fundamentals,
    history,
    instruments,
    overview,
    portfolio_inputs,
    portfolios,
    prices,
    quality,
    results,
    runs,
    scorecard,
    signals,
    standard,
    strategy_inputs,
    sweeps,
    trials,
    walk_forward,
)
from pipeline.workspace import save_portfolio

LARGE = (
    "prices",
    "technical_signals",
    "technical_ratings",
    "candlestick_patterns",
    "signal_scorecard",
    "rates",
    "factor_returns",
    "factor_model_fits",
    "factor_loadings",
    "frontier_points",
    "backtesting_equity",
    "backtesting_trades",
    "backtesting_tickers",
    "requests",
    "sweep_cells",
    "portfolio_weights",
    "company_fundamentals",
    "quality_flags",
    "corporate_actions",
)
TICKER = "SIM001"
FRONTIER = {"universe": "stocks", "as_of": "2024-01-02", "estimator": "mean__ledoit_wolf"}

MARKET_CASES: dict[Callable[..., Any], Callable[[Reader], Any]] = {
    instruments.instruments: instruments.instruments,
    instruments.instrument: lambda reader: instruments.instrument(reader, TICKER),
    instruments.newest_date: instruments.newest_date,
    instruments.stock_tickers: instruments.stock_tickers,
    instruments.tickers_of_kind: lambda reader: instruments.tickers_of_kind(reader, "stock"),
    instruments.universe_names: instruments.universe_names,
    instruments.active_tickers: instruments.active_tickers,
    instruments.universe_members: lambda reader: instruments.universe_members(reader, "nasdaq100", "2024-01-02"),
    instruments.memberships: instruments.memberships,
    prices.bars: lambda reader: prices.bars(reader, TICKER, start="2020-01-01"),
    prices.all_bars: lambda reader: prices.all_bars(reader, [TICKER]),
    prices.adjusted_closes: lambda reader: prices.adjusted_closes(reader, [TICKER]),
    prices.last_dates: prices.last_dates,
    prices.month_end_closes: lambda reader: prices.month_end_closes(reader, [TICKER]),
    prices.session_counts: lambda reader: prices.session_counts(reader, TICKER),
    prices.dividends: lambda reader: prices.dividends(reader, TICKER),
    prices.date_ranges: prices.date_ranges,
    prices.closes_on: lambda reader: prices.closes_on(reader, [TICKER], "2024-01-02"),
    prices.session_bounds: lambda reader: prices.session_bounds(reader, [TICKER], start="2020-01-01"),
    signals.signal_history: lambda reader: signals.signal_history(reader, TICKER, start="2020-01-01"),
    signals.latest_signal: lambda reader: signals.latest_signal(reader, TICKER),
    signals.newest_signals: lambda reader: signals.newest_signals(reader, TICKER, count=2),
    signals.last_date_before: lambda reader: signals.last_date_before(reader, TICKER, "2020-01-01"),
    signals.timeframe_ratings: lambda reader: signals.timeframe_ratings(reader, TICKER),
    signals.patterns: lambda reader: signals.patterns(reader, TICKER, start="2020-01-01"),
    scorecard.scorecard: lambda reader: scorecard.scorecard(reader, TICKER),
    scorecard.records: lambda reader: scorecard.records(reader, TICKER),
    factors.known_estimates: lambda reader: factors.known_estimates(reader, TICKER, "capm", 60),
    factors.factor_returns: lambda reader: factors.factor_returns(reader, "M"),
    factors.last_factor_date: factors.last_factor_date,
    factors.latest_fits: lambda reader: factors.latest_fits(reader, TICKER),
    factors.loadings: lambda reader: factors.loadings(reader, TICKER),
    factors.fit_history: lambda reader: factors.fit_history(reader, TICKER, "capm", 60),
    factors.loading_history: lambda reader: factors.loading_history(reader, TICKER, "capm", 60),
    factors.known_fit: lambda reader: factors.known_fit(reader, TICKER, "capm", 60, "2018-01-31"),
    factors.known_expected_returns: lambda reader: factors.known_expected_returns(reader, "capm", "2018-01-31"),
    factors.universe_fits: lambda reader: factors.universe_fits(reader, "ff3", "M", 60),
    factors.universe_loadings: lambda reader: factors.universe_loadings(reader, "ff3", "M", 60),
    factors.joint_tests: factors.joint_tests,
    strategy_inputs.factor_view: lambda reader: strategy_inputs.factor_view(reader, [TICKER], end="2030-01-01"),
    frontier.latest_frontier: frontier.latest_frontier,
    frontier.frontier_universes: frontier.frontier_universes,
    portfolio_inputs.universes: portfolio_inputs.universes,
    portfolio_inputs.universe_tickers: lambda reader: portfolio_inputs.universe_tickers(reader, "stocks"),
    portfolio_inputs.portfolio_inputs: lambda reader: portfolio_inputs.portfolio_inputs(reader, "stocks"),
    frontier.frontier_points: lambda reader: frontier.frontier_points(reader, **FRONTIER),
    frontier.frontier_weights: lambda reader: frontier.frontier_weights(reader, **FRONTIER),
    walk_forward.latest_walk_forward: lambda reader: walk_forward.latest_walk_forward(
        reader, "stocks", "mean__ledoit_wolf"
    ),
    walk_forward.walk_forward_universes: walk_forward.walk_forward_universes,
    walk_forward.universe_history: lambda reader: walk_forward.universe_history(reader, "stocks"),
    fundamentals.newest: fundamentals.newest,
    fundamentals.company_fundamentals: lambda reader: fundamentals.company_fundamentals(reader, TICKER),
    fundamentals.history: lambda reader: fundamentals.history(reader, TICKER),
    fundamentals.known_values: lambda reader: fundamentals.known_values(reader, "market_cap", "2024-01-02"),
    fundamentals.of_universe: fundamentals.of_universe,
    overview.overview: overview.overview,
    runs.published_run: runs.published_run,
    runs.last_run: runs.last_run,
    runs.run_steps: lambda reader: runs.run_steps(reader, "x"),
    runs.fetch_log: lambda reader: runs.fetch_log(reader, "x"),
    runs.rejects: lambda reader: runs.rejects(reader, "x"),
    runs.table_rows: lambda reader: runs.table_rows(reader, "x"),
    runs.history: runs.history,
    quality.scores: quality.scores,
    quality.flags: lambda reader: quality.flags(reader, TICKER),
    quality.rejected_rows: lambda reader: quality.rejected_rows(reader, "x"),
    accounts.runs_beyond: lambda reader: accounts.runs_beyond(reader, 1),
    accounts.unfinished: accounts.unfinished,
    accounts.input_digests: lambda reader: accounts.input_digests(reader, "x"),
}
WORKSPACE_CASES: dict[Callable[..., Any], Callable[[Reader], Any]] = {
    results.result: lambda reader: results.result(reader, "x"),
    results.find_result: lambda reader: results.find_result(reader, "x"),
    results.is_current: lambda reader: results.is_current(reader, "x", "y"),
    results.is_checked: lambda reader: results.is_checked(reader, "x"),
    results.tickers: lambda reader: results.tickers(reader, "x"),
    results.equity: lambda reader: results.equity(reader, "x"),
    results.curves: lambda reader: results.curves(reader, "x"),
    results.trades: lambda reader: results.trades(reader, "x"),
    results.job: lambda reader: results.job(reader, "x"),
    results.jobs_ahead: lambda reader: results.jobs_ahead(reader, "x", "2024-01-02"),
    history.history: lambda reader: history.history(
        reader, strategy="x", text="y", start="2024-01-02", end="2024-01-03"
    ),
    history.chosen: lambda reader: history.chosen(reader, ["x", "y"]),
    history.strategies: history.strategies,
    history.accounts: lambda reader: history.accounts(reader, ["x", "y"]),
    history.is_worked_on: lambda reader: history.is_worked_on(reader, "x", "2024-01-02"),
    asked.requests: lambda reader: asked.requests(reader, "x", kind="backtest", most=5),
    asked.waiting: lambda reader: asked.waiting(reader, "x"),
    asked.has_withdrawn: lambda reader: asked.has_withdrawn(reader, "x", "y"),
    trials.trials: lambda reader: trials.trials(reader, "x"),
    trials.is_counted: lambda reader: trials.is_counted(reader, "x", "y"),
    standard.standard_jobs: standard.standard_jobs,
    standard.is_standard: lambda reader: standard.is_standard(reader, "x"),
    standard.is_wanted: lambda reader: standard.is_wanted(reader, "x"),
    sweeps.sweep: lambda reader: sweeps.sweep(reader, "x"),
    sweeps.sweeps: sweeps.sweeps,
    sweeps.stored_cells: lambda reader: sweeps.stored_cells(reader, "x"),
    sweeps.cells: lambda reader: sweeps.cells(reader, "x"),
    sweeps.benchmark: lambda reader: sweeps.benchmark(reader, "x"),
    portfolios.portfolios: portfolios.portfolios,
    portfolios.portfolio_weights: lambda reader: portfolios.portfolio_weights(reader, "x"),
}
# These look at whole tables on purpose: coverage counts every bar for the Data tab, flags are counted, and the store is
# checked once per update.
WHOLE_TABLE = {"count", "coverage", "damage", "faults", "flag_counts", "has_prices"}
NO_SQL = {"to_bars", "update_state", "source_of"}


def test_every_query_has_a_case() -> None:
    public = {
        function.__name__
        for module in import_all(queries)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    }
    covered = {function.__name__ for function in (*MARKET_CASES, *WORKSPACE_CASES)}
    assert public == covered | WHOLE_TABLE | NO_SQL


def scans(reader: Reader, ask: Callable[[Reader], Any], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[tuple[str, Any]] = []
    real = Reader._fetch

    def fetch(self: Reader, sql: str, parameters: Any = ()) -> Any:
        asked.append((sql, parameters))
        return real(self, sql, parameters)

    monkeypatch.setattr(Reader, "_fetch", fetch)
    ask(reader)
    assert asked, "the query asked nothing"
    steps = [step for sql, parameters in asked for step in reader.plan(sql, parameters)]
    aliases = {
        "p": "prices",
        "s": "technical_signals",
        "f": "factor_model_fits",
        "l": "factor_loadings",
        "c": "company_fundamentals",
    }
    return [
        step for step in steps if step.startswith("SCAN") and aliases.get(step.split()[1], step.split()[1]) in LARGE
    ]


@pytest.mark.parametrize("ask", MARKET_CASES.values(), ids=[function.__name__ for function in MARKET_CASES])
def test_no_market_query_scans_a_large_table(
    simulated: Any, ask: Callable[[Reader], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect(simulated.db) as reader:
        assert scans(reader, ask, monkeypatch) == []


@pytest.mark.parametrize("ask", WORKSPACE_CASES.values(), ids=[function.__name__ for function in WORKSPACE_CASES])
def test_no_workspace_query_scans_a_large_table(
    settings: Any, ask: Callable[[Reader], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = {"universe": "stocks", "source": "", "request": "{}", "data_run_id": "r", "as_of": "2024-01-02"}
    save_portfolio(settings.workspace, "x", {TICKER: 1.0}, **saved)
    with connect(settings.workspace, workspace=True) as reader:
        assert scans(reader, ask, monkeypatch) == []


def test_the_check_can_fail(simulated: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect(simulated.db) as reader:
        assert scans(reader, lambda r: r.rows("SELECT avg(close) FROM prices"), monkeypatch)
