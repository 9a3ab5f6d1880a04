"""What a visitor sees of a bug: a plain notice; the log has the rest."""

import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
from dispatch import Dispatch, text_of, with_class
from opened_page import opened, view


def planted(*_arguments: Any, **_options: Any) -> Any:
    raise ZeroDivisionError("planted at /secret/path.py: SELECT 1")


def test_a_bug_in_a_page_is_a_card_and_a_log_line(
    serve: Callable[..., Any], simulated: Any, dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    serve(db=simulated.db)
    monkeypatch.setattr("dashapp.pages.technical.chart.technical_figure", planted)
    with caplog.at_level(logging.ERROR):
        content = opened(dispatch, "technical", view("SIM001"))
    words = text_of(with_class(content, "empty-state"))
    assert "An unexpected error; the log has the details." in words
    assert not re.search(r"planted|Traceback|\.py|SELECT", words)
    (record,) = caplog.records
    assert record.message == "dashapp.pages.technical.chart._drawn failed"
    assert record.exc_info


def test_a_bug_elsewhere_is_a_notice_and_a_log_line(
    dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("dashapp.shell.status", planted)
    with caplog.at_level(logging.ERROR):
        written = dispatch("shell-badge.children", view("SIM001"))
    assert text_of(written["shell-toasts.children"]) == "An unexpected error; the log has the details."
    assert "shell-badge.children" not in written
    (record,) = caplog.records
    assert record.message == "callback of shell-url.pathname failed"
    assert record.exc_info
