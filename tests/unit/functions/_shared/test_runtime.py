from __future__ import annotations

import pytest
from starlette.applications import Starlette

from _shared.database import Database
from _shared.http.auth import Authenticator
from _shared.http.endpoint import runtime_of
from _shared.runtime import Runtime, process_runtime
from _shared.settings import settings
from tests.support.credentials import ENVIRONMENT, make_settings
from tests.support.fake_database import FakeDatabase


@pytest.fixture
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    process_runtime.cache_clear()


@pytest.mark.usefixtures("_environment")
def test_a_process_has_one_runtime_made_on_first_use() -> None:
    first = runtime_of(Starlette())
    assert isinstance(first.database, Database)
    assert runtime_of(Starlette()) is first
    settings.cache_clear()
    process_runtime.cache_clear()


def test_an_app_may_bring_its_own() -> None:
    chosen = make_settings()
    runtime = Runtime(chosen, FakeDatabase(), Authenticator(chosen, network=None))  # type: ignore[arg-type]
    app = Starlette()
    app.state.runtime = runtime
    assert runtime_of(app) is runtime
