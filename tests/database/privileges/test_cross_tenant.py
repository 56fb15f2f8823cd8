"""Ways into the other organisation, or past one's own rights, through the gateway of a running stack."""

from __future__ import annotations

import base64
import json
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.database.privileges.cast import OTHER, Caller
from tests.database.privileges.requests import LAST_YEAR
from tests.support.credentials import make_token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack
    from tests.database.privileges.catalog import Catalog

MEMBERS = ("peer mentor", "coordinator", "org admin")
SCHEMAS_NOT_EXPOSED = ("stats", "app", "private", "auth", "net", "realtime", "extensions", "pg_catalog", "")
JSON = {"content-type": "application/json"}
NHF = (200, [{"slug": "nhf"}])
SERIES = {"p_from": f"{LAST_YEAR}-01-01", "p_to": f"{LAST_YEAR + 2}-01-01", "p_bucket": "year"}


@dataclass(frozen=True)
class Door:
    """The REST API of the running stack, with the key that everybody has."""

    stack: Stack
    http: httpx.Client

    def ask(
        self, method: str, path: str, caller: Caller | None = None, body: object = None, **headers: str
    ) -> httpx.Response:
        known = {"apikey": self.stack.publishable_key, **(caller.headers if caller else {})}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = None if body is None else json.dumps(body)
        return self.http.request(method, path, headers=known | JSON | named, content=content)

    def organizations(self, query: str = "", **headers: str) -> tuple[int, Any]:
        """Which organisations are seen with exactly these headers: status, and rows or the error's code."""
        answer = self.http.get(f"/organizations?select=slug{query}", headers=headers)
        body = answer.json()
        return answer.status_code, body if isinstance(body, list) else body.get("code", body.get("message"))

    def organizations_of(self, token: str) -> tuple[int, Any]:
        return self.organizations(apikey=self.stack.publishable_key, authorization=f"Bearer {token}")


@pytest.fixture(scope="module")
def door(stack: Stack) -> Iterator[Door]:
    with httpx.Client(base_url=stack.rest_url, timeout=30, trust_env=False) as http:
        yield Door(stack, http)


@pytest.fixture(scope="module")
def signed_in(callers: list[Caller]) -> list[Caller]:
    return [caller for caller in callers if caller.role == "authenticated"]


@pytest.fixture(scope="module")
def kari(callers: list[Caller]) -> Caller:
    return next(c for c in callers if (c.kind, c.organization) == ("coordinator", "nhf"))


@pytest.fixture(scope="module")
def orgs(catalog: Catalog) -> dict[str, str]:
    return {slug: ids["organizations"][0] for slug, ids in catalog.ids.items()}


# ---------------------------------------------------------------- reading

FILTERS = (
    "organization_id=eq.{other}",
    "organization_id=in.({own},{other})&organization_id=neq.{own}",
    "organization_id=not.eq.{own}",
    "or=(organization_id.eq.{other},unit_id.eq.{unit})",
    "and=(or(organization_id.eq.{other},id.is.null),not.or(organization_id.eq.{own}))",
    "unit_id=eq.{unit}",
    "peer_mentor_id=eq.{person}",
    "activity_type_id=eq.{type}",
    "contact_id=not.is.null&organization_id=eq.{other}",
    "summary=like.*&organization_id=eq.{other}",
    "id=eq.{activity}",
)


@pytest.mark.parametrize("count", ["exact", "planned", "estimated"])
def test_no_filter_finds_the_others_rows_and_no_count_counts_them(
    door: Door, catalog: Catalog, signed_in: list[Caller], count: str
) -> None:
    counted: dict[str, set[str]] = {}
    for caller in signed_in:
        other = OTHER[caller.organization]
        theirs = catalog.activities[other][0]
        values = {
            "own": catalog.ids[caller.organization]["organizations"][0],
            "other": theirs["organization_id"],
            "unit": theirs["unit_id"],
            "person": theirs["peer_mentor_id"],
            "type": theirs["activity_type_id"],
            "activity": theirs["id"],
        }
        for filters in FILTERS:
            path = f"/activities?{filters.format(**values)}"
            for end in ("", "&limit=0"):
                answer = door.ask("GET", path + end, caller, prefer=f"count={count}")
                if answer.is_success:
                    assert answer.json() == [], caller.name
                    counted.setdefault(answer.headers["content-range"], set()).add(caller.name)
    # The planner's counts are refused, whatever is asked for.
    assert counted.keys() == ({"*/0"} if count == "exact" else set())


EMBEDS = (
    "organizations?select=*,organization_units(*),profiles(*),activity_types(*)",
    "organizations?select=id,organization_units(id,name,activities(id,summary))",
    "organization_units?select=id,name,organizations(*),parent:organization_units!organization_units_parent_fkey(id,name)",
    "organization_units?select=id,chapter_assignments(profile_id,profiles(id,display_name))",
    "activity_types?select=id,code,activities(count)",
    "activity_types?select=id,activities!inner(id)&activities.organization_id=eq.{other}",
    "activities?select=id,activity_types!inner(organization_id)&activity_types.organization_id=eq.{other}",
    "activities?select=id,organization_units!inner(id)&organization_units.id=in.({units})",
    "activities?select=id,...activity_types(type:code),expense_claims(amount_nok)",
    "activities?select=id&order=activity_types(organization_id)",
    "profiles?select=id,display_name,organizations(name),chapter_assignments(organization_units(name))",
    "expense_claims?select=id,activities!inner(id,organization_id)&activities.organization_id=eq.{other}",
    "chapter_stats?select=*&chapter_id=in.({units})",
    "peer_mentor_stats?select=*&or=(chapter_id.in.({units}),activity_count.gt.0)",
    "coordinator_monthly_stats?select=*&org_id=not.eq.{own}",
    "activity_time_series?select=*&chapter_id=in.({units})&order=chapter_id",
    "mv_chapter_stats?select=*&order=activity_count.desc",
)


@pytest.mark.parametrize("embed", EMBEDS)
def test_no_embed_leads_to_the_other(
    door: Door, catalog: Catalog, signed_in: list[Caller], embed: str
) -> None:
    for caller in signed_in:
        other = catalog.ids[OTHER[caller.organization]]
        path = embed.format(
            own=catalog.ids[caller.organization]["organizations"][0],
            other=other["organizations"][0],
            units=",".join(other["organization_units"]),
        )
        answer = door.ask("GET", f"/{path}", caller)
        own = caller.organization if caller.kind in MEMBERS else None
        assert catalog.foreign(answer.text, own, path + caller.myself) == set(), caller.name


@pytest.mark.parametrize("other_first", [False, True])
def test_chapters_of_the_other_among_ones_own_change_nothing(
    door: Door, catalog: Catalog, kari: Caller, *, other_first: bool
) -> None:
    def series(chapters: list[str]) -> Any:
        body = {**SERIES, "p_chapter_ids": chapters}
        answer = door.ask("POST", "/rpc/get_activity_series", kari, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    own, others = sorted(kari.chapters), catalog.ids["hlf"]["organization_units"]
    mine = series(own)
    assert sum(row["activity_count"] for row in mine) > 0
    assert series(others + own if other_first else own + others) == mine


def test_aggregates_and_plans_are_not_answered(door: Door, callers: list[Caller]) -> None:
    """Both would tell of rows that one may not see, or of how many there are."""
    for caller in callers:
        answer = door.ask("GET", "/activities?select=count()", caller)
        assert (answer.status_code, answer.json()["code"]) == (400, "PGRST123")
        plan = door.ask("GET", "/activities?select=id", caller, accept="application/vnd.pgrst.plan+json")
        assert (plan.status_code, plan.json()["code"]) == (415, "PGRST107")


@pytest.mark.parametrize("schema", SCHEMAS_NOT_EXPOSED)
def test_no_other_schema_is_reached(door: Door, callers: list[Caller], schema: str) -> None:
    for caller in callers:
        read = door.ask("GET", "/activity_changes", caller, accept_profile=schema)
        write = door.ask("POST", "/rpc/fold", caller, {}, content_profile=schema)
        assert [(a.status_code, a.json()["code"]) for a in (read, write)] == [(406, "PGRST106")] * 2


def test_the_description_names_what_is_open_to_the_caller(
    door: Door, callers: list[Caller], catalog: Catalog
) -> None:
    for caller in callers:
        described = door.ask("GET", "/", caller).json()["paths"]
        relations = {path for path in described if path != "/" and not path.startswith("/rpc/")}
        readable = {r.name for r in catalog.relations.values() if r.open_columns(caller.role, "select")}
        assert relations == {f"/{name}" for name in readable}, caller.name


# ---------------------------------------------------------------- writing


def test_an_upsert_does_not_take_over_the_others_row(
    door: Door, catalog: Catalog, signed_in: list[Caller]
) -> None:
    for caller in signed_in:
        mine, theirs = (catalog.activities[o][0] for o in (caller.organization, OTHER[caller.organization]))
        by = {"id": theirs["id"], "registered_by": str(caller.id), "is_proxy_registered": True}
        for resolution in ("merge-duplicates", "ignore-duplicates"):
            prefer = f"resolution={resolution},return=representation"
            answer = door.ask("POST", "/activities", caller, mine | by, prefer=prefer)
            written = answer.json() if answer.is_success else []
            assert written == [], (caller.name, resolution)


def test_a_row_is_not_moved_to_the_other_organisation(door: Door, catalog: Catalog, kari: Caller) -> None:
    mine = next(a for a in catalog.activities["nhf"] if a["unit_id"] in kari.chapters)
    theirs = catalog.activities["hlf"][0]
    path = f"/activities?id=eq.{mine['id']}"
    columns = ("organization_id", "unit_id", "activity_type_id", "peer_mentor_id")
    changes = [{column: theirs[column]} for column in columns]
    for change in [*changes, {"coordinator_id": catalog.ids["hlf"]["coordinators"][0]}]:
        assert door.ask("PATCH", path, kari, change).is_client_error, change
    # The twin: the same request, with something that is theirs to change.
    assert door.ask("PATCH", path, kari, {"unit_id": mine["unit_id"]}).status_code == 204


# ---------------------------------------------------------------- tokens


def encoded(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_token_is_believed_only_with_our_signature(door: Door, kari: Caller, orgs: dict[str, str]) -> None:
    secret, own = door.stack.jwt_secret, dict[str, Any](app_metadata={"org_id": orgs["nhf"]})
    good = make_token(secret, sub=str(kari.id), **own)
    head, body, signature = good.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    now = int(time.time())
    altered = {
        "for another organisation": {"app_metadata": {"org_id": orgs["hlf"]}},
        "for another role": {"role": "service_role"},
        "for another person": {"sub": str(uuid.uuid4())},
        "for ever": {"exp": now + 10**9},
    }
    wrong = {
        **{name: f"{head}.{encoded(claims | change)}.{signature}" for name, change in altered.items()},
        "without a signature": f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{body}.",
        "of another algorithm": f"{encoded({'alg': 'RS256', 'typ': 'JWT'})}.{body}.{signature}",
        "signed by somebody": make_token("x" * 64, sub=str(kari.id), **own),
        "signed by somebody as the service": make_token("x" * 64, sub=str(kari.id), role="service_role"),
        "signed with a key that is public": make_token(door.stack.publishable_key, sub=str(kari.id), **own),
        "expired": make_token(secret, sub=str(kari.id), exp=now - 60, **own),
        "not valid yet": make_token(secret, sub=str(kari.id), nbf=now + 600, **own),
        "issued in the future": make_token(secret, sub=str(kari.id), iat=now + 600, **own),
        "cut off": good[:-5],
        "none": "x",
    }
    answers = {name: door.organizations_of(token) for name, token in wrong.items()}
    assert answers == dict.fromkeys(wrong, (401, "PGRST301"))
    assert door.organizations_of(good) == NHF


@pytest.mark.parametrize("role", ["postgres", "supabase_admin", "supabase_auth_admin", "pg_read_all_data"])
def test_no_token_leads_to_a_role_beyond_the_apis(door: Door, kari: Caller, role: str) -> None:
    """Not even one with our signature."""
    assert door.organizations_of(make_token(door.stack.jwt_secret, sub=str(kari.id), role=role)) == (
        403,
        "42501",
    )


def test_the_organisation_is_that_of_profile_and_token_both(
    door: Door, kari: Caller, orgs: dict[str, str]
) -> None:
    """A token may be older than a move; what users write of themselves counts nowhere."""
    nhf, hlf = {"org_id": orgs["nhf"]}, {"org_id": orgs["hlf"]}
    claims: dict[str, dict[str, Any]] = {
        "of the other": {"app_metadata": hlf},
        "of none": {"app_metadata": {}},
        "by themselves": {"user_metadata": nhf, **nhf},
        "of both": {"app_metadata": nhf, "user_metadata": hlf, **hlf},
    }
    seen = {
        name: door.organizations_of(make_token(door.stack.jwt_secret, sub=str(kari.id), **claim))
        for name, claim in claims.items()
    }
    assert seen == {**dict.fromkeys(claims, (200, [])), "of both": NHF}


# ---------------------------------------------------------------- keys and headers


def test_a_key_says_which_application_calls_and_no_more(door: Door, kari: Caller) -> None:
    anonymous, unknown = (401, "42501"), (401, "Invalid API key")
    stack, bearer = door.stack, kari.headers["authorization"]
    publishable, secret = stack.publishable_key, stack.secret_key
    cases: list[tuple[tuple[int, Any], str, dict[str, str]]] = [
        # the token decides, whatever key comes with it
        (NHF, "", {"apikey": publishable, "authorization": bearer}),
        (NHF, "", {"apikey": stack.anon_key, "authorization": bearer.replace("Bearer", "bearer")}),
        (NHF, "", {"apikey": secret, "authorization": bearer}),
        (NHF, f"&apikey={secret}", {"apikey": publishable, "authorization": bearer}),
        # a secret key is one only where keys are
        (anonymous, "", {"apikey": publishable, "authorization": f"Bearer {secret}"}),
        (anonymous, "", {"apikey": publishable, "authorization": f"Basic {secret}"}),
        (anonymous, "", {"apikey": publishable, "x-api-key": secret, "cookie": f"apikey={secret}"}),
        (anonymous, f"&apikey={publishable}&apikey={secret}", {}),
        # a token is no key
        (unknown, "", {"apikey": bearer.removeprefix("Bearer ")}),
        (unknown, "", {"apikey": stack.jwt_secret, "authorization": bearer}),
        (unknown, "", {"apikey": f"{secret}x"}),
        (unknown, "", {"apikey": secret.upper()}),
        ((401, "No API key found in request"), "", {"authorization": bearer}),
    ]
    for expected, query, headers in cases:
        assert door.organizations(query, **headers) == expected, (query != "", sorted(headers))
    # The twin: where keys are, in whatever spelling, the secret key opens everything.
    status, everything = door.organizations(apikey=secret)
    assert (status, {"slug": "nhf"} in everything, {"slug": "hlf"} in everything) == (200, True, True)
    assert len(door.organizations(f"&%61pikey={secret}")[1]) == len(everything)


def test_no_header_makes_somebody_of_anybody(
    door: Door, callers: list[Caller], catalog: Catalog, orgs: dict[str, str]
) -> None:
    person = catalog.ids["nhf"]["profiles"][0]
    claims = json.dumps({"sub": person, "role": "service_role"})
    tried = {
        "role": "service_role",
        "x-role": "service_role",
        "x-user-id": person,
        "x-forwarded-user": "postgres",
        "request.jwt.claims": claims,
        "x-request-jwt-claims": claims,
        "app.current_org_id": orgs["hlf"],
        "x-http-method-override": "DELETE",
        "prefer": "role=service_role, params=single-object, timezone=UTC",
        "x-client-info": claims,
    }
    for caller in callers:
        if caller.kind != "service":
            headers = {"apikey": door.stack.publishable_key, **caller.headers}
            assert door.organizations(**headers, **tried) == door.organizations(**headers), caller.name
