from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from _shared import logs

if TYPE_CHECKING:
    from collections.abc import Callable


def test_an_event_is_one_line_with_its_fields(log_lines: Callable[[], list[dict[str, Any]]]) -> None:
    logs.log(logging.INFO, "request", function="health", status=200)
    (line,) = log_lines()
    assert datetime.fromisoformat(line.pop("ts")).tzinfo is not None
    assert line == {"severity": "INFO", "event": "request", "function": "health", "status": 200}


def test_a_key_that_is_not_allowed_is_refused(log_lines: Callable[[], list[dict[str, Any]]]) -> None:
    with pytest.raises(ValueError, match=r"^not a log field: body, email$"):
        logs.log(logging.INFO, "request", email="kari@nhf.example", body="{}")  # type: ignore[call-arg]
    assert log_lines() == []


def test_configuring_again_changes_the_level_and_adds_no_second_line(
    log_lines: Callable[[], list[dict[str, Any]]],
) -> None:
    logs.configure("WARNING")
    logs.log(logging.INFO, "quiet")
    logs.log(logging.WARNING, "heard")
    assert [line["event"] for line in log_lines()] == ["heard"]


def test_an_exception_is_logged_without_its_messages(
    log_lines: Callable[[], list[dict[str, Any]]],
) -> None:
    def fail() -> None:
        try:
            int("kari@nhf.example")
        except ValueError as error:
            raise RuntimeError("while reading kari@nhf.example") from error

    with pytest.raises(RuntimeError) as raised:
        fail()
    logs.log_exception("unexpected_error", raised.value, function="health")
    (line,) = log_lines()
    assert line["severity"] == "ERROR"
    assert line["error_type"] == "RuntimeError < ValueError"
    assert any(frame.endswith(" fail") for frame in line["trace"])
    assert "kari" not in str(line)


def test_a_circle_of_causes_ends() -> None:
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    assert [type(link) for link in logs._chain(first)] == [ValueError, KeyError]
