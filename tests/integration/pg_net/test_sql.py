"""The SQL side: the names, argument lists and errors of pg_net 0.20, and who may use them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.integration.pg_net.support import INSTALL_SQL, value

if TYPE_CHECKING:
    from tests.integration.pg_net.support import Connection

GET = (
    "url text, params jsonb DEFAULT '{}'::jsonb, headers jsonb DEFAULT '{}'::jsonb, "
    "timeout_milliseconds integer DEFAULT 5000"
)
POST = (
    "url text, body jsonb DEFAULT '{}'::jsonb, params jsonb DEFAULT '{}'::jsonb, "
    """headers jsonb DEFAULT '{"Content-Type": "application/json"}'::jsonb, """
    "timeout_milliseconds integer DEFAULT 5000"
)


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("http_get", GET, "bigint"),
        ("http_post", POST, "bigint"),
        ("http_delete", f"{GET}, body jsonb DEFAULT NULL::jsonb", "bigint"),
        (
            "_http_collect_response",
            "request_id bigint, async boolean DEFAULT true",
            "net.http_response_result",
        ),
        ("_urlencode_string", "string character varying", "text"),
        ("_encode_url_with_params_array", "url text, params_array text[]", "text"),
        ("wake", "", "void"),
        ("check_worker_is_up", "", "void"),
        ("wait_until_running", "", "void"),
    ],
)
def test_signature_is_that_of_the_extension(
    name: str, arguments: str, result: str, connection: Connection
) -> None:
    rows = connection.execute(
        "select pg_get_function_arguments(oid), pg_get_function_result(oid) from pg_proc"
        " where pronamespace = 'net'::regnamespace and proname = %s",
        [name],
    ).fetchall()
    assert rows == [(arguments, result)]


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        (
            "http_request_queue",
            (
                "id bigint!,method net.http_method!,url text!,headers jsonb,body bytea,"
                "timeout_milliseconds integer!"
            ),
        ),
        (
            "_http_response",
            (
                "id bigint,status_code integer,content_type text,headers jsonb,content text,"
                "timed_out boolean,error_msg text,created timestamp with time zone!"
            ),
        ),
    ],
)
def test_table_is_that_of_the_extension(table: str, columns: str, connection: Connection) -> None:
    actual = value(
        connection,
        "select string_agg(attname || ' ' || format_type(atttypid, atttypmod)"
        " || case when attnotnull then '!' else '' end, ',' order by attnum)"
        " from pg_attribute where attrelid = %s::regclass and attnum > 0",
        f"net.{table}",
    )
    assert actual == columns
    persistence = "select relpersistence::text from pg_class where oid = %s::regclass"
    assert value(connection, persistence, f"net.{table}") == "u"


@pytest.mark.parametrize("role", ["postgres", "service_role"])
def test_role_may_queue_a_request(role: str, admin: Connection) -> None:
    with admin.transaction(force_rollback=True):
        admin.execute(f"set local role {role}".encode())
        assert value(admin, "select net.http_get('http://127.0.0.1:9/')") > 0


@pytest.mark.parametrize("role", ["anon", "authenticated", "authenticator"])
def test_role_may_not_queue_a_request(role: str, admin: Connection) -> None:
    with admin.transaction(force_rollback=True):
        admin.execute(f"set local role {role}".encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match=r"^permission denied for schema net"):
            admin.execute("select net.http_get('http://127.0.0.1:9/')")


@pytest.mark.parametrize("table", ["http_request_queue", "_http_response"])
def test_only_postgres_may_read_the_tables(table: str, admin: Connection) -> None:
    query = f"select count(*) from net.{table}".encode()
    with admin.transaction():
        admin.execute("set local role postgres")
        assert admin.execute(query).fetchone() is not None
    with admin.transaction(force_rollback=True):
        admin.execute("set local role service_role")
        with pytest.raises(
            psycopg.errors.InsufficientPrivilege, match=rf"^permission denied for table {table}"
        ):
            admin.execute(query)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        pytest.param(
            """net.http_post('http://x', headers := '{"content-type": "text/plain"}')""",
            psycopg.errors.RaiseException,
            'Content-Type header must be "application/json"',
            id="post-of-text",
        ),
        pytest.param(
            "net.http_get('localhost:6666')",
            psycopg.errors.InternalError_,
            'invalid URL "localhost:6666": Unsupported URL scheme',
            id="no-scheme",
        ),
        pytest.param(
            "net.http_get('/path')",
            psycopg.errors.InternalError_,
            'invalid URL "/path": Malformed input to a URL function',
            id="relative",
        ),
        pytest.param(
            "net.http_get('http://x/a b')",
            psycopg.errors.InternalError_,
            'invalid URL "http://x/a b": Malformed input to a URL function',
            id="space",
        ),
        pytest.param(
            "net.http_delete(null)",
            psycopg.errors.NotNullViolation,
            'null value in column "url" of relation "http_request_queue" violates not-null constraint',
            id="null-url",
        ),
        pytest.param(
            "net.http_get('http://x', headers := '[]')",
            psycopg.errors.InvalidParameterValue,
            "headers must be a JSON object",
            id="headers-not-an-object",
        ),
    ],
)
def test_bad_call_is_refused_and_queues_nothing(
    call: str, kind: type[psycopg.Error], message: str, connection: Connection
) -> None:
    with pytest.raises(kind) as refusal:
        connection.execute(f"select {call}".encode())
    assert refusal.value.diag.message_primary == message
    assert value(connection, "select count(*) from net.http_request_queue") == 0


@pytest.mark.parametrize(
    ("headers", "queued"),
    [
        pytest.param(None, {"Content-Type": "application/json"}, id="null"),
        pytest.param("{}", {"Content-Type": "application/json"}, id="empty"),
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
        request_id = value(connection, "select net.http_post('http://x', headers := %s)", headers)
        row = connection.execute(
            "select headers, method, url, convert_from(body, 'UTF8'), timeout_milliseconds"
            " from net.http_request_queue where id = %s",
            [request_id],
        ).fetchone()
    assert row == (queued, "POST", "http://x/", "{}", 5000)


@pytest.mark.parametrize(
    ("url", "parameters", "encoded"),
    [
        ("http://x", [], "http://x/"),
        ("HTTP://x:81/p", ["a=1", None, "b=2"], "http://x:81/p?a=1&b=2"),
        ("https://x/p?c=1#f", ["a=1"], "https://x/p?c=1&a=1#f"),
        ("http://x/?c=1&", ["a=1"], "http://x/?c=1&a=1"),
        ("http://x/?", ["a=1"], "http://x/?a=1"),
        (None, None, None),
    ],
)
def test_parameters_join_the_query(
    url: str | None, parameters: list[str] | None, encoded: str | None, admin: Connection
) -> None:
    query = "select net._encode_url_with_params_array(%s, %s)"
    assert value(admin, query, url, parameters) == encoded


@pytest.mark.parametrize(
    ("plain", "encoded"),
    [
        ("", ""),
        (None, None),
        ("AZaz09-._~", "AZaz09-._~"),
        ("a b+c&=%/", "a%20b%2Bc%26%3D%25%2F"),
        ("å€", "%C3%A5%E2%82%AC"),
    ],
)
def test_urlencode_leaves_only_unreserved_characters(
    plain: str | None, encoded: str | None, admin: Connection
) -> None:
    assert value(admin, "select net._urlencode_string(%s)", plain) == encoded


def test_a_thousand_requests_wake_the_worker_once(url: str, connection: Connection) -> None:
    connection.execute("listen pg_net")
    with psycopg.connect(url) as writer:
        writer.execute("select net.http_get('http://127.0.0.1:9/') from generate_series(1, 1000)")
        writer.execute("delete from net.http_request_queue")
    with psycopg.connect(url) as writer:
        writer.execute("select net.http_get('http://127.0.0.1:9/')")
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
    admin.execute(INSTALL_SQL.encode())
    assert catalog() == before


def test_installing_beside_the_extension_is_refused(admin: Connection) -> None:
    beside_an_extension = INSTALL_SQL.replace("where name = 'pg_net'", "where name = 'plpgsql'")
    assert beside_an_extension != INSTALL_SQL
    with pytest.raises(psycopg.errors.RaiseException, match=r"^extension pg_net is available"):
        admin.execute(beside_an_extension.encode())
