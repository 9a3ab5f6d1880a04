"""The tables of data.db, the market store: rebuilt from sources at any time."""

from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKey, MetaData

from analytics.indicators import INDICATORS, VOTES
from analytics.signals import RATING_LABELS, TIMEFRAMES
from pipeline.schema._declare import integer, is_date, one_of, one_of_by_rows, real, table, text

MARKET = MetaData()


def _ticker() -> Column[Any]:
    return text("ticker", ForeignKey("instruments.ticker"), nullable=False)


instruments = table(
    MARKET, "instruments", ("ticker",),
    text("ticker", nullable=False), text("name", nullable=False), text("kind", nullable=False),
    text("sector"), text("industry"), text("currency"), text("exchange"),
    text("first_date"), text("last_date"), integer("active", nullable=False),
    one_of("kind", ("stock", "etf", "index")), CheckConstraint("active IN (0, 1)"),
)  # fmt: skip

universe_members = table(
    MARKET, "universe_members", ("universe", "ticker", "start_date"),
    text("universe", nullable=False), text("ticker", nullable=False),
    text("start_date", nullable=False), text("end_date"),
    is_date("start_date"),
)  # fmt: skip

prices = table(
    MARKET, "prices", ("ticker", "date"),
    _ticker(), text("date", nullable=False),
    real("open"), real("high"), real("low"), real("close", nullable=False), real("adj_close", nullable=False),
    real("volume"),
    is_date("date"),
    CheckConstraint("close > 0 AND close < 1e7 AND adj_close > 0 AND adj_close < 1e7"),
    CheckConstraint("open > 0 AND high >= max(open, close) AND low <= min(open, close) AND low > 0 AND high < 1e7"),
    CheckConstraint("volume >= 0 AND volume < 1e15"),
)  # fmt: skip

rates = table(
    MARKET, "rates", ("series", "date"),
    text("series", nullable=False), text("date", nullable=False), real("value", nullable=False),
    is_date("date"), CheckConstraint("value > -0.2 AND value < 1"),
)  # fmt: skip

corporate_actions = table(
    MARKET, "corporate_actions", ("ticker", "date", "kind"),
    _ticker(), text("date", nullable=False), text("kind", nullable=False), real("value", nullable=False),
    is_date("date"), one_of("kind", ("dividend", "split")), CheckConstraint("value > 0"),
)  # fmt: skip

company_fundamentals = table(
    MARKET, "company_fundamentals", ("ticker", "as_of", "metric"),
    _ticker(), text("as_of", nullable=False), text("metric", nullable=False), real("value", nullable=False),
    text("fetched_at", nullable=False),
    is_date("as_of"),
)  # fmt: skip

ticker_changes = table(
    MARKET, "ticker_changes", ("ticker", "date"),
    text("ticker", nullable=False), text("date", nullable=False), text("successor", nullable=False),
    is_date("date"), CheckConstraint("ticker <> successor"),
)  # fmt: skip

factor_returns = table(
    MARKET, "factor_returns", ("frequency", "date"),
    text("frequency", nullable=False), text("date", nullable=False),
    *(real(name) for name in ("mkt_rf", "smb", "hml", "smb5", "rmw", "cma", "mom", "rf")),
    is_date("date"), one_of("frequency", ("D", "M")),
)  # fmt: skip

quality_scores = table(
    MARKET, "quality_scores", ("ticker",),
    _ticker(), real("score", nullable=False), integer("sessions", nullable=False),
    *(integer(name, nullable=False) for name in ("missing_sessions", "stale_sessions", "jumps", "rejected_rows")),
    CheckConstraint("score BETWEEN 0 AND 1"),
    derived=True,
)  # fmt: skip

quality_flags = table(
    MARKET, "quality_flags", ("ticker", "date", "check_name"),
    _ticker(), text("date", nullable=False), text("check_name", nullable=False), text("message", nullable=False),
    is_date("date"),
    derived=True,
)  # fmt: skip


def _totals() -> tuple[Any, ...]:
    """What the votes of a day, a week or a month add up to."""
    return (
        integer("buy_votes"), integer("sell_votes"), integer("overall_signal"),
        real("rating_score"), text("rating_label"),
        CheckConstraint("overall_signal BETWEEN -1 AND 1"), CheckConstraint("rating_score BETWEEN -1 AND 1"),
        one_of_by_rows("rating_label", RATING_LABELS),
    )  # fmt: skip


technical_signals = table(
    MARKET, "technical_signals", ("ticker", "date"),
    _ticker(), text("date", nullable=False),
    *(real(output) for indicator in INDICATORS.values() for output in indicator.outputs),
    *(integer(voter.vote.column) for voter in VOTES.values()),
    *_totals(),
    derived=True,
)  # fmt: skip

technical_ratings = table(
    MARKET, "technical_ratings", ("ticker", "timeframe", "date"),
    _ticker(), text("timeframe", nullable=False), text("date", nullable=False),
    *_totals(),
    one_of("timeframe", tuple(TIMEFRAMES)), is_date("date"),
    derived=True,
)  # fmt: skip

candlestick_patterns = table(
    MARKET, "candlestick_patterns", ("ticker", "date", "pattern"),
    _ticker(), text("date", nullable=False), text("pattern", nullable=False), integer("direction", nullable=False),
    CheckConstraint("direction = 1 OR direction = -1"),
    derived=True,
)  # fmt: skip

signal_scorecard = table(
    MARKET, "signal_scorecard", ("scope", "signal", "bucket", "horizon_days"),
    text("scope", nullable=False), text("signal", nullable=False), text("bucket", nullable=False),
    integer("horizon_days", nullable=False), integer("n", nullable=False), real("n_effective"),
    *(real(name) for name in (
        "hit_rate", "hit_low", "hit_high", "base_rate", "mean_forward_return", "ci_low", "ci_high", "base_return",
        "excess_return", "excess_low", "excess_high", "p_value", "q_value",
    )),
    text("first_date", nullable=False), text("last_date", nullable=False),
    CheckConstraint("n > 0"),
    derived=True,
)  # fmt: skip

_FIT_KEY = ("ticker", "model", "frequency", "window_months", "as_of")


def _fit_key_columns() -> tuple[Column[Any], ...]:
    return (
        _ticker(), text("model", nullable=False), text("frequency", nullable=False),
        integer("window_months", nullable=False), text("as_of", nullable=False),
    )  # fmt: skip


factor_model_fits = table(
    MARKET, "factor_model_fits", _FIT_KEY, *_fit_key_columns(),
    text("sample_start", nullable=False), text("sample_end", nullable=False), integer("n_obs", nullable=False),
    *(real(name) for name in (
        "alpha", "alpha_se", "alpha_t", "alpha_p", "alpha_q", "alpha_low", "alpha_high", "alpha_se_ols",
        "r_squared", "adjusted_r_squared", "bic", "residual_vol", "durbin_watson", "jarque_bera_p", "breusch_pagan_p",
        "expected_return", "expected_return_se", "realised_return", "realised_return_se",
        "beta_vasicek", "beta_blume", "beta_up", "beta_up_se", "beta_down", "beta_down_se", "break_p", "chow_p",
    )),
    text("break_date"), text("chow_date"),
    CheckConstraint("as_of >= sample_end"), CheckConstraint("n_obs > 0"),
    derived=True,
)  # fmt: skip

factor_loadings = table(
    MARKET, "factor_loadings", (*_FIT_KEY, "factor"), *_fit_key_columns(),
    text("factor", nullable=False),
    *(real(name) for name in ("beta", "std_err", "t_stat", "p_value", "low", "high", "std_err_ols")),
    derived=True,
)  # fmt: skip

factor_joint_tests = table(
    MARKET, "factor_joint_tests", ("universe", "model", "frequency", "window_months", "as_of"),
    text("universe", nullable=False), text("model", nullable=False), text("frequency", nullable=False),
    integer("window_months", nullable=False), text("as_of", nullable=False),
    text("sample_start"), text("sample_end"), integer("n_obs"), integer("n_tickers"),
    real("statistic"), real("p_value"), real("mean_abs_alpha"), text("message", nullable=False),
    derived=True,
)  # fmt: skip

_RUN_KEY = ("universe", "as_of", "estimator")


def _frontier_key_columns() -> tuple[Column[Any], ...]:
    return tuple(text(name, nullable=False) for name in _RUN_KEY)


frontier_runs = table(
    MARKET, "frontier_runs", _RUN_KEY, *_frontier_key_columns(),
    text("start_date", nullable=False), text("end_date", nullable=False), integer("n_obs", nullable=False),
    real("risk_free_rate"),
    derived=True,
)  # fmt: skip

frontier_points = table(
    MARKET, "frontier_points", (*_RUN_KEY, "point"), *_frontier_key_columns(),
    integer("point", nullable=False), text("kind", nullable=False), text("ticker"),  # ticker of an asset point
    real("expected_return", nullable=False), real("volatility", nullable=False), real("sharpe_ratio"),
    one_of("kind", ("frontier", "min_variance", "max_sharpe", "random", "asset")),
    derived=True,
)  # fmt: skip

frontier_weights = table(
    MARKET, "frontier_weights", (*_RUN_KEY, "point", "ticker"), *_frontier_key_columns(),
    integer("point", nullable=False), _ticker(), real("weight", nullable=False),
    CheckConstraint("weight >= 0 AND weight <= 1"),
    derived=True,
)  # fmt: skip

frontier_walk_forward = table(
    MARKET, "frontier_walk_forward", (*_RUN_KEY, "rank"), *_frontier_key_columns(),
    integer("rank", nullable=False), text("kind", nullable=False),
    real("promised_return", nullable=False), real("promised_volatility", nullable=False), real("promised_sharpe_ratio"),
    *(real(f"realised_{name}{end}") for name in ("return", "volatility") for end in ("", "_low", "_high")),
    real("sharpe_ratio"), text("start_date", nullable=False), text("end_date", nullable=False),
    *(integer(name, nullable=False) for name in ("n_choices", "n_sessions", "n_assets_min", "n_assets_max")),
    one_of("kind", ("frontier", "max_sharpe", "equal_weight")), CheckConstraint("n_choices > 0"),
    derived=True,
)  # fmt: skip

runs = table(
    MARKET, "runs", ("run_id",),
    text("run_id", nullable=False), text("source", nullable=False), text("parameters", nullable=False),
    text("status", nullable=False), text("started_at", nullable=False), text("finished_at"),
    text("code_version", nullable=False), text("message"),
    one_of("status", ("running", "complete", "partial", "failed")),
)  # fmt: skip

step_runs = table(
    MARKET, "step_runs", ("run_id", "step"),
    text("run_id", nullable=False), text("step", nullable=False), text("status", nullable=False),
    text("started_at", nullable=False), real("seconds"), integer("rows_written"), integer("rows_rejected"),
    text("message"),
    one_of("status", ("running", "complete", "partial", "failed")),
)  # fmt: skip

fetch_log = table(
    MARKET, "fetch_log", ("run_id", "ticker"),
    text("run_id", nullable=False), text("ticker", nullable=False), text("status", nullable=False),
    integer("rows"), text("message"), integer("attempts"), text("fetched_at"),
)  # fmt: skip

rejects = table(
    MARKET, "rejects", ("run_id", "number"),
    text("run_id", nullable=False), integer("number", nullable=False), text("ticker"), text("date"),
    text("reason", nullable=False), text("payload"),
)  # fmt: skip

table_checksums = table(
    MARKET, "table_checksums", ("run_id", "table_name"),
    text("run_id", nullable=False), text("table_name", nullable=False), integer("rows", nullable=False),
    text("checksum", nullable=False),
)  # fmt: skip

partition_checksums = table(
    MARKET, "partition_checksums", ("table_name", "part"),
    text("table_name", nullable=False), text("part", nullable=False), integer("rows", nullable=False),
    text("checksum", nullable=False),
    derived=True,
)  # fmt: skip

step_inputs = table(
    MARKET, "step_inputs", ("step", "owner"),
    text("step", nullable=False), text("owner", nullable=False), text("digest", nullable=False),
    derived=True,
)  # fmt: skip

published = table(
    MARKET, "published", ("run_id",),
    text("run_id", nullable=False), text("source", nullable=False), text("published_at", nullable=False),
    text("code_version", nullable=False),
)  # fmt: skip
