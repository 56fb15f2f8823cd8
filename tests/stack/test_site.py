"""`make docs`: every page is in the site, a dead link fails it, and the functions' page needs no server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from local.errors import StackError
from local.requirements import ROOT
from tests.support import documents
from tools import site

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    """Needs the network where MkDocs is not installed yet."""
    site.install()


def test_every_page_is_in_the_site() -> None:
    site.build()
    for page in documents.PAGES:
        name = "index.html" if page.name == "README.md" else f"{page.stem}.html"
        assert (site.SITE / page.relative_to(ROOT).parent / name).exists(), page
    deploy = (site.SITE / "docs" / "howto" / "deploy.html").read_text(encoding="utf-8")
    assert 'id="functions-one-image"' in deploy
    assert "```" not in deploy, "a block that is not seen as code"
    api = site.SITE / "docs" / "api"
    loaded = re.findall(
        r'(?:src|href|data-openapi)="([^"]+)"', (api / "index.html").read_text(encoding="utf-8")
    )
    assert "openapi.json" in loaded
    assert [name for name in loaded if name != "data:," and not (api / name).exists()] == []


@pytest.mark.parametrize("target", ["nothing.md", "glossary.md#nowhere"])
def test_a_dead_link_fails_it(monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    original = site._write

    def write(file: Path, text: str) -> None:
        original(file, f"{text}\n[x]({target})\n" if file.name == "fold.md" else text)

    monkeypatch.setattr(site, "_write", write)
    with pytest.raises(StackError, match=re.escape(target.rpartition("#")[2])):
        site.build()
