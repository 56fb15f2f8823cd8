"""The page that shows the functions needs no other origin."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import httpx

from tools.openapi import FILE

if TYPE_CHECKING:
    from local.stack import Stack


def test_the_page_and_all_that_it_loads_come_from_here(stack: Stack) -> None:
    with httpx.Client(trust_env=False) as http:
        page = http.get(f"{stack.api_url}/api/")
        assert page.status_code == 200
        loaded = [
            url for url in re.findall(r'(?:src|href|data-openapi)="([^"]+)"', page.text) if url != "data:,"
        ]
        assert len(loaded) == 4
        for url in loaded:
            absolute = urljoin(str(page.url), url)
            assert absolute.startswith(f"{stack.api_url}/"), url
            assert http.get(absolute).status_code == 200, url
        script = http.get(f"{stack.api_url}/api/api.mjs").text
        assert "validatorUrl: null" in script
        assert http.get(f"{stack.api_url}/api/ui/../../../package.json").status_code == 404
        style = http.get(f"{stack.api_url}/api/ui/swagger-ui.css").text
        assert re.findall(r"url\((?!\"?data:)[^)]*\)", style) == []


def test_the_description_is_the_committed_one(stack: Stack) -> None:
    with httpx.Client(trust_env=False) as http:
        answer = http.get(
            f"{stack.api_url}/functions/v1/openapi.json", headers={"origin": "https://app.example"}
        )
    assert answer.json() == json.loads(FILE.read_text(encoding="utf-8"))
    assert answer.headers["access-control-allow-origin"] == "*"
