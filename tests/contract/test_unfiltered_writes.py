"""No statement of ours is an UPDATE or DELETE without WHERE: Supabase refuses those in every API session.

What is created at run time is looked at in a migrated database: tests/database/test_unfiltered_writes.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.unfiltered_writes import in_python_file, in_sql, in_sql_file

ROOT = Path(__file__).parents[2]
SQL_FILES = sorted(
    file
    for folder in ("supabase", "local", "bench")
    for suffix in ("sql", "psql")
    for file in (ROOT / folder).rglob(f"*.{suffix}")
    if file != ROOT / "supabase" / "schema.sql"  # says again what the migrations make
)
PYTHON_FILES = sorted(
    file for folder in ("local", "tools", "bench") for file in (ROOT / folder).rglob("*.py")
)
PGTAP = ROOT / "supabase" / "tests"
# They put statements together from the list of measures; those are looked at as they run, in
# tests/database/test_unfiltered_writes.py.
PUT_TOGETHER = (
    "log_activity_changes",
    "create_fold",
    "create_audit",
    "create_rebuild",
    "create_sweep",
    "create_activity_history",
)


def name(file: Path) -> str:
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("file", SQL_FILES, ids=name)
def test_sql_file(file: Path) -> None:
    found = [str(finding) for finding in in_sql_file(file, name(file))]
    if PGTAP in file.parents or file.stem.partition("_")[2] in PUT_TOGETHER:
        # Helpers there run what they are given; the tests give it as literals, which are looked at.
        found = [finding for finding in found if "cannot be read beforehand" not in finding]
    assert found == []


def test_sql_in_python() -> None:
    assert [str(found) for file in PYTHON_FILES for found in in_python_file(file, name(file))] == []


def test_every_kind_of_file_is_there() -> None:
    names = {name(file) for file in SQL_FILES + PYTHON_FILES}
    assert {"supabase/seed.sql", "supabase/tests/helpers.psql", "local/sql/60_pg_net.sql"} <= names
    assert {"local/pg_net.py", "local/sql/50_auth.sql"} <= names
    assert (
        len([each for each in names if each.startswith(("supabase/migrations/", "supabase/rollbacks/"))]) > 50
    )


def in_plpgsql(body: str, header: str = "function f() returns void") -> str:
    return f"create {header} language plpgsql as $$\nbegin\n{body}\nend $$;"


REFUSED = {
    "update": ("update t set a = 1;", 1, "UPDATE"),
    "delete": ("select 1;\n-- æ → ø\ndelete from t;", 3, "DELETE"),
    "delete-using": ("delete from t using u;", 1, "DELETE"),
    "in-cte": ("with gone as (\n    delete from t returning a\n)\nselect * from gone;", 2, "DELETE"),
    "in-rule": ("create rule r as on insert to t do also\n    update u set a = 1;", 2, "UPDATE"),
    "sql-function": (
        "create function f() returns void language sql as $$\nupdate t set a = 1 $$;",
        2,
        "UPDATE",
    ),
    "begin-atomic": (
        "create function f() returns void language sql\nbegin atomic\n    delete from t;\nend;",
        3,
        "DELETE",
    ),
    "plpgsql": (in_plpgsql("    delete from t;"), 3, "DELETE"),
    "plpgsql-trigger": (
        in_plpgsql("update t set a = new.a;\nreturn null;", "function f() returns trigger"),
        3,
        "UPDATE",
    ),
    "plpgsql-loop": (
        in_plpgsql("while true loop\n    if true then\n        delete from t;\n    end if;\nend loop;"),
        5,
        "DELETE",
    ),
    "plpgsql-handler": (
        in_plpgsql("null;\nexception when others then\n    update t set a = 1;"),
        5,
        "UPDATE",
    ),
    "plpgsql-return-query": (
        in_plpgsql("return query delete from t returning a;", "function f() returns setof int"),
        3,
        "DELETE",
    ),
    "plpgsql-row-types": (
        """create function f(p stats.t, q stats.t[]) returns stats.t language plpgsql as $$
declare
    v stats.t;
    w public.t[] := '{}';
    x public.t.a%type;
begin
    v.a := 1;
    delete from t;
    return v;
end $$;""",
        8,
        "DELETE",
    ),
    "execute": (in_plpgsql("execute 'delete from t';"), 3, "DELETE"),
    "execute-format": (in_plpgsql("execute format('update %I.t set a = %L', 's', 'b');"), 3, "UPDATE"),
    "execute-joined": (in_plpgsql("execute 'delete from ' || quote_ident('t');"), 3, "DELETE"),
    "execute-case": (
        in_plpgsql("execute case when true then 'select 1' else 'delete from t' end;"),
        3,
        "DELETE",
    ),
    "for-execute": (
        """create function f() returns void language plpgsql as $$
declare r record;
begin
for r in execute 'delete from t returning a' loop null; end loop;
end $$;""",
        4,
        "DELETE",
    ),
    "return-execute": (
        in_plpgsql("return query execute 'delete from t returning a';", "function f() returns setof int"),
        3,
        "DELETE",
    ),
    "do": ("do $$\nbegin\n    delete from t;\nend $$;", 3, "DELETE"),
    "schedule": ("select cron.schedule('job', '* * * * *',\n    $job$ delete from t $job$);", 2, "DELETE"),
    "schedule-in-do": (
        "do $$\nbegin\nperform cron.schedule('job', '* * * * *', 'update t set a = 1');\nend $$;",
        3,
        "UPDATE",
    ),
    "function-in-do": (
        "do $do$\nbegin\ncreate function f() returns void language sql as $$ delete from t $$;\nend $do$;",
        3,
        "DELETE",
    ),
}


@pytest.mark.parametrize(("text", "line", "verb"), REFUSED.values(), ids=REFUSED)
def test_a_write_without_where_is_found(text: str, line: int, verb: str) -> None:
    found = [str(finding) for finding in in_sql(text, "file.sql")]
    assert found == [f"file.sql:{line}: {verb} requires a WHERE clause"]


@pytest.mark.parametrize("text", [text for text, _, _ in REFUSED.values()], ids=REFUSED)
def test_the_same_with_where_is_allowed(text: str) -> None:
    filtered = text
    for end in (
        "update t set a = 1",
        "update u set a = 1",
        "update t set a = new.a",
        "delete from t using u",
    ):
        filtered = filtered.replace(end, f"{end} where true")
    if filtered == text:
        filtered = (
            text.replace("delete from t", "delete from t where true")
            .replace("quote_ident('t')", "quote_ident('t') || ' where true'")
            .replace("set a = %L", "set a = %L where true")
        )
    assert filtered != text
    assert in_sql(filtered, "file.sql") == []


@pytest.mark.parametrize(
    "text",
    [
        "merge into t using u on t.a = u.a when matched then delete;",
        "insert into t values (1) on conflict (a) do update set a = 2;",
        "truncate t;",
        "select * from t for update;",
        "comment on table t is 'Update the rows with care; delete none.';",
        in_plpgsql("execute format('alter role %I %s', 'r', 'login');"),
    ],
    ids=["merge", "on-conflict", "truncate", "for-update", "prose", "no-write"],
)
def test_what_safeupdate_lets_through_is_allowed(text: str) -> None:
    assert in_sql(text, "file.sql") == []


def test_a_statement_that_nobody_can_read_beforehand_is_found() -> None:
    text = in_plpgsql("execute p_statement;", "function f(p_statement text) returns void")
    assert [str(finding) for finding in in_sql(text, "file.sql")] == [
        "file.sql:3: EXECUTE of something that cannot be read beforehand: unknown_part"
    ]


def test_sql_in_python_is_found(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(
        '"""Update: words."""\n'
        'a = "delete from t"\n'
        'b = f"update {a} set x = %s"\n'
        'c = sql.SQL("delete from {}").format(a)\n'
        'd = ("update t "\n     "set a = %(a)s where a = %(b)s")\n'
    )
    assert [str(finding) for finding in in_python_file(file, "module.py")] == [
        "module.py:2: DELETE requires a WHERE clause",
        "module.py:3: UPDATE requires a WHERE clause",
        "module.py:4: DELETE requires a WHERE clause",
    ]
