"""The tables of workspace.db, the analyst's own: it cannot be rebuilt, so it is backed up and only ever migrated."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, MetaData

from pipeline.schema._declare import integer, is_date, one_of, real, table, text

WORKSPACE = MetaData()

backtesting_results = table(
    WORKSPACE, "backtesting_results", ("result_id",),
    *(text(name, nullable=False) for name in ("result_id", "test_date", "strategy_name", "params", "tickers",
                                               "start_date", "end_date", "data_run_id", "code_version")),
    *(real(name) for name in ("total_return", "sharpe_ratio", "max_drawdown")),
    text("metrics", nullable=False), text("audit", nullable=False),
)  # fmt: skip
Index("backtesting_results_by_date", backtesting_results.c.test_date)

# Which stored result answers which question on which data: the way back to a result without reading prices.
backtesting_questions = table(
    WORKSPACE, "backtesting_questions", ("question_id",),
    text("question_id", nullable=False),
    text("result_id", ForeignKey("backtesting_results.result_id"), nullable=False),
    text("data_run_id", nullable=False),
)  # fmt: skip
Index("backtesting_questions_by_result", backtesting_questions.c.result_id, backtesting_questions.c.data_run_id)

backtesting_equity = table(
    WORKSPACE, "backtesting_equity", ("result_id", "date"),
    text("result_id", ForeignKey("backtesting_results.result_id"), nullable=False), text("date", nullable=False),
    *(real(name) for name in ("equity", "benchmark", "drawdown", "gross_exposure", "net_exposure", "cash", "turnover",
                              "risk_free")),
)  # fmt: skip

backtesting_trades = table(
    WORKSPACE, "backtesting_trades", ("result_id", "trade_id"),
    text("result_id", ForeignKey("backtesting_results.result_id"), nullable=False),
    integer("trade_id", nullable=False), text("ticker", nullable=False), text("direction", nullable=False),
    text("entry_date", nullable=False), real("entry_price"), text("exit_date"), real("exit_price"),
    *(real(name) for name in ("quantity", "fees", "slippage", "borrow", "pnl", "return_pct")), text("reason"),
    real("spread"), real("impact"), text("entry_reason"),
)  # fmt: skip

# Each ticker with the whole capital to itself, and what it contributed to the account that the tickers shared.
backtesting_tickers = table(
    WORKSPACE, "backtesting_tickers", ("result_id", "ticker"),
    text("result_id", ForeignKey("backtesting_results.result_id"), nullable=False), text("ticker", nullable=False),
    *(real(name) for name in ("total_return", "annual_return", "annual_volatility", "sharpe_ratio", "max_drawdown",
                              "n_trades", "win_rate", "buy_and_hold_return", "contribution")),
)  # fmt: skip

# Every try on a hypothesis, a strategy on a universe, counted for good: the best of many is judged by how many there were.
trials = table(
    WORKSPACE, "trials", ("id",),
    text("id", nullable=False), text("created_at", nullable=False), text("hypothesis", nullable=False), text("result_id"),
    *(real(name) for name in ("sharpe_ratio", "n_obs", "skewness", "kurtosis")),
)  # fmt: skip
Index("trials_by_hypothesis", trials.c.hypothesis)

# What the analyst calls a result, and what was noted of it.
result_notes = table(
    WORKSPACE, "result_notes", ("result_id",),
    text("result_id", ForeignKey("backtesting_results.result_id"), nullable=False), text("name", nullable=False),
    text("note", nullable=False), text("updated_at", nullable=False),
)  # fmt: skip

# One question asked with many parameter sets, its cells: what a cancelled sweep has stored is not computed again.
sweeps = table(
    WORKSPACE, "sweeps", ("sweep_id",),
    *(text(name, nullable=False) for name in ("sweep_id", "created_at", "strategy", "params", "axes", "tickers",
                                               "start_date", "end_date", "data_run_id", "code_version")),
    integer("n_cells", nullable=False), real("benchmark_sharpe_ratio"),
    CheckConstraint("json_valid(params) AND json_valid(axes) AND json_valid(tickers)"),
)  # fmt: skip
Index("sweeps_by_date", sweeps.c.created_at)

# Buy and hold of a sweep's tickers, block by block: what its cells are compared with on the same sessions.
sweep_benchmarks = table(
    WORKSPACE, "sweep_benchmarks", ("sweep_id",),
    text("sweep_id", ForeignKey("sweeps.sweep_id"), nullable=False), text("sums", nullable=False),
    CheckConstraint("json_valid(sums)"),
)  # fmt: skip

sweep_cells = table(
    WORKSPACE, "sweep_cells", ("sweep_id", "cell"),
    text("sweep_id", ForeignKey("sweeps.sweep_id"), nullable=False), integer("cell", nullable=False),
    text("trial_id", nullable=False), text("parameters", nullable=False),
    *(real(name) for name in ("sharpe_ratio", "total_return", "annual_return", "annual_volatility", "max_drawdown",
                              "n_trades")),
    text("sums", nullable=False), text("problem"), CheckConstraint("json_valid(parameters) AND json_valid(sums)"),
)  # fmt: skip

jobs = table(
    WORKSPACE, "jobs", ("job_id",),
    text("job_id", nullable=False), text("kind", nullable=False), text("state", nullable=False),
    real("progress", nullable=False), text("message"), text("owner", nullable=False),
    *(text(name, nullable=False) for name in ("created_at", "heartbeat_at", "deadline_at")), text("result_id"),
    one_of("state", ("queued", "running", "done", "failed", "cancelled", "lost")),
)  # fmt: skip
Index("jobs_by_state", jobs.c.state, jobs.c.created_at)

# What each browser asked, the newest time of each question; who asks what is worked on already waits for the same job.
requests = table(
    WORKSPACE, "requests", ("owner", "question_id"),
    *(text(name, nullable=False) for name in ("owner", "question_id", "kind", "asked_at", "request")),
    integer("withdrawn", nullable=False), text("job_id"), text("result_id"), CheckConstraint("json_valid(request)"),
)  # fmt: skip
Index("requests_by_owner", requests.c.owner, requests.c.asked_at)
Index("requests_by_job", requests.c.job_id)
Index("requests_by_result", requests.c.result_id)

portfolios = table(
    WORKSPACE, "portfolios", ("name",),
    *(text(name, nullable=False) for name in ("name", "created_at", "updated_at", "universe", "source", "request",
                                               "data_run_id", "as_of")),
    is_date("as_of"), CheckConstraint("json_valid(request)"),
)  # fmt: skip

# Cash is what the weights of a portfolio lack to 1.
portfolio_weights = table(
    WORKSPACE, "portfolio_weights", ("name", "ticker"),
    text("name", ForeignKey("portfolios.name"), nullable=False), text("ticker", nullable=False),
    real("weight", nullable=False), CheckConstraint("weight >= 0 AND weight <= 1"),
)  # fmt: skip
