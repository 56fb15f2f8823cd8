"""The SQL side: the names, argument lists and errors of pg_net 0.20, and who may use them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.stack.pg_net.support import INSTALL_SQL, value

if TYPE_CHECKING:
    from tests.stack.pg_net.support import Connection

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
    ("arguments", "sqlstate", "message"),
    [
        (
            """'http://x', headers := '{"content-type": "text/plain"}'""",
            "P0001",
            'Content-Type header must be "application/json"',
        ),
        ("'localhost:6666'", "XX000", 'invalid URL "localhost:6666": Unsupported URL scheme'),
        ("'/path'", "XX000", 'invalid URL "/path": Malformed input to a URL function'),
        ("'http://x/a b'", "XX000", 'invalid URL "http://x/a b": Malformed input to a URL function'),
        (
            "null",
            "23502",
            'null value in column "url" of relation "http_request_queue" violates not-null constraint',
        ),
        ("'http://x', headers := '[]'", "22023", "cannot call jsonb_each_text on a non-object"),
        (
            """'http://x', params := '{"a": "b"}'""",
            "0A000",
            "params are not in the stand-in for pg_net",
        ),
    ],
    ids=["text", "no-scheme", "relative", "space", "null-url", "headers-not-an-object", "params"],
)
def test_bad_call_is_refused_and_queues_nothing(
    arguments: str, sqlstate: str, message: str, connection: Connection
) -> None:
    with pytest.raises(psycopg.Error) as refusal:
        connection.execute(f"select net.http_post({arguments})".encode())
    assert (refusal.value.sqlstate, refusal.value.diag.message_primary) == (sqlstate, message)
    assert value(connection, "select count(*) from net.http_request_queue") == 0


def test_post_adds_the_content_type_only_where_it_is_missing(connection: Connection) -> None:
    given, added = {"content-type": "application/json"}, {"Content-Type": "application/json"}
    for headers, queued in ((None, added), ({"X": "y"}, {"X": "y", **added}), (given, given)):
        with connection.transaction(force_rollback=True):
            connection.execute(
                "select net.http_post('http://x/', headers := %s)", [Jsonb(headers) if headers else None]
            )
            row = connection.execute(
                "select headers, method, url, convert_from(body, 'UTF8'), timeout_milliseconds"
                " from net.http_request_queue"
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
