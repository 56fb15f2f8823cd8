"""Signing in against a running stack, with unmodified client libraries and the seeded people."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import psycopg
import pytest
from supabase import Client, create_client
from supabase.lib.client_options import SyncClientOptions
from supabase_auth.errors import AuthApiError

from local.requirements import ROOT, node_program
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

NODE = str(node_program())
EMAIL = "kari@nhf.example"
PASSWORD = "password"
INVALID = {"code": 400, "error_code": "invalid_credentials", "msg": "Invalid login credentials"}
ACCESS_TOKEN_SECONDS = 3600


@pytest.fixture
def connection_pool() -> Iterator[httpx.Client]:
    with httpx.Client() as pool:
        yield pool


@pytest.fixture
def client(stack: Stack, connection_pool: httpx.Client) -> Client:
    """Return a client of nobody yet."""
    options = SyncClientOptions(httpx_client=connection_pool, auto_refresh_token=False)
    return create_client(stack.api_url, stack.publishable_key, options)


@pytest.fixture
def signed_in(client: Client) -> Client:
    client.auth.sign_in_with_password({"email": EMAIL, "password": PASSWORD})
    return client


@pytest.fixture
def admin(stack: Stack) -> Iterator[psycopg.Connection]:
    with psycopg.connect(stack.admin_db_url, autocommit=True) as connection:
        yield connection


def token_of(client: Client) -> str:
    session = client.auth.get_session()
    assert session
    return session.access_token


def post(stack: Stack, path: str, body: dict[str, str]) -> httpx.Response:
    headers = {"apikey": stack.publishable_key}
    # longer than the gateway lets a request wait for its place
    return httpx.post(f"{stack.api_url}/auth/v1/{path}", headers=headers, json=body, timeout=20)


def get_user(stack: Stack, token: str) -> httpx.Response:
    headers = {"apikey": stack.publishable_key, "authorization": f"Bearer {token}"}
    return httpx.get(f"{stack.api_url}/auth/v1/user", headers=headers)


def test_access_token_has_the_claims_of_supabase_auth(
    stack: Stack, signed_in: Client, admin: psycopg.Connection
) -> None:
    profile = admin.execute(
        """
        select id::text, organization_id::text from public.profiles join auth.users using (id)
        where email = %s
        """,
        [EMAIL],
    ).fetchone()
    assert profile
    user_id, organization_id = profile
    claims = jwt.decode(token_of(signed_in), stack.jwt_secret, algorithms=["HS256"], audience="authenticated")
    assert claims.pop("exp") - claims.pop("iat") == ACCESS_TOKEN_SECONDS
    assert uuid.UUID(claims.pop("session_id"))
    assert claims == {
        "iss": f"{stack.api_url}/auth/v1",
        "aud": "authenticated",
        "sub": user_id,
        "role": "authenticated",
        "aal": "aal1",
        "email": EMAIL,
        "phone": "",
        "is_anonymous": False,
        "app_metadata": {"provider": "email", "providers": ["email"], "org_id": organization_id},
        "user_metadata": {},
    }


def test_signed_in_user_reads_as_that_user(signed_in: Client, admin: psycopg.Connection) -> None:
    assert signed_in.table("organizations").select("slug").execute().data == [{"slug": "nhf"}]
    assert admin.execute("select count(*) > 1 from public.organizations").fetchone() == (True,)
    answer = signed_in.auth.get_user()
    assert answer
    assert (answer.user.email, answer.user.aud, answer.user.role) == (EMAIL, "authenticated", "authenticated")
    assert answer.user.email_confirmed_at
    assert [identity.provider for identity in answer.user.identities or []] == ["email"]


def test_wrong_credentials_are_all_refused_alike(stack: Stack, client: Client) -> None:
    for email, password in (
        (EMAIL, "Password"),
        (EMAIL, ""),
        ("nobody@nhf.example", PASSWORD),
        ("' or true --", PASSWORD),
    ):
        answer = post(stack, "token?grant_type=password", {"email": email, "password": password})
        assert (answer.status_code, answer.json()) == (400, INVALID)
    with pytest.raises(AuthApiError) as refused:
        client.auth.sign_in_with_password({"email": EMAIL, "password": "wrong"})
    assert (refused.value.status, refused.value.code) == (400, "invalid_credentials")
    assert client.auth.get_session() is None


def test_refresh_rotates_and_a_stolen_token_ends_the_family(stack: Stack, signed_in: Client) -> None:
    first = signed_in.auth.get_session()
    second = signed_in.auth.refresh_session().session
    third = signed_in.auth.refresh_session().session
    assert first
    assert second
    assert third
    assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3
    claims = jwt.decode(third.access_token, stack.jwt_secret, algorithms=["HS256"], audience="authenticated")
    assert claims["app_metadata"]["org_id"]

    for token in (first.refresh_token, third.refresh_token):
        answer = post(stack, "token?grant_type=refresh_token", {"refresh_token": token})
        assert (answer.status_code, answer.json()["error_code"]) == (400, "refresh_token_already_used")


def test_sign_out_ends_the_session(stack: Stack, signed_in: Client) -> None:
    session = signed_in.auth.get_session()
    assert session
    assert get_user(stack, session.access_token).status_code == 200
    signed_in.auth.sign_out()
    after = get_user(stack, session.access_token)
    assert (after.status_code, after.json()["error_code"]) == (403, "session_not_found")
    refresh = post(stack, "token?grant_type=refresh_token", {"refresh_token": session.refresh_token})
    assert (refresh.status_code, refresh.json()["error_code"]) == (400, "refresh_token_not_found")


def test_token_that_is_not_valid_gets_no_user(stack: Stack, signed_in: Client) -> None:
    good = jwt.decode(token_of(signed_in), stack.jwt_secret, algorithms=["HS256"], audience="authenticated")
    assert get_user(stack, jwt.encode(good, stack.jwt_secret)).status_code == 200
    for changes, secret, code in (
        ({"exp": 1}, stack.jwt_secret, "bad_jwt"),
        ({}, "another-secret-another-secret-another", "bad_jwt"),
        ({"sub": str(uuid.uuid4())}, stack.jwt_secret, "user_not_found"),
    ):
        answer = get_user(stack, jwt.encode(good | changes, secret))
        assert (answer.status_code, answer.json()["error_code"]) == (403, code)


INVITED = """
    with person as (
        insert into auth.users (instance_id, id, aud, role, email, encrypted_password, email_confirmed_at,
                                raw_app_meta_data, raw_user_meta_data, created_at, updated_at,
                                confirmation_token, recovery_token, email_change_token_new, email_change)
        values ('00000000-0000-0000-0000-000000000000', gen_random_uuid(), 'authenticated', 'authenticated',
                %s, extensions.crypt('long enough', extensions.gen_salt('bf', 6)), now(),
                '{"provider": "email", "providers": ["email"]}', '{}', now(), now(), '', '', '', '')
        returning id, email
    )
    insert into auth.identities (provider_id, user_id, identity_data, provider, created_at, updated_at)
    select id::text, id, jsonb_build_object('sub', id, 'email', email), 'email', now(), now() from person
"""


@pytest.fixture
def invited(admin: psycopg.Connection) -> Iterator[str]:
    """Somebody with an account and no profile."""
    email = f"{uuid.uuid4()}@new.example"
    admin.execute(INVITED, [email])
    yield email
    admin.execute("delete from auth.users where email = %s", [email])


def test_nobody_signs_up(stack: Stack, client: Client, admin: psycopg.Connection) -> None:
    email = f"{uuid.uuid4()}@new.example"
    answer = post(stack, "signup", {"email": email, "password": "long enough"})
    refused = {"code": 422, "error_code": "signup_disabled", "msg": "Signups not allowed for this instance"}
    assert (answer.status_code, answer.json()) == (422, refused)
    assert post(stack, "signup", {}).status_code == 422  # nor anonymously
    with pytest.raises(AuthApiError) as error:
        client.auth.sign_up({"email": email, "password": "long enough"})
    assert (error.value.status, error.value.code) == (422, "signup_disabled")
    found = admin.execute("select count(*) from auth.users where email = %s", [email]).fetchone()
    assert found == (0,)


def test_an_account_without_a_profile_sees_no_organisation(
    client: Client, admin: psycopg.Connection, invited: str
) -> None:
    session = client.auth.sign_in_with_password({"email": invited, "password": "long enough"}).session
    assert session
    assert client.table("organizations").select("id").execute().data == []
    changed = client.auth.update_user({"data": {"shoe_size": 41}})
    assert changed.user.user_metadata["shoe_size"] == 41
    types = "jsonb_typeof(raw_app_meta_data), jsonb_typeof(raw_user_meta_data)"
    stored = admin.execute(f"select {types} from auth.users where email = %s", [invited])
    assert stored.fetchone() == ("object", "object")


@pytest.mark.parametrize(
    ("password", "status"),
    [("123456", 422), ("123456789", 422), ("1234567890", 200)],
    ids=["six", "nine", "ten"],
)
def test_a_new_password_has_ten_characters(
    stack: Stack, client: Client, invited: str, password: str, status: int
) -> None:
    client.auth.sign_in_with_password({"email": invited, "password": "long enough"})
    headers = {"apikey": stack.publishable_key, "authorization": f"Bearer {token_of(client)}"}
    answer = httpx.put(f"{stack.auth_url}/user", headers=headers, json={"password": password})
    assert answer.status_code == status, answer.text
    if status == 422:
        message = "Password should be at least 10 characters."
        assert (answer.json()["error_code"], answer.json()["msg"]) == ("weak_password", message)
    works = {"email": invited, "password": password if status == 200 else "long enough"}
    assert post(stack, "token?grant_type=password", works).status_code == 200


AT_ONCE = "Too many requests at once; try again shortly."
LIMITED = {"code": 429, "error_code": "over_request_rate_limit", "msg": "Request rate limit reached"}


@pytest.fixture
def attempts(admin: psycopg.Connection) -> Iterator[None]:
    """Nobody has tried a wrong password, before and afterwards."""
    admin.execute("delete from auth.password_attempts")
    yield
    admin.execute("delete from auth.password_attempts")


@pytest.mark.usefixtures("attempts")
def test_wrong_passwords_for_an_account_are_limited(
    stack: Stack, admin: psycopg.Connection, invited: str
) -> None:
    wrong = {"email": invited, "password": "a wrong one"}
    with ThreadPoolExecutor(30) as pool:  # at once, so that each is counted before the first is found wrong
        answers = list(pool.map(lambda _: post(stack, "token?grant_type=password", wrong), range(60)))
    assert Counter(answer.status_code for answer in answers) == {400: 10, 429: 50}
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.json()["msg"] for answer in refused} <= {LIMITED["msg"], AT_ONCE}
    assert {answer.json()["error_code"] for answer in refused} == {LIMITED["error_code"]}
    assert all(0 < int(answer.headers["retry-after"]) <= 30 for answer in refused)

    right = {"email": invited, "password": "long enough"}
    assert post(stack, "token?grant_type=password", right).status_code == 429
    kari = {"email": EMAIL, "password": PASSWORD}
    assert post(stack, "token?grant_type=password", kari).status_code == 200  # somebody else is not concerned
    admin.execute("update auth.password_attempts set paid_until = paid_until - interval '30 seconds'")
    assert post(stack, "token?grant_type=password", right).status_code == 200
    # and with that the wrong ones are forgotten
    assert [post(stack, "token?grant_type=password", wrong).status_code for _ in range(11)] == [400] * 10 + [
        429
    ]


@pytest.mark.usefixtures("attempts")
def test_wrong_passwords_from_an_address_are_limited(stack: Stack) -> None:
    def attempt(number: int) -> int:
        body = {"email": f"nobody{number}@nhf.example", "password": "a wrong one"}
        return post(stack, "token?grant_type=password", body).status_code

    assert {attempt(number) for number in range(60)} == {400}
    assert any(attempt(number) == 429 for number in range(60, 100))  # one more every two seconds


@pytest.mark.usefixtures("attempts")
def test_right_passwords_are_not(stack: Stack) -> None:
    right = {"email": EMAIL, "password": PASSWORD}
    assert {post(stack, "token?grant_type=password", right).status_code for _ in range(70)} == {200}


def test_whose_wrong_passwords_they_are_is_not_written_down(stack: Stack, admin: psycopg.Connection) -> None:
    post(stack, "token?grant_type=password", {"email": "nobody@nhf.example", "password": "a wrong one"})
    rows = admin.execute("select whose from auth.password_attempts").fetchall()
    assert rows
    assert {len(whose) for (whose,) in rows} == {64}
    assert "nhf" not in str(rows)


JS = """
import { createClient } from "@supabase/supabase-js";
const { URL: url, KEY: key, EMAIL: email, PASSWORD: password } = process.env;
const client = createClient(url, key, { auth: { persistSession: false } });
const signIn = await client.auth.signInWithPassword({ email, password });
const rows = await client.from("organizations").select("slug");
const refreshed = await client.auth.refreshSession();
const user = await client.auth.getUser();
const wrong = await client.auth.signInWithPassword({ email, password: "wrong" });
const signOut = await client.auth.signOut();
const errors = [signIn, rows, refreshed, user, signOut].map(({ error }) => error?.message ?? null);
console.log(JSON.stringify({
  errors,
  rows: rows.data,
  rotated: signIn.data.session.refresh_token !== refreshed.data.session.refresh_token,
  email: user.data.user.email,
  wrong: [wrong.error.status, wrong.error.code],
}));
"""


def test_supabase_js_signs_in(stack: Stack) -> None:
    environment = {"URL": stack.api_url, "KEY": stack.publishable_key, "EMAIL": EMAIL, "PASSWORD": PASSWORD}
    command = [NODE, "--input-type=module", "-e", JS]
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == {
        "errors": [None] * 5,
        "rows": [{"slug": "nhf"}],
        "rotated": True,
        "email": EMAIL,
        "wrong": [400, "invalid_credentials"],
    }


PRIVILEGES = """
    select 'relation ' || c.oid::regclass::text, coalesce(c.relacl::text, '') from pg_class c
    where c.relnamespace::regnamespace::text !~ '^pg_'
    union all
    select 'schema ' || n.nspname, coalesce(n.nspacl::text, '') from pg_namespace n where n.nspname !~ '^pg_'
    union all
    select 'function ' || p.oid::regprocedure::text, coalesce(p.proacl::text, '') || p.prosrc from pg_proc p
    where p.pronamespace <> 'pg_catalog'::regnamespace
    union all
    select 'default ' || d.oid::text, d.defaclacl::text from pg_default_acl d
    union all
    select 'role ' || r.rolname, concat(r.rolsuper, r.rolcreaterole, r.rolbypassrls) from pg_roles r
    order by 1
"""


def test_auth_changes_no_schema_and_no_grant(signed_in: Client, admin: psycopg.Connection) -> None:
    """The library can rewrite functions and grants; as it runs here, it does not."""
    before = admin.execute(PRIVILEGES).fetchall()
    signed_in.auth.refresh_session()
    signed_in.auth.get_user()
    signed_in.auth.sign_out()
    signed_in.auth.sign_in_with_password({"email": EMAIL, "password": PASSWORD})
    assert admin.execute(PRIVILEGES).fetchall() == before


@pytest.mark.parametrize(
    "statement",
    [
        "create or replace function auth.uid() returns uuid language sql as 'select null::uuid'",
        "create function auth.extra() returns int language sql as 'select 1'",
        "create table auth.extra (id int)",
        "alter table auth.users add column extra int",
        "delete from auth.users",
        "select * from auth.audit_log_entries",
        "delete from auth.password_attempts",
        "select * from public.profiles",
        "create role extra",
    ],
)
def test_auth_login_can_do_no_more_than_keep_accounts(admin: psycopg.Connection, statement: Any) -> None:
    with admin.transaction(force_rollback=True):
        owned = "refobjid = 'supabase_auth_admin'::regrole and deptype = 'o'"
        assert admin.execute(f"select from pg_shdepend where {owned}").fetchone() is None
        admin.execute("set local role supabase_auth_admin")
        admin.execute("update auth.users set updated_at = now()")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            admin.execute(statement)


def test_sign_in_without_a_database_fails_fast_and_recovers(stack: Stack) -> None:
    def sign_in() -> httpx.Response:
        return post(stack, "token?grant_type=password", {"email": EMAIL, "password": PASSWORD})

    assert sign_in().status_code == 200
    stack.stop_postgres(immediate=True)
    try:
        for _ in range(10):  # each failed attempt must not make the next one wait longer
            answer = sign_in()
            assert (answer.status_code, answer.json()["error_code"]) == (503, "upstream_unavailable")
    finally:
        stack.start_postgres()
    eventually(lambda: sign_in().status_code == 200)
