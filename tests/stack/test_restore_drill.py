"""`make restore-drill`: what comes back is exact, and what does not is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from tools import restore_drill
from tools.scratch import scratch

if TYPE_CHECKING:
    from pathlib import Path

    from local.stack import Stack


def test_a_backup_comes_back_and_a_loss_is_named(stack: Stack, tmp_path: Path) -> None:
    expected = restore_drill.count_rows(stack.db_url)
    restore_drill.dump(stack.db_url, tmp_path)
    assert expected["activities"] > 0
    with scratch() as instance:
        restore_drill.rehearse(tmp_path, instance)
        url = instance.database_url("postgres")
        assert restore_drill.findings(url, expected) == []

        with psycopg.connect(instance.database_url("supabase_admin")) as connection:
            connection.execute("set session_replication_role = replica")
            connection.execute(
                "delete from public.activities where id in"
                " (select id from public.activities where is_counted limit 1)"
            )
        rows = expected["activities"]
        found = restore_drill.findings(url, expected)
        assert f"activities: {rows - 1} rows, {rows} in the source" in found
        assert any(line.startswith("audit: ") for line in found), found
