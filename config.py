"""Settings and logging: one list of name, default and help drives the environment, --help and the README table."""

import json
import logging
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, make_dataclass
from datetime import UTC, datetime
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
    allowed: tuple[str, ...] = ()  # for words; capitals do not matter

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
        """Return a value within the setting's bounds, a word as `allowed` spells it; raises ValueError naming them."""
        if self.allowed:
            for word in self.allowed:
                if word.lower() == str(value).lower():
                    return word
            raise ValueError(f"{self.variable}={value!r}: allowed are {', '.join(self.allowed)}")
        if isinstance(value, int | float) and not self.minimum <= value <= self.maximum:
            raise ValueError(f"{self.variable}={value}: allowed is {self.minimum} to {self.maximum}")
        return value


SETTINGS = (
    Setting("db", ROOT / "data.db", "the market store; rebuilt from sources at any time"),
    Setting("workspace", ROOT / "workspace.db", "your own results; cannot be rebuilt"),
    Setting(
        "cache_dir",
        ROOT / ".cache",
        "private folder for job hand-over, prices kept between backtests and the session key",
    ),
    Setting("source", "sample", "source of the first build; later updates keep the source of the store"),
    Setting("host", "127.0.0.1", "address the app listens on; another than loopback needs a secret key and a password"),
    Setting("port", 8050, "port the app listens on", 0, 65_535),
    Setting("secret_key", "", "signs sessions and job handles; made and kept in the cache folder where empty"),
    Setting("password", "", "asked of every visitor where set (user name: analyst)"),
    Setting("log_level", "INFO", "DEBUG, INFO, WARNING or ERROR", allowed=("DEBUG", "INFO", "WARNING", "ERROR")),
    Setting("log_format", "text", "text or json: how an event is written, one line each", allowed=("text", "json")),
    Setting("workers", 2, "backtests that run at once; more wait in line", 1, 64),
    Setting("job_seconds", 120, "a backtest is stopped after this many seconds", 0.05, 86_400),
    Setting("job_megabytes", 1_024, "memory that a backtest may take beyond what an idle worker has", 64, 1_048_576),
    Setting("jobs_per_minute", 60, "backtests submitted within a minute; one browser may take half of them", 2, 10_000),
    Setting("publication_lag_days", 45, "days after a month until its factor returns count as known", 0, 3_650),
    Setting("update_processes", 2, "processes that share the computing of an update", 1, 64),
    Setting("keep_fit_years", 50, "years of month-end factor fits that are kept per ticker", 1, 200),
    Setting("keep_runs", 90, "runs whose account (steps, fetch log, rejects, checksums) is kept", 1, 10_000),
    Setting("query_seconds", 5.0, "a read query is stopped after this many seconds", 0.05, 3_600),
    Setting("update_seconds", 3_600, "an update started by Refresh data is stopped after this many seconds", 1, 86_400),
    Setting(
        "standard_seconds", 900, "seconds that the standard backtests after an update may take; 0: none", 0, 86_400
    ),
    Setting("stale_hours", 36.0, "hours after which the header and the check call the data stale", 1, 8_760),
    Setting("alert_webhook", "", "http or https address that alerts are posted to as JSON"),
    Setting("alert_to", "", "mail addresses that alerts are sent to, separated by commas; needs a mail server"),
    Setting("alert_from", "", "sender of these mails; the first recipient where empty"),
    Setting("alert_repeat_hours", 20.0, "hours in which the same kind of alert is not sent again", 0, 8_760),
    Setting("smtp_host", "", "mail server"),
    Setting("smtp_port", 587, "its port", 1, 65_535),
    Setting("smtp_user", "", "user name at the mail server, where it asks for one"),
    Setting("smtp_password", "", "password at the mail server; sent over TLS only"),
    Setting("smtp_starttls", default=True, help="encrypt the connection to the mail server"),
    Setting("yahoo_batch", 10, "tickers per download process", 1, 200),
    Setting("yahoo_batch_seconds", 120.0, "a download process is stopped after this many seconds", 1, 3_600),
    Setting("yahoo_processes", 3, "download processes at once", 1, 3),
    Setting("yahoo_ticker_seconds", 30.0, "a download process is stopped where one ticker takes longer", 0.1, 3_600),
    Setting("yahoo_budget_seconds", 600.0, "after this many seconds no more is asked of Yahoo", 1, 86_400),
    Setting("yahoo_rate", 2.0, "tickers asked of Yahoo per second, by all processes together", 0.01, 1_000),
    Setting("yahoo_backoff_seconds", 30.0, "least silence after three refusals in a row; it doubles", 0.01, 3_600),
    Setting("fundamentals_days", 7, "company fundamentals are asked again after this many days", 1, 3_650),
    Setting(
        "universe_url", "https://api.nasdaq.com/api/quote/list-type/nasdaq100", "list of members for make universe"
    ),
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
# What ends a line, drives a terminal or cannot be encoded.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

# No repr: it would show the secrets to whoever logs the settings.
Settings = make_dataclass("Settings", [(item.name, Any, item.default) for item in SETTINGS], frozen=True, repr=False)


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


def one_line(text: str) -> str:
    """Return `text` with every control character as its escape, so that nothing in it can begin another line."""
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


class TextFormatter(logging.Formatter):
    """One line per event: time, level, logger and message, then the fields as key=value, then the exception."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of text."""
        fields = "".join(f" {key}={_word(value)}" for key, value in _fields(record).items())
        exception = _exception(self, record)
        line = f"{_time(record)} {record.levelname} {record.name}: {record.getMessage()}{fields}"
        return one_line(f"{line} exception={json.dumps(exception, ensure_ascii=False)}" if exception else line)


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time, level, logger and event, then the fields, then the exception as one string."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON; a field cannot take the place of the four that every line has."""
        own = {
            "time": _time(record), "level": record.levelname, "logger": record.name, "event": record.getMessage(),
        }  # fmt: skip
        exception = _exception(self, record)
        line = own | {key: value for key, value in _fields(record).items() if key not in own}
        return json.dumps(line | ({"exception": exception} if exception else {}))


FORMATTERS = {"text": TextFormatter, "json": JsonFormatter}


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """What `extra={"fields": {...}}` gave: numbers, words and None stay, an undefined number is None, the rest is text."""
    fields = {}
    for key, value in getattr(record, "fields", {}).items():
        if isinstance(value, float) and not math.isfinite(value):
            value = None
        fields[str(key)] = value if value is None or isinstance(value, str | int | float) else str(value)
    return fields


def _word(value: Any) -> str:
    """A field's value in a line of text: in quotes where it would not be one word."""
    text = str(value)
    return text if re.fullmatch(r"[^\s\"=]+", text) else json.dumps(text, ensure_ascii=False)


def _exception(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return formatter.formatException(record.exc_info) if record.exc_info and record.exc_info[0] else ""


def start_logging(settings: Any) -> None:
    """Send every log line of this process to standard error, one line per event, as text or JSON."""
    handler = logging.StreamHandler()
    handler.setFormatter(FORMATTERS[settings.log_format]())
    logging.basicConfig(level=settings.log_level, handlers=[handler])
    for name, level in LIBRARY_LEVELS.items():
        logging.getLogger(name).setLevel(level)
