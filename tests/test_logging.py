"""One event is one line, in text and in JSON, whatever it carries."""

import io
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from config import ROOT, JsonFormatter, TextFormatter, load_settings, one_line

HOSTILE = "done\n2026-01-01T00:00:00.000Z ERROR pipeline: forged\r\x0b\x0c\x1b[2J\x85\u2028\u2029\udc80\x00"


def logged(
    formatter: logging.Formatter, message: str, *arguments: Any, error: Exception | None = None, fields: Any = None
) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger = logging.Logger("pipeline.runner")
    logger.addHandler(handler)
    logger.info(message, *arguments, exc_info=error, extra={"fields": fields} if fields else None)
    return stream.getvalue()


def caught(text: str) -> Exception:
    def fail() -> None:
        raise ValueError(text)

    try:
        fail()
    except ValueError as error:
        return error
    raise AssertionError


def test_text_reads_as_a_sentence_with_its_fields() -> None:
    fields = {"step": "prices", "rows": 600, "seconds": 1.5, "message": 'a "b"', "empty": ""}
    line = logged(TextFormatter(), "step %s", "finished", fields=fields)
    when, rest = line.split(" ", 1)
    assert len(when) == len("2026-01-05T03:30:00.000Z")
    assert when[10] == "T"
    assert when.endswith("Z")
    assert rest == (
        'INFO pipeline.runner: step finished step=prices rows=600 seconds=1.5 message="a \\"b\\"" empty=""\n'
    )


def test_json_holds_the_event_its_fields_and_nothing_forged() -> None:
    line = logged(JsonFormatter(), "step finished", fields={
        "step": "prices", "rows": 600, "ok": True, "none": None, "undefined": float("nan"), "path": ROOT,
        "level": "FORGED", "event": "forged",
    })  # fmt: skip
    entry = json.loads(line, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "level": "INFO", "logger": "pipeline.runner", "event": "step finished", "step": "prices", "rows": 600,
        "ok": True, "none": None, "undefined": None, "path": str(ROOT),
    }  # fmt: skip


@pytest.fixture(params=["Asia/Tokyo", "America/New_York"])
def _elsewhere(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_elsewhere")
def test_the_time_is_utc() -> None:
    record = logging.LogRecord("x", logging.INFO, "x", 1, "m", None, None)
    record.created = 1_767_583_800.25
    assert TextFormatter().format(record).startswith("2026-01-05T03:30:00.250Z ")
    assert json.loads(JsonFormatter().format(record))["time"] == "2026-01-05T03:30:00.250Z"


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()], ids=["text", "json"])
def test_nothing_makes_a_second_line_or_drives_a_terminal(formatter: logging.Formatter) -> None:
    line = logged(formatter, HOSTILE + "%s", HOSTILE, error=caught(HOSTILE), fields={"field": HOSTILE, HOSTILE: 1})
    assert line.endswith("\n")
    assert len(line.splitlines()) == 1
    assert not [letter for letter in line[:-1] if ord(letter) < 32 or 127 <= ord(letter) < 160]
    line.encode("utf-8")


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()], ids=["text", "json"])
def test_an_exception_is_whole_and_in_the_line(formatter: logging.Formatter) -> None:
    line = logged(formatter, "step failed", error=caught("lost"))
    assert "Traceback (most recent call last)" in line
    assert "ValueError: lost" in line
    if isinstance(formatter, JsonFormatter):
        assert json.loads(line)["exception"].count("\n") >= 2


def test_one_line_keeps_what_is_harmless() -> None:
    assert one_line("Zürich – 5 % \\n 漢字 🙂") == "Zürich – 5 % \\n 漢字 🙂"
    assert one_line("a\nb\tc") == r"a\nb\tc"


@pytest.mark.parametrize(("variable", "value"), [("LOG_FORMAT", "xml"), ("LOG_LEVEL", "LOUD"), ("LOG_LEVEL", "")])
def test_another_format_or_level_names_those_allowed(variable: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"PLUMBLINE_{variable}='{value}': allowed are "):
        load_settings({f"PLUMBLINE_{variable}": value})


def test_words_are_taken_in_any_case() -> None:
    settings = load_settings({"PLUMBLINE_LOG_FORMAT": "JSON", "PLUMBLINE_LOG_LEVEL": "debug"})
    assert (settings.log_format, settings.log_level) == ("json", "DEBUG")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_process_writes_its_log_to_standard_error(log_format: str) -> None:
    code = (
        "import logging, config; config.start_logging(config.load_settings());"
        "log = logging.getLogger('pipeline'); log.debug('unseen'); log.info('seen', extra={'fields': {'rows': 1}});"
        "logging.getLogger('waitress').info('chat')"
    )
    environment = os.environ | {"PLUMBLINE_LOG_FORMAT": log_format}
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    (line,) = ran.stderr.splitlines()
    assert ran.stdout == ""
    if log_format == "json":
        assert json.loads(line) | {"time": ""} == {
            "time": "", "level": "INFO", "logger": "pipeline", "event": "seen", "rows": 1,
        }  # fmt: skip
    else:
        assert line.endswith("Z INFO pipeline: seen rows=1")
