"""What the bench of the functions says, and that what it sends arrives."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from bench.functions import CONNECTIONS, Measured, one_load
from bench.functions_jobs import ALONE, FERSK, PEER, Job
from bench.load import encode, send
from tests.support.upstream import Upstream


def test_a_ratio_is_that_of_neighbours_and_the_worst_job_is_said_of_all() -> None:
    measured = Measured()
    for job, factor in (("health", 2.0), ("other", 3.0)):
        for slow in (1, 1, 10):  # a moment in which the machine was busy
            for side, milliseconds in ((FERSK, 100 * factor), (ALONE, 80 * factor), (PEER, 100)):
                measured.starts[job, side].append(milliseconds * slow)
                measured.memory[job, side].append(milliseconds / 2)
            for connections in CONNECTIONS:
                for side, per_second in ((FERSK, 500 / factor), (PEER, 500)):
                    measured.loads[job, connections, side].append({"per_second": per_second / slow})
    figures = measured.figures()
    assert (figures["cold_start_ratio_health"], figures["cold_start_ratio_other"]) == (2, 3)
    assert figures["cold_start_ratio_health_own_server"] == 1.6
    assert figures["rps_ratio_8"] == figures["rps_ratio_8_other"] == pytest.approx(1 / 3)
    assert figures["memory_ratio"] == 3


def answering(status: int) -> tuple[Upstream, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(status, text="answer")

    return Upstream(answer), seen


@pytest.mark.parametrize("status", [200, 500])
async def test_load_counts_what_was_answered(status: int) -> None:
    server, seen = answering(status)
    await server.start()
    port = int(server.url.rpartition(":")[2])
    request = encode("POST", port, "/?a=b", {"x-y": "z"}, b"body")
    load = await asyncio.to_thread(send, port, lambda: request, 3, 0.1)
    assert server.accepted == 3
    assert load.statuses == {status: len(load.durations)} == {status: len(seen)}
    assert {(one.url.raw_path, one.content, one.headers["x-y"]) for one in seen} == {(b"/?a=b", b"body", "z")}
    if status == 500:
        job = Job("health", lambda _port: lambda: request)
        with pytest.raises(RuntimeError, match="health over 1 connections"):
            await asyncio.to_thread(one_load, job, port, 1, 0.05)
    await server.stop()
