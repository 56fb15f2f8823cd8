"""What makes no sense is refused as the caller's fault, by every door; each refusal beside what is let in."""

from __future__ import annotations

import http.client
import json
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.functions.hierarchy.scene import planted
from tests.support.people import sign_in
from tests.support.relations import STATISTICS
from tests.support.work_limits import lifted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

VIEWS = (*STATISTICS, "chapters")


@pytest.fixture(scope="module")
def api(stack: Stack) -> Iterator[httpx.Client]:
    """The API, as the org admin of NHF sees it."""
    key = {"apikey": stack.publishable_key}
    with (
        lifted(stack),  # there are more refusals here than a person may ask for
        httpx.Client(base_url=stack.api_url, timeout=30, trust_env=False, headers=key) as client,
    ):
        client.headers["authorization"] = sign_in(stack, "astrid@nhf.example").headers["authorization"]
        yield client


# --- writes to what is only read --------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
@pytest.mark.parametrize("view", VIEWS)
def test_a_write_to_a_view_is_refused_for_want_of_the_right(
    stack: Stack, api: httpx.Client, view: str, method: str
) -> None:
    rows = api.get(f"/rest/v1/{view}?limit=1").json()
    assert rows, "reading is allowed"
    [column, value] = next(iter(rows[0].items()))
    query = {} if method == "POST" else {column: f"eq.{value}"}
    body = None if method == "DELETE" else {column: value}
    message = f"permission denied for view {view}"
    for headers in ({}, {"apikey": stack.secret_key, "authorization": f"Bearer {stack.secret_key}"}):
        answer = api.request(method, f"/rest/v1/{view}", params=query, json=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "42501")
        assert answer.json()["message"] == message
    with httpx.Client(base_url=stack.api_url, headers={"apikey": stack.publishable_key}) as stranger:
        answer = stranger.request(method, f"/rest/v1/{view}", params=query, json=body)
        assert (answer.status_code, answer.json()["message"]) == (401, message)


# --- numbers that are none --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("NaN", "23514"),
        ("Infinity", "22003"),
        ("-Infinity", "22003"),
        (1e300, "22003"),
        (0, "23514"),
        (1e7, "23514"),
    ],
)
def test_kroner_that_are_no_amount_are_refused(
    stack: Stack, api: httpx.Client, amount: object, code: str
) -> None:
    headers = sign_in(stack, "ola@nhf.example").headers | {"prefer": "return=representation"}
    [activity] = api.get("/rest/v1/activities?select=id&limit=1", headers=headers).json()

    def claim(value: object) -> httpx.Response:
        body = {"activity_id": activity["id"], "amount_nok": value}
        return api.post("/rest/v1/expense_claims", headers=headers, json=body)

    refused = claim(amount)
    assert (refused.status_code, refused.json()["code"]) == (400, code)
    accepted = claim(12.5)
    assert accepted.status_code == 201, accepted.text
    path = f"/rest/v1/expense_claims?id=eq.{accepted.json()[0]['id']}"
    assert api.delete(path, headers=headers).status_code == 200


DAYS = {"p_period_start": "2026-01-01", "p_period_end": "2027-01-01"}
QUESTIONS: dict[str, dict[str, Any]] = {
    "get_activity_series": {"p_from": "2026-01-01", "p_to": "2026-02-01"},
    "get_snapshot_status": DAYS,
    "get_metric_snapshot": DAYS,
    "get_bufdir_alignment": {"p_year": 2026},
}


@pytest.mark.parametrize("value", ["NaN", "infinity", "-infinity", "\0", "x", 10**20], ids=repr)
@pytest.mark.parametrize("name", QUESTIONS)
def test_arguments_that_are_no_value_are_refused(api: httpx.Client, name: str, value: object) -> None:
    good = QUESTIONS[name]
    assert api.post(f"/rest/v1/rpc/{name}", json=good).status_code == 200
    for parameter in good:
        answer = api.post(f"/rest/v1/rpc/{name}", json=good | {parameter: value})
        assert answer.status_code == 400, answer.text
        assert answer.json()["code"][:2] == "22"


# --- signing up and in ------------------------------------------------------------------------------------

VALIDATION = (400, "validation_failed")


def signed_up(api: httpx.Client, **fields: object) -> tuple[int, str | None]:
    body = {"email": f"{uuid.uuid4().hex}@tests.example", "password": "password-of-tests"} | fields
    answer = api.post("/auth/v1/signup", content=json.dumps(body))
    return answer.status_code, answer.json().get("error_code")


def deep(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


BROKEN: list[dict[str, object]] = [
    {"data": {"name": "Ola\0Nordmann"}},
    {"data": {"name\0": "Ola"}},
    {"data": {"names": [{"first": "\0"}]}},
    {"data": {"name": "\ud800"}},
    {"data": {"\udfff": 1}},
    {"data": {"names": deep(200)}},
    {"email": "ola\0@tests.example"},
    {"email": "\ud800@tests.example"},
    {"email": "o" * 300 + "@tests.example"},
    {"email": 5},
    {"password": "password\0of-tests"},
    {"password": 5},
    {"password": ["password-of-tests"]},
]

STORABLE: list[dict[str, object]] = [{"name": "Åse Ødegård 😀"}, {"said": "\\u0000", "deep": deep(50)}]


@pytest.mark.parametrize("fields", BROKEN, ids=lambda fields: ascii(fields)[:60])
def test_a_sign_up_that_cannot_be_stored_is_refused(api: httpx.Client, fields: dict[str, object]) -> None:
    assert signed_up(api, **fields) == VALIDATION


@pytest.mark.parametrize("fields", [{}, *({"data": data} for data in STORABLE)], ids=ascii)
def test_a_sign_up_that_could_be_stored_is_refused_for_another_reason(
    api: httpx.Client, fields: dict[str, object]
) -> None:
    assert signed_up(api, **fields) == (422, "signup_disabled")


def test_people_say_of_themselves_what_can_be_stored(stack: Stack, api: httpx.Client) -> None:
    with planted(stack) as forest:
        headers = sign_in(stack, forest.admin).headers
        for broken in BROKEN:
            answer = api.put("/auth/v1/user", content=json.dumps(broken), headers=headers)
            assert (answer.status_code, answer.json()["error_code"]) == VALIDATION, broken
        for data in STORABLE:
            answer = api.put("/auth/v1/user", json={"data": data}, headers=headers)
            assert answer.status_code == 200
            assert answer.json()["user_metadata"].items() >= data.items()


@pytest.mark.parametrize("body", ["null", "[]", "5", '"x"'])
def test_a_sign_up_is_an_object(api: httpx.Client, body: str) -> None:
    answer = api.post("/auth/v1/signup", content=body)
    assert (answer.status_code, answer.json()["error_code"]) == VALIDATION


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("token?grant_type=password", {"email": "\0", "password": "password"}),
        ("token?grant_type=password", {"email": ["a"], "password": {}}),
        ("token?grant_type=refresh_token", {"refresh_token": "\0"}),
        ("user", {"data": {"name": "\0"}}),
        ("user", {"email": "astrid\0@nhf.example"}),
    ],
    ids=str,
)
def test_nor_is_any_other_part_of_signing_in_broken(
    api: httpx.Client, path: str, body: dict[str, object]
) -> None:
    method = "PUT" if path == "user" else "POST"
    answer = api.request(method, f"/auth/v1/{path}", json=body)
    assert (answer.status_code, answer.json()["error_code"]) == VALIDATION
    assert api.get("/auth/v1/user").json()["email"] == "astrid@nhf.example"


# --- addresses --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/rest/v1/%00",
        "/rest/v1/activities%00",
        "/rest/v1/rpc/get_role%00",
        "/functions/v1/%00",
        "/functions/v1/health%00",
        "/auth/v1/user%00",
        "/%00",
        "/rest/v1/%ff",
        "/rest/v1/%",
    ],
)
def test_there_is_nothing_at_a_broken_address(stack: Stack, api: httpx.Client, path: str) -> None:
    """As raw bytes: client libraries would not send it."""
    address = urlsplit(stack.api_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    connection.request("GET", path, headers=dict(api.headers))
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    assert answer.status == 404, body
    assert body
    assert api.get("/rest/v1/activities?limit=1").status_code == 200
