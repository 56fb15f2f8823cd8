"""The page at the root of the gateway: static files, and the one setting it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from local.stack import Stack


def test_the_page_and_its_parts_are_served(stack: Stack) -> None:
    page = httpx.get(f"{stack.api_url}/", timeout=10)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    for part in ("main.mjs", "styles.css", "vendor/supabase.js", "vendor/chart.js"):
        assert f'"{part}"' in page.text
        assert httpx.get(f"{stack.api_url}/{part}", timeout=10).status_code == 200


def test_the_page_learns_the_publishable_key_and_no_other(stack: Stack) -> None:
    answer = httpx.get(f"{stack.api_url}/config.json", timeout=10)
    assert answer.json() == {"publishable_key": stack.publishable_key}


@pytest.mark.parametrize(
    "path",
    [
        "/../package.json",
        "/%2e%2e/package.json",
        "/.env",
        "/nothing",
        "/vendor/nothing",
        "/vendor/../vendor.jso",
        "/vendor/__proto__",
    ],
)
def test_nothing_outside_the_page_is_served(stack: Stack, path: str) -> None:
    answer = httpx.get(stack.api_url + path, timeout=10)
    assert (answer.status_code, answer.json()) == (404, {"message": "Not found"})
