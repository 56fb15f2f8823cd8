"""functions/openapi.json is what the declarations say, valid OpenAPI 3.1, and what functions answer to."""

from __future__ import annotations

import functools
import json
import operator
from typing import TYPE_CHECKING, Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from _shared.callers import Webhook
from _shared.http.endpoint import ENDPOINTS
from _shared.result import ErrorCode
from tests.contract.conftest import APPS
from tests.contract.test_error_shape import FAILURES
from tests.contract.world import FEW_SECONDS, SECONDS
from tools import openapi

if TYPE_CHECKING:
    from tests.contract.world import Function

DOCUMENT: dict[str, Any] = json.loads(openapi.FILE.read_text(encoding="utf-8"))


def validator(schema: dict[str, Any]) -> OAS31Validator:
    """Validate against a schema of the document, in which references are followed."""
    return OAS31Validator(schema | {"components": DOCUMENT["components"]})


def operation(function: Function, method: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][f"/{function.spec.slug}"][method.lower()]
    return found


def test_the_file_is_current() -> None:
    """`make openapi` writes it."""
    assert openapi.FILE.read_text(encoding="utf-8") == openapi.render()


def test_it_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()
    broken = DOCUMENT | {"paths": {"/health": {"get": {"responses": {"200": {}}}}}}
    assert list(OpenAPIV31SpecValidator(broken).iter_errors())


def test_every_function_is_in_it_with_its_methods() -> None:
    described = {
        path.removeprefix("/"): {name.upper() for name in item} for path, item in DOCUMENT["paths"].items()
    }
    served = {ENDPOINTS[name].slug: set(ENDPOINTS[name].methods) - {"HEAD"} for name in APPS}
    assert described == served


def test_what_several_methods_answer_is_what_their_handler_answers() -> None:
    modules = openapi.functions()
    for name, methods in openapi.METHODS.items():
        served = set(ENDPOINTS[name].methods) - {"HEAD"}
        assert set(methods) <= served
        answers = [openapi.answer_of(openapi.work_of(modules[name], name, method)) for method in served]
        union = functools.reduce(operator.or_, answers)
        assert union == openapi.answer_of(openapi.work_of(modules[name], name, "OPTIONS"))


def test_every_schema_is_used_and_every_number_is_one() -> None:
    text = json.dumps(DOCUMENT)
    for name in DOCUMENT["components"]["schemas"]:
        assert f'"#/components/schemas/{name}"' in text, name
    snapshot = DOCUMENT["components"]["schemas"]["HierarchyPayload"]["properties"]
    assert snapshot["total_hours"] == {"type": "number"}
    assert DOCUMENT["components"]["schemas"]["HierarchyStats"]["properties"]["stale"]["description"]


async def test_a_function_answers_as_described(function: Function) -> None:
    for method in function.spec.methods:
        if method == "HEAD":
            continue
        answer = await function.call(function.some_caller(), method=method)
        assert answer.status_code == 200, answer.text
        content = operation(function, method)["responses"]["200"]["content"]
        if function.media_type != "application/json":
            assert [*content] == [function.media_type.partition(";")[0]]
            assert answer.headers["content-type"] == function.media_type
            continue
        described = content["application/json"]
        validator(described["schema"]).validate(answer.json())
        if "example" in described:
            validator(described["schema"]).validate(described["example"])
        assert list(validator(described["schema"]).iter_errors({"data": {"unexpected": 1}}))


@pytest.mark.parametrize(("mode", "code"), FAILURES.items(), ids=FAILURES)
async def test_a_function_fails_as_described(function: Function, mode: str, code: str) -> None:
    function.network.mode = mode
    function.give_up_after(FEW_SECONDS if mode == "hanging" else SECONDS)
    answer = await function.call(function.some_caller())
    described = operation(function, function.method)["responses"]
    status = ErrorCode(code).status
    if code == "feature_disabled" and str(status) not in described:
        assert "feature_disabled" not in openapi.section(function.spec.slug)  # nothing behind it has a switch
        return
    response = DOCUMENT["components"]["responses"][described[str(status)]["$ref"].rpartition("/")[2]]
    validator(response["content"]["application/json"]["schema"]).validate(answer.json())


async def test_the_described_input_is_the_accepted_one(function: Function) -> None:
    described = operation(function, function.method)
    for parameter in described.get("parameters", []):
        call = await function.call(function.some_caller(), query={parameter["name"]: "not \0 valid"})
        assert call.status_code == 400
        assert parameter["name"] in call.json()["error"]["message"]
    if "requestBody" in described:
        schema = described["requestBody"]["content"]["application/json"]["schema"]
        for kind in function.spec.callers:
            body = json.loads(function.body(kind) or b"{}")
            validator(schema).validate(body)
        if Webhook in function.spec.callers:
            assert list(validator(schema).iter_errors({"unknown": 1}))
