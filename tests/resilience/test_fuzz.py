"""Whatever a caller sends gets an answer that is documented. A short run; `make fuzz` is the long one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from local.stack import Stack
from tests.resilience.fuzz import functions, junk
from tests.support.stacks import own_stack
from tests.support.work_limits import lifted

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = 20261127
KNOWN = {200, 201, 400, 404}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give a stack of its own: junk is written, too."""
    with own_stack(tmp_path_factory, "fuzz") as stack:
        yield stack


@pytest.mark.parametrize("caller", ["org admin", "secret key", "webhook"])
def test_functions_answer_as_described_whatever_they_are_sent(own: Stack, caller: str) -> None:
    with lifted(own):
        outcome = functions.call(own, caller, 4, SEED, functions.real_values(own), phases="examples,fuzzing")
    assert outcome.findings == 0, outcome.printed
    assert outcome.cases > 40


def test_postgrest_refuses_junk_in_words(own: Stack) -> None:
    found = junk.throw(own, 400, SEED)
    assert found.findings == []
    assert found.statuses.total() == 400
    assert found.statuses[200] > 0
    assert found.statuses[400] > 50


def answer(status: int, content: str) -> httpx.Response:
    return httpx.Response(status, text=content)


def test_what_should_not_be_answered_is_found() -> None:
    known = junk.documented()
    assert known >= KNOWN
    assert known & {500, 502, 503, 504} == set()
    assert junk.judge("GET", answer(500, '{"message": "x"}'), known) == "undocumented status 500"
    assert junk.judge("GET", answer(418, "{}"), known) == "undocumented status 418"
    assert junk.judge("GET", answer(400, "<html>"), known) == "400 without JSON"
    assert junk.judge("GET", answer(400, "{}"), known) == "400 without a message"
    assert junk.judge("POST", answer(404, "{}"), known) is None
    assert junk.judge("GET", answer(400, '{"message": "x"}'), known) is None


def test_a_server_that_is_wrong_is_found(own: Stack) -> None:
    """The checks of schemathesis are on: PostgREST is not what the description of the functions says."""
    elsewhere = Stack(own.instance.state_dir)
    elsewhere.functions_url = own.rest_url
    outcome = functions.call(elsewhere, functions.NOBODY, 1, SEED, {}, phases="fuzzing")
    assert outcome.findings > 0
