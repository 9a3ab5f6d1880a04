"""Settings and logging: one list of name, default and help drives the environment, --help and the README table."""

import logging
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, make_dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
PREFIX = "PLUMBLINE_"


@dataclass(frozen=True)
class Setting:
    """One setting; the type of its default is the type of its value."""

    name: str
    default: Any
    help: str
    minimum: float = -math.inf
    maximum: float = math.inf

    @property
    def variable(self) -> str:
        """The environment variable that overrides it."""
        return PREFIX + self.name.upper()

    @property
    def shown_default(self) -> str:
        """The default as documents show it: a file's name without its folder."""
        return self.default.name if isinstance(self.default, Path) else str(self.default)

    def parse(self, text: str) -> Any:
        """Return `text` as the setting's type; raises ValueError naming the variable."""
        kind = type(self.default)
        if isinstance(self.default, bool):
            if text.lower() not in ("1", "0", "true", "false", "yes", "no"):
                raise ValueError(f"{self.variable}={text!r}: allowed are 1, 0, true, false, yes, no")
            return text.lower() in ("1", "true", "yes")
        try:
            value = Path(text) if isinstance(self.default, Path) else kind(text)
        except ValueError:
            raise ValueError(f"{self.variable}={text!r}: must be of type {kind.__name__}") from None
        return self.check(value)

    def check(self, value: Any) -> Any:
        """Return a value within the setting's bounds; raises ValueError naming them."""
        if isinstance(value, int | float) and not self.minimum <= value <= self.maximum:
            raise ValueError(f"{self.variable}={value}: allowed is {self.minimum} to {self.maximum}")
        return value


SETTINGS = (
    Setting("db", ROOT / "data.db", "the market store; rebuilt from sources at any time"),
    Setting("workspace", ROOT / "workspace.db", "your own results; cannot be rebuilt"),
    Setting("cache_dir", ROOT / ".cache", "private folder for job hand-over and the session key"),
    Setting("source", "sample", "source of the first build; later updates keep the source of the store"),
    Setting("host", "127.0.0.1", "address the app listens on; another than loopback needs a secret key and a password"),
    Setting("port", 8050, "port the app listens on", 0, 65_535),
    Setting("secret_key", "", "signs sessions and job handles; made and kept in the cache folder where empty"),
    Setting("password", "", "asked of every visitor where set (user name: analyst)"),
    Setting("log_level", "INFO", "DEBUG, INFO, WARNING or ERROR"),
    Setting("workers", 2, "backtests that run at once; more wait in line", 1, 64),
    Setting("job_seconds", 120, "a backtest is stopped after this many seconds", 0.05, 86_400),
    Setting("publication_lag_days", 45, "days after a month until its factor returns count as known", 0, 3_650),
    Setting("query_seconds", 5.0, "a read query is stopped after this many seconds", 0.05, 3_600),
    Setting("yahoo_batch", 10, "tickers per download process", 1, 200),
    Setting("yahoo_batch_seconds", 120.0, "a download process is stopped after this many seconds", 1, 3_600),
    Setting(
        "french_url", "https://mba.tuck.dartmouth.edu/pages/faculty/ken.french/ftp", "Kenneth French's data library"
    ),
    Setting("simulated_tickers", 20, "stocks of the simulated market", 1, 10_000),
    Setting("simulated_years", 10, "years of the simulated market", 1, 100),
    Setting("simulated_seed", 7, "seed of the simulated market", 0, 2**32 - 1),
)

# Libraries that chat, and two that report as errors what we explain ourselves.
LIBRARY_LEVELS = {
    "waitress": logging.WARNING, "werkzeug": logging.WARNING, "yfinance": logging.CRITICAL, "peewee": logging.CRITICAL,
}  # fmt: skip
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

Settings = make_dataclass("Settings", [(item.name, Any, item.default) for item in SETTINGS], frozen=True)


def load_settings(environment: Mapping[str, str] | None = None, **overrides: Any) -> Any:
    """Return frozen settings: the defaults, then PLUMBLINE_* variables, then keyword overrides that are not None.

    Raises ValueError on a value of the wrong type.
    """
    environment = os.environ if environment is None else environment
    values = {item.name: item.parse(environment[item.variable]) for item in SETTINGS if item.variable in environment}
    declared = {item.name: item for item in SETTINGS}
    given = {name: declared[name].check(value) for name, value in overrides.items() if value is not None}
    return Settings(**(values | given))


def settings_help() -> str:
    """Return the environment variables with their meaning and default, a line each, for --help."""
    lines = [f"  {item.variable:32} {item.help} (default {item.shown_default or 'none'})" for item in SETTINGS]
    return "\n".join(["environment variables:", *lines])


def start_logging(settings: Any) -> None:
    """Send every log line of this process to standard error in one format; raises ValueError on an unknown level."""
    logging.basicConfig(level=settings.log_level.upper(), format=LOG_FORMAT)
    for name, level in LIBRARY_LEVELS.items():
        logging.getLogger(name).setLevel(level)
