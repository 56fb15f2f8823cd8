"""`make openapi`: write functions/openapi.json, what the functions take and answer.

Methods, callers and inputs are those of `@endpoint`, answers the return types of the handlers, errors those
that the docstrings name, examples those of docs/reference/functions.md. The server serves the file as it is.
"""

from __future__ import annotations

import ast
import inspect
import json
import pkgutil
import re
import tomllib
from dataclasses import dataclass
from functools import reduce
from importlib import import_module
from operator import or_
from types import UnionType
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from _shared.callers import Anonymous, Caller, Service, User, Webhook
from _shared.http.endpoint import ENDPOINTS
from _shared.http.file import File
from _shared.http.webhooks import WebhookPayload
from _shared.inputs import Input
from _shared.result import ErrorCode
from local.requirements import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from pydantic_core import core_schema

    from _shared.http.request import Endpoint

    Json = dict[str, Any]

FILE = ROOT / "functions" / "openapi.json"
PAGE = ROOT / "docs" / "reference" / "functions.md"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REF = "#/components/schemas/{model}"

METHODS = {
    "metric_snapshots": {"GET": "get_snapshot", "PUT": "put_snapshot", "DELETE": "delete_snapshot"},
    "bufdir_reports": {"POST": "take_step"},
}
"""Where a handler only chooses, what for each method. Together, a test says, they answer what it does."""

COMMON = {
    ErrorCode.BAD_REQUEST,
    ErrorCode.PAYLOAD_TOO_LARGE,
    ErrorCode.RATE_LIMITED,
    ErrorCode.INTERNAL,
    ErrorCode.UPSTREAM_UNAVAILABLE,
    ErrorCode.UPSTREAM_TIMEOUT,
}
SCHEMES: Json = {
    "userToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                  "description": "The access token of somebody who is signed in; decides what they may see."},
    "secretKey": {"type": "apiKey", "in": "header", "name": "apikey",
                  "description": "The project's secret key (sb_secret_…): for schedules, never in an app."},
    "webhookId": {"type": "apiKey", "in": "header", "name": "webhook-id",
                  "description": "Standard Webhooks: the same for every delivery of one message."},
    "webhookTimestamp": {"type": "apiKey", "in": "header", "name": "webhook-timestamp",
                         "description": "Standard Webhooks: seconds since 1970."},
    "webhookSignature": {"type": "apiKey", "in": "header", "name": "webhook-signature",
                         "description": "Standard Webhooks: v1, and the HMAC-SHA256 of id.timestamp.body."},
}  # fmt: skip
SECURITY: dict[type[Caller], Json] = {
    User: {"userToken": []},
    Service: {"secretKey": []},
    Webhook: {"webhookId": [], "webhookTimestamp": [], "webhookSignature": []},
}
FIELD = re.compile(r"^(\w+) *: (.*(?:\n +.*)*)$", re.MULTILINE)


class Schema(GenerateJsonSchema):
    """Decimals are written as JSON numbers, digit by digit; docstrings describe fields by `name : text`."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> Json:
        """Describe a number, with its bounds."""
        bounds = {"ge": "minimum", "le": "maximum"}
        return {"type": "number"} | {bounds[key]: float(schema[key]) for key in bounds if key in schema}  # type: ignore[literal-required]

    def model_schema(self, schema: core_schema.ModelSchema) -> Json:
        """Move what the docstring says of a field to the field."""
        described = super().model_schema(schema)
        described.pop("title", None)
        text = inspect.cleandoc(described.pop("description", ""))
        for name, words in FIELD.findall(text):
            if name in described.get("properties", {}):
                described["properties"][name]["description"] = _line(words)
        for field in described.get("properties", {}).values():
            field.pop("decimal_places", None)  # no word of JSON Schema
            field.pop("max_digits", None)
        text = FIELD.sub("", text)
        if text.strip() and schema["cls"].__doc__:
            described["description"] = _line(text)
        return described

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's
        """Leave titles out: they say nothing that names do not."""
        return False

    def field_is_required(self, field: Any, total: bool) -> bool:  # noqa: FBT001 - pydantic's
        """Count what has a default as required in answers: it is always there."""
        return self.mode == "serialization" or super().field_is_required(field, total)


def _line(text: str) -> str:
    return " ".join(text.split())


def functions() -> dict[str, ModuleType]:
    """Import every function, so that it has declared itself."""
    found = [module.name for module in pkgutil.iter_modules([str(ROOT / "functions")])]
    return {name: import_module(name) for name in found if name != "main" and not name.startswith("_")}


def answers_of(work: Callable[..., Any]) -> list[Any]:
    """Give what the `Result` of a use case may hold where all is well."""
    # what only the types of its parameters need is not imported at run time
    names = {**work.__globals__, "Call": list, "Input": Input, "Database": object, "User": User}
    answer = get_args(get_args(get_type_hints(work, names)["return"])[0])[0]
    return list(get_args(answer)) if isinstance(answer, UnionType) else [answer]


def answer_of(work: Callable[..., Any]) -> Any:
    """Give the type of what is answered as JSON; File where that is nothing."""
    return reduce(or_, [answer for answer in answers_of(work) if answer is not File] or [File])


def work_of(module: ModuleType, name: str, method: str) -> Callable[..., Any]:
    """Give what a function does for a method."""
    found: Callable[..., Any] = inspect.unwrap(getattr(module, METHODS.get(name, {}).get(method, name)))
    return found


@dataclass(frozen=True)
class Operation:
    """A method of a function, and what it does for it."""

    module: ModuleType
    spec: Endpoint
    method: str
    work: Callable[..., Any]

    @property
    def envelope(self) -> str:
        """Name of its whole answer."""
        return f"{self.method.title()}{self.spec.name.title().replace('_', '')}Answer"


def _operations() -> Iterator[Operation]:
    for name, module in functions().items():
        spec = ENDPOINTS[name]
        for method in spec.methods:
            if method != "HEAD":
                yield Operation(module, spec, method, work_of(module, name, method))


def errors_of(module: ModuleType, spec: Endpoint) -> set[ErrorCode]:
    """Give what a function may fail with: what all may, and what its docstrings name under `Errors`."""
    named = set()
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        text = (
            ast.get_docstring(node) or "" if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else ""
        )
        _, _, errors = text.partition("Errors")
        errors, _, _ = errors.partition("Source")
        named |= {code for code in ErrorCode if re.search(rf"\b{code}\b", errors)}
    if Anonymous in spec.callers:
        return COMMON | named
    return COMMON | named | {ErrorCode.UNAUTHORIZED, ErrorCode.FORBIDDEN}


def section(slug: str) -> str:
    """Give what the page says of a function."""
    _, _, found = PAGE.read_text(encoding="utf-8").partition(f"\n## `{slug}`\n")
    return found.partition("\n## ")[0]


def examples(slug: str) -> list[Json]:
    """Give the answers that the page shows in full for a function, in its order."""
    blocks = re.findall(r"^```json\n(.*?)^```", section(slug), re.MULTILINE | re.DOTALL)
    return [json.loads(block) for block in blocks if "…" not in block]


def render() -> str:
    """Give the text of the file."""
    operations = list(_operations())
    in_json = [each for each in operations if answer_of(each.work) is not File]
    models: list[type[BaseModel]] = [WebhookPayload, *(each.spec.input for each in operations)]
    inputs = {model.__name__: model for model in models}
    adapters: list[Any] = [
        (each.envelope, "serialization", TypeAdapter(answer_of(each.work))) for each in in_json
    ]
    adapters += [(name, "validation", TypeAdapter(model)) for name, model in inputs.items()]
    schemas, shared = TypeAdapter.json_schemas(adapters, ref_template=REF, schema_generator=Schema)
    components = {**shared.get("$defs", {}), "Error": _error_schema()}
    for operation in in_json:
        answer = schemas[operation.envelope, "serialization"]
        components[operation.envelope] = {
            "type": "object",
            "properties": {"data": answer},
            "required": ["data"],
        }
    paths: Json = {}
    for operation in operations:
        paths.setdefault(f"/{operation.spec.slug}", {})[operation.method.lower()] = _describe(
            operation, components
        )
    responses = {code.value: _error_response(code) for code in ErrorCode}
    text = json.dumps([paths, responses, components])
    used = {
        name: schema
        for name, schema in sorted(components.items())
        if json.dumps(REF.format(model=name)) in text
    }
    return (
        json.dumps(
            _document(paths, {"schemas": used, "responses": responses, "securitySchemes": SCHEMES}),
            indent=2,
            ensure_ascii=False,
        )
        + "\n"
    )


def _document(paths: Json, components: Json) -> Json:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fersk",
            "version": PROJECT["version"],
            "summary": "The functions behind peer-mentor statistics.",
            "description": "Success has `data`, failure `error` with `code`, `message` and `request_id`. "
            "Decide by `code`. Statistics are read through PostgREST.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/functions/v1", "description": "Where this description is served."}],
        "paths": paths,
        "components": components,
    }


def _describe(operation: Operation, components: Json) -> Json:
    spec, method = operation.spec, operation.method
    shown = examples(spec.slug) if method == spec.methods[0] else []
    content: Json = {}
    if answer_of(operation.work) is not File:
        content["application/json"] = {"schema": {"$ref": REF.format(model=operation.envelope)}}
        content["application/json"] |= {"example": shown[0]} if shown else {}
    if File in answers_of(operation.work):
        media_types = (text.partition(";")[0] for text in operation.module.MEDIA_TYPES.values())
        content |= {each: {"schema": {"type": "string", "format": "binary"}} for each in media_types}
    responses: Json = {"200": {"description": "Done.", "content": content}}
    for code in sorted(errors_of(operation.module, spec), key=lambda code: code.status):
        responses[str(code.status)] = {"$ref": f"#/components/responses/{code}"}
    return {
        "operationId": f"{method.lower()}_{spec.name}",
        "tags": ["functions"],
        "summary": inspect.cleandoc(operation.work.__doc__ or "").splitlines()[0],
        "security": [SECURITY[kind] for kind in SECURITY if kind in spec.callers],
        **_input(operation, components),
        "responses": responses,
    }


def _input(operation: Operation, components: Json) -> Json:
    spec = operation.spec
    if spec.source == "query":
        return {"parameters": list(_parameters(components[spec.input.__name__]))}
    if operation.method not in {"POST", "PUT"}:
        return {}
    bodies = [spec.input.__name__, *([WebhookPayload.__name__] if Webhook in spec.callers else [])]
    references = [{"$ref": REF.format(model=name)} for name in bodies]
    schema = references[0] if len(references) == 1 else {"anyOf": references}
    return {"requestBody": {"required": False, "content": {"application/json": {"schema": schema}}}}


def _parameters(described: Json) -> Iterator[Json]:
    for name, schema in described.get("properties", {}).items():
        description = {"description": schema["description"]} if "description" in schema else {}
        # null is to leave it out
        kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
        plain = {key: value for key, value in kinds[0].items() if key not in {"description", "default"}}
        required = name in described.get("required", [])
        yield {"name": name, "in": "query", "required": required, **description, "schema": plain}


def _error_schema() -> Json:
    fields = {
        "code": {
            "type": "string",
            "enum": [code.value for code in ErrorCode],
            "description": "What to decide by.",
        },
        "message": {
            "type": "string",
            "description": "For people; may change, and never quotes what was sent.",
        },
        "request_id": {
            "type": "string",
            "description": "Finds the line in the log; also the header x-request-id.",
        },
    }
    error = {"type": "object", "properties": fields, "required": [*fields]}
    return {"type": "object", "properties": {"error": error}, "required": ["error"]}


def _error_response(code: ErrorCode) -> Json:
    headers = {"x-request-id": {"schema": {"type": "string"}}}
    if code is ErrorCode.RATE_LIMITED:
        headers["retry-after"] = {"schema": {"type": "integer"}}
    content = {"application/json": {"schema": {"$ref": REF.format(model="Error")}}}
    return {"description": code.message, "headers": headers, "content": content}


def main() -> None:
    """Write the file."""
    FILE.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
