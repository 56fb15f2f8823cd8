"""Calling the functions as apps, schedules and strangers do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.waiting import eventually

if TYPE_CHECKING:
    from uuid import UUID

    import httpx

    from _shared.result import ErrorCode
    from local.stack import Stack
    from tests.functions.hierarchy.scene import Forest

STATS, INVALIDATE, WARM = "hierarchy-stats", "invalidate-hierarchy-cache", "warm-hierarchy-cache"


def read(
    http: httpx.Client, headers: dict[str, str], unit_id: UUID | str, year: int | None = 2026
) -> httpx.Response:
    query = {"unit_id": str(unit_id)} | ({"year": str(year)} if year else {})
    return http.get(STATS, params=query, headers=headers)


def summary(http: httpx.Client, headers: dict[str, str], unit_id: UUID, year: int | None = 2026) -> Any:
    response = read(http, headers, unit_id, year)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    return response.json()["data"]


def post(http: httpx.Client, stack: Stack, slug: str, **body: Any) -> Any:
    response = http.post(slug, json=body, headers={"apikey": stack.secret_key})
    assert response.status_code == 200, response.text
    return response.json()["data"]


def assert_refused(response: httpx.Response, code: ErrorCode, message: str | None = None) -> None:
    assert response.status_code == code.status, response.text
    error = {
        "code": code,
        "message": message or code.message,
        "request_id": response.headers["x-request-id"],
    }
    assert response.json() == {"error": error}


def becomes_fresh(http: httpx.Client, headers: dict[str, str], unit_id: UUID) -> None:
    eventually(lambda: summary(http, headers, unit_id)["stale"] is False)


def read_until_counted(http: httpx.Client, headers: dict[str, str], forest: Forest, unit_id: UUID) -> None:
    """Read a summary until it is among those read most, and so cached."""
    query = "select from public.hierarchy_node_access where unit_id = %s"

    def is_counted() -> bool:
        summary(http, headers, unit_id)
        return forest.db.execute(query, [unit_id]).fetchone() is not None

    eventually(is_counted)
