"""Every request in examples/fersk.http is answered as well as its reader hopes, in the order of the file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx

from local.requirements import ROOT

if TYPE_CHECKING:
    from local.stack import Stack

FILE = ROOT / "examples" / "fersk.http"
VARIABLE = re.compile(r"\{\{([\w.]+)\}\}")


def look_up(values: dict[str, Any], path: str) -> str:
    """Follow a reference such as `kari.response.body.access_token`."""
    found: Any = values
    for name in path.replace(".response.body", "").split("."):
        found = found[int(name) if name.isdigit() else name]
    return str(found)


def test_every_example_is_answered(stack: Stack) -> None:
    head, *requests = re.split(r"^###.*\n", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert re.findall(r"^@(\w+) = ", head, re.MULTILINE) == ["url", "key"]
    values: dict[str, Any] = {"url": stack.api_url, "key": stack.publishable_key}
    with httpx.Client(trust_env=False) as http:
        for text in requests:
            name = re.search(r"^# @name (\w+)$", text, re.MULTILINE)
            plain = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
            filled = VARIABLE.sub(lambda match: look_up(values, match[1]), plain)
            heading, _, body = filled.strip().partition("\n\n")
            (method, url), headers = heading.splitlines()[0].split(" ", 1), heading.splitlines()[1:]
            sent = dict(line.split(": ", 1) for line in headers)
            answer = http.request(method, url, headers=sent, content=body or None)
            assert answer.is_success, f"{method} {url}: {answer.text}"
            assert method == "DELETE" or answer.json() not in ([], {}), url
            if name:
                values[name[1]] = answer.json()
    assert len(requests) > 12
