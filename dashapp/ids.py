"""Component ids, declared once per page: a misspelt one fails at import instead of staying silent."""

from types import SimpleNamespace


def ids(prefix: str, *names: str) -> SimpleNamespace:
    """Return a namespace in which every name holds the id "prefix-name"."""
    return SimpleNamespace(**{name: f"{prefix}-{name.replace('_', '-')}" for name in names})


SHELL = ids(
    "shell", "url", "ticker", "ticker_box", "range", "range_box", "options", "theme", "theme_name", "view", "badge", "toasts",
    "tick", "run", "update",
    "backtest_request", "backtest_job", "backtest_outcome", "sweep_request", "sweep_job", "sweep_outcome",
)  # fmt: skip
