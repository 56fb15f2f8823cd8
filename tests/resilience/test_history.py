"""Ten thousand reads under load, each compared offline with what its snapshot could see: none may differ.

    FERSK_HISTORY_READS=200000   so many reads instead of 10,000
    FERSK_HISTORY_SEED=7         what everybody chooses; random if not given, and printed

A read is one answer of one relation or function, or one summary that is called fresh. A statement may give
several, and so may a transaction, which above READ COMMITTED has one snapshot.
"""

from __future__ import annotations

import os
import secrets
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.resilience.comparison import differences
from tests.resilience.hierarchy_sessions import ContactWriter, Drainer, Precomputer, drain, units_of
from tests.resilience.history import Ledger, Read, keep_ledger
from tests.resilience.history_sessions import Caretaker, HistoryReader, SummaryReader
from tests.resilience.load import Load
from tests.resilience.own_cluster import own_cluster
from tests.resilience.sabotage import (
    FOLD_IN_TWO_STATEMENTS,
    FOLD_THAT_MARKS_NO_ANCESTORS,
    READ_WITHOUT_THE_LOG,
    Sabotage,
    sabotaged,
)
from tests.resilience.scene import load_scene
from tests.resilience.sessions import Refresher

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.resilience.load import Session
    from tests.resilience.own_cluster import Connection, OwnCluster

READS = int(os.environ.get("FERSK_HISTORY_READS", "10000"))
SEED = int(os.environ.get("FERSK_HISTORY_SEED", secrets.randbelow(1_000_000)))
WRITERS = 6
# It is a load: each of these happens meanwhile.
IN_ALL = {
    "committed": 200,
    "rolled back": 20,
    "contact changed": 50,
    "drained": 20,
    "folded": 10,
    "rebuilt": 10,
    "audited": 5,
    "swept": 5,
    "refreshed": 5,
    "computed ahead": 5,
}
# And so many answers of each relation at each isolation level are among the reads.
OF_EACH = 20


@pytest.fixture(scope="module")
def own() -> Iterator[OwnCluster]:
    with own_cluster("history") as cluster:
        with cluster.connect(admin=True) as connection:
            connection.execute("update stats.settings set debounce = '0'")
            connection.execute("delete from public.expense_claims")
            connection.execute("delete from public.activities")
            drain(connection)
            keep_ledger(connection)
        yield cluster


def test_every_read_equals_the_sum_of_what_its_snapshot_could_see(
    own: OwnCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    log: list[Read] = []
    load = Load(own)
    began = time.monotonic()
    with load.running(everybody(own, log, with_caretakers=True)):
        load.wait_until(f"{READS} reads", lambda: len(log) >= READS, patience=300 + READS / 50)
        for what, count in IN_ALL.items():
            load.wait_for(what, count)
    loaded = time.monotonic()
    with own.connect(admin=True) as connection:
        ledger = Ledger(connection)
        found, decided = ledger.violations(log)
        with capsys.disabled():
            print(  # noqa: T201  what was played, so that it can be played again
                f"\nhistory: seed {SEED}: {decided} of {len(log)} reads compared, {len(found)} wrong; "
                f"in {load.done['read']} transactions beside {len(ledger.changes)} that wrote; "
                f"{loaded - began:.0f} s, and {time.monotonic() - loaded:.0f} s to compare\n{dict(load.done)}"
            )
        assert not found, f"{len(found)} of {decided}, seed {SEED}, such as {found[:3]}"
        assert decided >= READS * 0.9  # the others fell between two snapshots
        for read in log[:: len(log) // 20]:
            assert ledger.visible(read.snapshot) == visible_to_postgres(connection, read.snapshot)
        assert differences(connection) == []
    kinds = Counter((read.what, read.isolation) for read in log)
    assert min(kinds.values()) >= OF_EACH, kinds


@pytest.mark.parametrize(
    "sabotage",
    [FOLD_IN_TWO_STATEMENTS, READ_WITHOUT_THE_LOG, FOLD_THAT_MARKS_NO_ANCESTORS],
    ids=["fold-in-two-statements", "read-without-the-log", "fold-that-marks-no-ancestors"],
)
def test_control_the_same_load_finds_what_a_guard_less_does(own: OwnCluster, sabotage: Sabotage) -> None:
    log: list[Read] = []
    load = Load(own)
    with own.connect(admin=True) as connection:
        with sabotaged(connection, sabotage.with_a_sleep()), load.running(everybody(own, log)):
            load.wait_until("1,000 reads", lambda: len(log) >= 1000)
            load.wait_for("drained", 20)
        found, decided = Ledger(connection).violations(log)
        assert decided > 500
        assert found
        connection.execute("select stats.rebuild()")
        drain(connection)
        connection.execute("delete from public.hierarchy_stats_cache")
        assert differences(connection) == []


def everybody(own: OwnCluster, log: list[Read], *, with_caretakers: bool = False) -> list[Session]:
    with own.connect() as connection:
        scene = load_scene(connection)
        units = units_of(connection, scene)
        row = connection.execute("select count(*) from history.activities").fetchone()
    assert row is not None
    first = (SEED << 32) + row[0]  # so that no writer has the ids of an earlier load
    caretakers = [Caretaker(f"{SEED} caretaker {number}", scene) for number in range(2)]
    return [
        *(ContactWriter(first + number, scene) for number in range(WRITERS)),
        *(HistoryReader(f"{SEED} reader {number}", scene, units, log) for number in range(3)),
        SummaryReader(f"{SEED} summaries", units, log),
        *(caretakers if with_caretakers else []),
        Drainer(SEED),
        Precomputer(SEED),
        Refresher(),
    ]


def visible_to_postgres(connection: Connection, snapshot: str) -> set[int]:
    """What the server itself says of a snapshot, as a control of how it is read here."""
    rows = connection.execute(
        "select distinct l.xid::text from (select xid from history.activities "
        "union all select xid from history.parents union all select xid from history.categories) l "
        "where pg_visible_in_snapshot(l.xid, %s::pg_snapshot)",
        [snapshot],
    )
    return {int(row[0]) for row in rows}
