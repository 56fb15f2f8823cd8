"""A recognisable value in every personal field, secret and token; afterwards each is only where it belongs.

The traffic covers success and every kind of failure: errors are where systems quote what they were given.
"""

from __future__ import annotations

import contextlib
import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.support import leaks
from tests.support.people import sign_in
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

WAIT_SECONDS = 10
# Everywhere else a value is out of place. What is not named belongs nowhere.
BELONGS = {
    ("summary", "public.activities.summary"),
    ("contact", "public.activities.contact_id"),
    ("display name", "public.profiles.display_name"),
    ("webhook_secret", "private.secrets.value"),
    # As Supabase Auth keeps them: users, what they say of themselves, and its own audit log.
    ("address", "auth.users.email"),
    ("address", "auth.users.raw_user_meta_data"),
    ("address", "auth.identities.email"),
    ("address", "auth.identities.identity_data"),
    ("address", "auth.audit_log_entries.payload"),
    ("metadata", "auth.users.raw_user_meta_data"),
    ("metadata", "auth.identities.identity_data"),
    ("refresh token", "auth.refresh_tokens.token"),
}


@dataclass
class Traffic:
    """What was sent, by whom, and what came back."""

    stack: Stack
    http: httpx.Client
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    tokens: dict[str, str] = field(default_factory=dict)
    answers: list[httpx.Response] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.contact = str(uuid.uuid4())
        self.person = f"canary{self.mark}@canary.example"

    @property
    def values(self) -> dict[str, str]:
        """Every canary by name."""
        names = ("summary", "display name", "password", "metadata", "misplaced", "forged token")
        canaries = {name: self.canary(name) for name in names}
        known = {"contact": self.contact, "address": self.person, **self.tokens}
        return canaries | known | leaks.secrets_of(self.stack)

    def canary(self, name: str) -> str:
        return f"canary-{name.replace(' ', '-')}-{self.mark}"

    @property
    def secrets(self) -> dict[str, str]:
        """What must not come back to whoever sent it, either."""
        return {**leaks.secrets_of(self.stack), **self.tokens}

    def sign_in(self, email: str) -> str:
        session = sign_in(self.stack, email)
        self.tokens |= {f"access token {email[0]}": session.access_token}
        self.tokens |= {"refresh token": session.refresh_token}
        return session.access_token

    def send(self, method: str, path: str, token: str | None = None, **options: Any) -> httpx.Response:
        """Ask through the gateway, with the publishable key unless other headers are given."""
        headers = {"apikey": self.stack.publishable_key, "content-type": "application/json"}
        headers |= {"authorization": f"Bearer {token}"} if token else {}
        options["headers"] = headers | options.get("headers", {})
        answer = self.http.request(method, f"{self.stack.api_url}{path}", **options)
        self.answers.append(answer)
        return answer


@pytest.fixture(scope="module")
def traffic(stack: Stack) -> Iterator[Traffic]:
    """All of it, once; what it wrote is removed at the end."""
    with httpx.Client(timeout=30, trust_env=False) as http:
        traffic = Traffic(stack, http)
        try:
            drive(traffic)
            yield traffic
        finally:
            with psycopg.connect(stack.db_url) as owner:
                owner.execute("delete from public.activities where contact_id = %s", (traffic.contact,))
                owner.execute(
                    "update public.profiles set display_name = 'Ola Likeperson' where display_name = %s",
                    (traffic.canary("display name"),),
                )
                owner.execute("delete from auth.users where email = %s", (traffic.person,))


def drive(traffic: Traffic) -> None:
    ola, kari = (traffic.sign_in(f"{name}@nhf.example") for name in ("ola", "kari"))
    activity = register(traffic, ola)
    fail_to_write(traffic, ola, activity)
    fail_to_read(traffic, kari)
    misuse_keys(traffic)
    call_functions(traffic, kari)
    use_auth(traffic)
    listen(traffic)
    as_owner(traffic, activity)
    settle(traffic)


def register(traffic: Traffic, ola: str) -> dict[str, Any]:
    """What the app does all day."""
    columns = "organization_id,unit_id,peer_mentor_id,activity_type_id,occurred_at,duration_minutes"
    like = "peer_mentor_id=not.is.null&limit=1"
    copied: dict[str, Any] = traffic.send("GET", f"/rest/v1/activities?select={columns}&{like}", ola).json()[
        0
    ]
    mine = copied | {
        "id": str(uuid.uuid4()),
        "registered_by": copied["peer_mentor_id"],
        "participant_count": 1,
        "contact_id": traffic.contact,
        "summary": traffic.canary("summary"),
    }
    assert traffic.send("POST", "/rest/v1/activities", ola, json=mine).status_code == 201
    change = {"summary": f"{mine['summary']}, corrected"}
    assert traffic.send("PATCH", f"/rest/v1/activities?id=eq.{mine['id']}", ola, json=change).is_success
    name = {"display_name": traffic.canary("display name")}
    myself = f"/rest/v1/profiles?id=eq.{mine['peer_mentor_id']}"
    assert traffic.send("PATCH", myself, ola, json=name).is_success
    return mine


def fail_to_write(traffic: Traffic, ola: str, activity: dict[str, Any]) -> None:
    """Each way in which a row can be refused: by its reader, a cast, a constraint, a policy, a trigger."""
    misplaced = traffic.canary("misplaced")
    fresh = activity | {"id": str(uuid.uuid4())}
    whole = json.dumps(fresh)
    bodies = [
        whole.replace(activity["summary"], f"{activity['summary']}\\u0000"),
        whole.replace('"summary"', "summary"),
        whole[:-1],
        whole.encode("utf-16"),
        json.dumps([fresh, {"summary": activity["summary"]}]),
        *(
            json.dumps(fresh | wrong)
            for wrong in (
                {"id": activity["id"]},
                {"duration_minutes": -1},
                {"duration_minutes": misplaced},
                {"occurred_at": misplaced},
                {"contact_id": misplaced},
                {"status": misplaced},
                {"unit_id": str(uuid.uuid4())},
                {"registered_by": str(uuid.uuid4())},
                {"activity_type_id": None},
                {misplaced: 1},
            )
        ),
        "x" * (60 * 2**20) + activity["summary"],
    ]
    for body in bodies:
        assert traffic.send("POST", "/rest/v1/activities", ola, content=body).is_client_error
    claim = {"activity_id": activity["id"], "amount_nok": misplaced}
    assert traffic.send("POST", "/rest/v1/expense_claims", ola, json=claim).is_client_error
    for path in ("profiles", "chapter_stats", "organizations", "no_such_table"):
        row = {"display_name": traffic.canary("display name")}
        assert traffic.send("POST", f"/rest/v1/{path}", ola, json=row).is_error


def fail_to_read(traffic: Traffic, kari: str) -> None:
    """Personal data where a query is expected, and as an argument."""
    misplaced, summary = traffic.canary("misplaced"), traffic.canary("summary")
    queries = [
        f"activities?summary=eq.{summary}",
        f"activities?summary=like.*{summary}*&order=occurred_at.{misplaced}",
        f"activities?duration_minutes=eq.{misplaced}",
        f"activities?select={misplaced}",
        f"activities?summary=cs.{summary}",
        f"activities?and=(summary.eq.{summary}",
        f"profiles?display_name=eq.{traffic.canary('display name')}&limit=x",
        f"rpc/search_units?p_query={misplaced}",
        f"rpc/search_units?p_query=a&p_limit={misplaced}",
        f"rpc/get_hierarchy_stats?p_unit_id={misplaced}&p_year=2026",
        f"rpc/no_such_function?a={summary}",
        f"activities%3Fsummary=eq.{summary}",
    ]
    for query in queries:
        traffic.send("GET", f"/rest/v1/{query}", kari)
        traffic.send("GET", f"/rest/v1/{query}")
    for profile in (misplaced, "stats"):
        traffic.send("GET", "/rest/v1/activities", kari, headers={"accept-profile": profile})


def misuse_keys(traffic: Traffic) -> None:
    """Secrets where they have no business: in queries, however written, in paths, as somebody's token."""
    secret, forged = traffic.stack.secret_key, traffic.canary("forged token")
    for query in (f"apikey={secret}", f"%61pikey={secret}", f"limit=x&api%6Bey={secret}", f"key=eq.{secret}"):
        for path in (
            "rest/v1/organizations",
            "rest/v1/rpc/get_health",
            "functions/v1/health",
            "auth/v1/user",
        ):
            traffic.send("GET", f"/{path}?{query}", headers={"apikey": ""})
            traffic.send("GET", f"/{path}?{query}")
    traffic.send("GET", f"/rest/v1/organizations%3Fapikey={secret}")
    traffic.send("GET", f"/functions/v1/health%3fapikey%3d{secret}")
    for service in ("rest", "auth", "functions"):
        for written in (secret, f"s%62_{secret.removeprefix('sb_')}", f"x{secret}"):
            # not among the answers: PostgREST says which relation it does not know
            traffic.http.get(
                f"{traffic.stack.api_url}/{service}/v1/{written}",
                headers={"apikey": traffic.stack.publishable_key},
            )
        traffic.send("GET", f"/{service}/v1/health", headers={"x-request-id": secret})
    (token, *_) = (value for name, value in traffic.tokens.items() if name.startswith("access token"))
    head, body, signature = token.split(".")
    for wrong in (forged, f"{head}.{body}.{forged}", f"{head}.{forged}.{signature}", secret):
        for path in ("rest/v1/organizations", "functions/v1/snapshot-status", "auth/v1/user"):
            traffic.send("GET", f"/{path}", wrong)
            traffic.send("GET", f"/{path}", headers={"apikey": wrong})


def call_functions(traffic: Traffic, kari: str) -> None:
    """Right and wrong calls, and webhooks that are not from us."""
    misplaced = traffic.canary("misplaced")
    for path in (
        "health",
        "snapshot-status?year=2026",
        f"snapshot-status?period_start={misplaced}&period_end={misplaced}",
        f"hierarchy-stats?unit_id={misplaced}&year=2026",
        f"hierarchy-stats?{misplaced}=1",
        f"bufdir-alignment?year={misplaced}",
        f"no-such-function?year={misplaced}",
    ):
        traffic.send("GET", f"/functions/v1/{path}", kari)
        traffic.send("DELETE", f"/functions/v1/{path}", kari)
    for body in (f'{{"summary": "{misplaced}"', json.dumps({"record": {"summary": misplaced}}), misplaced):
        signature = {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": f"v1,{misplaced}"}
        for headers in (signature, {}):
            traffic.send("POST", "/functions/v1/refresh-stats-views", content=body, headers=headers)
        traffic.send("PUT", "/functions/v1/metric-snapshots", kari, content=body)


def use_auth(traffic: Traffic) -> None:
    """Signing up (refused or not), in and out, and each wrong way."""
    password, address = traffic.canary("password"), traffic.person
    account = {"email": address, "password": password, "data": {"name": traffic.canary("metadata")}}
    traffic.send("POST", "/auth/v1/signup", json=account)
    text = json.dumps(account)
    for body in (
        text[:-1],
        text.replace('"name": "', '"name": "\\u0000'),
        text.replace(address, password),
        "[]",
    ):
        traffic.send("POST", "/auth/v1/signup", content=body)
    for wrong in ({"password": f"{password}x"}, {"email": password}, {"password": {"a": password}}):
        traffic.send("POST", "/auth/v1/token?grant_type=password", json=account | wrong)
    traffic.send("POST", "/auth/v1/token?grant_type=refresh_token", json={"refresh_token": password})
    traffic.send("POST", f"/auth/v1/token?grant_type={password}", json=account)
    traffic.send("POST", f"/auth/v1/recover?email={address}", json=account)
    leaving = traffic.sign_in("liv@nhf.example")
    traffic.send("GET", "/auth/v1/user", leaving)
    traffic.send("PUT", "/auth/v1/user", leaving, content=f'{{"data": "{password}"')
    traffic.send("POST", "/auth/v1/logout", leaving)


def listen(traffic: Traffic) -> None:
    """A socket with a key in its address, and a join with a token that is none."""
    base = f"{traffic.stack.api_url.replace('http', 'ws', 1)}/realtime/v1/websocket"
    for key in (traffic.stack.publishable_key, traffic.stack.secret_key, traffic.canary("forged token")):
        with (
            contextlib.suppress(WebSocketException, OSError),
            connect(f"{base}?apikey={key}&vsn=1.0.0") as ws,
        ):
            payload = {"config": {"private": True}, "access_token": traffic.canary("forged token")}
            topic = f"realtime:{traffic.canary('misplaced')}"
            ws.send(json.dumps({"topic": topic, "event": "phx_join", "payload": payload, "ref": "1"}))
            ws.recv(timeout=WAIT_SECONDS)
            ws.send(traffic.canary("misplaced"))
            ws.recv(timeout=WAIT_SECONDS)


def as_owner(traffic: Traffic, activity: dict[str, Any]) -> None:
    """A person at the SQL prompt, whose statements fail with values written into them."""
    summary, name = activity["summary"], traffic.canary("display name")
    texts = (
        f"insert into public.activities (id, summary) values ('{activity['id']}', '{summary}')",
        f"update public.activities set duration_minutes = -1 where summary = '{summary}, corrected'",
        f"update auth.users set id = null where email in ('{traffic.person}', 'ola@nhf.example')",
        f"update public.profiles set display_name = '' where display_name = '{name}'",
    )
    with psycopg.connect(traffic.stack.db_url, autocommit=True) as owner:
        for text in texts:
            with pytest.raises(psycopg.Error):
                owner.execute(text)


def settle(traffic: Traffic) -> None:
    """Wait until the webhooks of all this are sent, and the last request is in the gateway's log."""
    request_id = uuid.uuid4().hex
    traffic.send("GET", "/rest/v1/organizations", headers={"x-request-id": request_id})
    with psycopg.connect(traffic.stack.admin_db_url, autocommit=True) as admin:
        eventually(lambda: admin.execute("select from net.http_request_queue").fetchone() is None)
    eventually(lambda: leaks.in_logs(traffic.stack, {"last": request_id}))


def test_logs_hold_none(traffic: Traffic) -> None:
    assert leaks.in_logs(traffic.stack, traffic.values) == set()
    assert leaks.shapes_in_logs(traffic.stack) == set()


def test_tables_hold_each_where_it_belongs(traffic: Traffic) -> None:
    found = leaks.in_tables(traffic.stack, traffic.values)
    assert found - BELONGS == set()
    # The twin: what was written is there, so the search looks where it should.
    assert {name for name, _ in found} >= {"summary", "contact", "display name", "webhook_secret"}


def test_no_answer_repeats_a_secret(traffic: Traffic) -> None:
    repeated = [
        (name, answer.request.method, answer.request.url.path, answer.status_code)
        for answer in traffic.answers
        for name, value in traffic.secrets.items()
        if value in answer.text + str(answer.headers)
    ]
    assert repeated == []


def test_traffic_met_every_kind_of_answer(traffic: Traffic) -> None:
    statuses = {answer.status_code for answer in traffic.answers}
    assert statuses >= {200, 201, 204, 400, 401, 403, 404, 405, 406, 409, 413}


def test_a_leak_would_show(stack: Stack) -> None:
    """In a log, in a table, in hexadecimal, and by its shape alone."""
    values = {"planted": f"planted-{uuid.uuid4().hex}"}
    assert (leaks.in_logs(stack, values), leaks.in_tables(stack, values)) == (set(), set())
    with psycopg.connect(stack.admin_db_url, autocommit=True) as admin:
        admin.execute(f"do $$ begin raise log '{values['planted']}'; end $$")
        admin.execute(
            "create table private.planted as select convert_to(%s, 'UTF8') as value", tuple(values.values())
        )
        try:
            assert leaks.in_logs(stack, values) == {("planted", "postgres.log")}
            assert ("planted", "private.planted.value") in leaks.in_tables(stack, values)
        finally:
            admin.execute("drop table private.planted")
    assert leaks.SECRET_SHAPES.search(f"GET /x?token={stack.anon_key}")
    assert leaks.SECRET_SHAPES.search(stack.db_url)
    assert leaks.SECRET_SHAPES.search("mail to kari@nhf.example failed")


def test_state_is_for_its_owner_only(stack: Stack) -> None:
    open_to_others = {
        str(path.relative_to(stack.instance.state_dir)): oct(path.stat().st_mode)
        for path in [stack.instance.state_dir, *stack.instance.state_dir.rglob("*")]
        if stack.instance.data not in path.parents and path.stat().st_mode & 0o077
    }
    assert open_to_others == {}
    # Which nobody else enters: what is below is as Postgres makes it.
    assert stack.instance.data.stat().st_mode & 0o077 == 0
