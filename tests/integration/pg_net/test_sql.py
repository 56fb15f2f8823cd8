"""The SQL side: the names, argument lists and errors of pg_net 0.20, and who may use them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.integration.pg_net.support import INSTALL_SQL, value

if TYPE_CHECKING:
    from tests.integration.pg_net.support import Connection

POST = (
    "url text, body jsonb DEFAULT '{}'::jsonb, params jsonb DEFAULT '{}'::jsonb, "
    """headers jsonb DEFAULT '{"Content-Type": "application/json"}'::jsonb, """
    "timeout_milliseconds integer DEFAULT 5000"
)
QUEUE = "id bigint!,method net.http_method!,url text!,headers jsonb,body bytea,timeout_milliseconds integer!"
RESPONSE = (
    "id bigint,status_code integer,content_type text,headers jsonb,content text,"
    "timed_out boolean,error_msg text,created timestamp with time zone!"
)
CALL = "select net.http_post('http://127.0.0.1:9/')"


def test_function_and_tables_are_those_of_the_extension(connection: Connection) -> None:
    signatures = connection.execute(
        "select pg_get_function_arguments(oid), pg_get_function_result(oid) from pg_proc"
        " where pronamespace = 'net'::regnamespace"
    )
    assert signatures.fetchall() == [(POST, "bigint")]
    for table, columns in (("http_request_queue", QUEUE), ("_http_response", RESPONSE)):
        actual = value(
            connection,
            "select string_agg(attname || ' ' || format_type(atttypid, atttypmod)"
            " || case when attnotnull then '!' else '' end, ',' order by attnum)"
            " from pg_attribute where attrelid = %s::regclass and attnum > 0",
            f"net.{table}",
        )
        assert actual == columns
        persistence = "select relpersistence::text from pg_class where oid = %s::regclass"
        assert value(connection, persistence, f"net.{table}") == "u", "unlogged"


@pytest.mark.parametrize("role", ["postgres", "service_role", "anon", "authenticated", "authenticator"])
def test_who_may_queue_a_request_and_look(role: str, admin: Connection) -> None:
    def is_allowed(query: str) -> bool:
        with admin.transaction(force_rollback=True):
            admin.execute(f"set local role {role}".encode())
            try:
                admin.execute(query.encode())
            except psycopg.errors.InsufficientPrivilege:
                return False
            return True

    assert is_allowed(CALL) is (role in {"postgres", "service_role"})
    for table in ("http_request_queue", "_http_response"):
        assert is_allowed(f"select from net.{table}") is (role == "postgres")


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        pytest.param(
            """'http://x', headers := '{"content-type": "text/plain"}'""",
            psycopg.errors.RaiseException,
            'Content-Type header must be "application/json"',
            id="text",
        ),
        pytest.param(
            "'localhost:6666'",
            psycopg.errors.InternalError_,
            'invalid URL "localhost:6666": Unsupported URL scheme',
            id="no-scheme",
        ),
        pytest.param(
            "'/path'",
            psycopg.errors.InternalError_,
            'invalid URL "/path": Malformed input to a URL function',
            id="relative",
        ),
        pytest.param(
            "'http://x/a b'",
            psycopg.errors.InternalError_,
            'invalid URL "http://x/a b": Malformed input to a URL function',
            id="space",
        ),
        pytest.param(
            "null",
            psycopg.errors.NotNullViolation,
            'null value in column "url" of relation "http_request_queue" violates not-null constraint',
            id="null-url",
        ),
        pytest.param(
            "'http://x', headers := '[]'",
            psycopg.errors.InvalidParameterValue,
            "cannot call jsonb_each_text on a non-object",
            id="headers-not-an-object",
        ),
        pytest.param(
            """'http://x', params := '{"a": "b"}'""",
            psycopg.errors.FeatureNotSupported,
            "params are not in the stand-in for pg_net",
            id="params",
        ),
    ],
)
def test_bad_call_is_refused_and_queues_nothing(
    arguments: str, kind: type[psycopg.Error], message: str, connection: Connection
) -> None:
    with pytest.raises(kind) as refusal:
        connection.execute(f"select net.http_post({arguments})".encode())
    assert refusal.value.diag.message_primary == message
    assert value(connection, "select count(*) from net.http_request_queue") == 0


@pytest.mark.parametrize(
    ("headers", "queued"),
    [
        pytest.param(None, {"Content-Type": "application/json"}, id="null"),
        pytest.param('{"X": "y"}', {"X": "y", "Content-Type": "application/json"}, id="others"),
        pytest.param(
            '{"content-type": "application/json"}', {"content-type": "application/json"}, id="given"
        ),
    ],
)
def test_post_adds_the_content_type_only_where_it_is_missing(
    headers: str | None, queued: dict[str, str], connection: Connection
) -> None:
    with connection.transaction(force_rollback=True):
        request_id = value(connection, "select net.http_post('http://x/', headers := %s)", headers)
        row = connection.execute(
            "select headers, method, url, convert_from(body, 'UTF8'), timeout_milliseconds"
            " from net.http_request_queue where id = %s",
            [request_id],
        ).fetchone()
    assert row == (queued, "POST", "http://x/", "{}", 5000)


def test_a_thousand_requests_wake_the_worker_once(url: str, connection: Connection) -> None:
    connection.execute("listen pg_net")
    with psycopg.connect(url) as writer:
        writer.execute(f"{CALL} from generate_series(1, 1000)".encode())
        writer.execute("delete from net.http_request_queue")
    with psycopg.connect(url) as writer:
        writer.execute(CALL.encode())
        writer.rollback()
        writer.execute("select pg_notify('pg_net', 'end')")
    assert [n.payload for n in connection.notifies(timeout=20, stop_after=2)] == ["", "end"]


def test_installing_again_changes_nothing(admin: Connection) -> None:
    def catalog() -> list[tuple[object, ...]]:
        return admin.execute(
            "select 'f', oid, proacl::text, prosrc, '' from pg_proc where pronamespace = 'net'::regnamespace"
            " union all select 'c', oid, relacl::text, relname, relkind::text from pg_class"
            " where relnamespace = 'net'::regnamespace order by 1, 2"
        ).fetchall()

    before = catalog()
    admin.execute(INSTALL_SQL)
    assert catalog() == before
