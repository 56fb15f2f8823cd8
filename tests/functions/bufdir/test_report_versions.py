"""What is reported: who may do what with a version, what is refused, and that what was sent stays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest

from tests.functions.bufdir.support import YEAR, data, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from tests.functions.bufdir.reports import Office


# --- who may ---------------------------------------------------------------------------------------------

FORBIDDEN = (403, "forbidden")
MISSING = (404, "not_found")
NOBODY = (401, "unauthorized")
DONE = (200, None)
CLOSED = (403, "42501")
ANONYMOUS = (401, "42501")
Case = tuple["Callable[[Office, str], httpx.Response]", dict[str, tuple[int, str | None]]]


def rights(
    *,
    mentor: Any = FORBIDDEN,
    coordinator: Any = DONE,
    admin: Any = DONE,
    other: Any = MISSING,
    anonymous: Any = NOBODY,
) -> dict[str, Any]:
    return {
        "peer mentor": mentor,
        "coordinator": coordinator,
        "org admin": admin,
        "other organisation": other,
        "anonymous": anonymous,
    }


def prepare(office: Office, who: str) -> httpx.Response:
    office.save()
    return office.step(who, "prepare")


def approve(office: Office, who: str) -> httpx.Response:
    return office.step(who, "approve", office.prepare("other coordinator")["id"])


def send(office: Office, who: str) -> httpx.Response:
    return office.step(who, "send", office.approve()["id"])


def export(file_format: str) -> Callable[[Office, str], httpx.Response]:
    return lambda office, who: office.export(who, office.approve()["id"], file_format)


def list_versions(office: Office, who: str) -> httpx.Response:
    return office[who].call("GET", "bufdir-reports", **office.days.query)


def remarks(office: Office, who: str) -> httpx.Response:
    return office[who].call("GET", "bufdir-reports", **office.days.query, show="remarks")


def lock(office: Office, who: str) -> httpx.Response:
    return office[who].rpc("lock_reporting_year", year=2031)


def unlock(office: Office, who: str) -> httpx.Response:
    if (
        office.own("select locked_at from public.reporting_years where year = 2031 and locked_at is not null")
        is None
    ):
        data_of_rpc(office["org admin"].rpc("lock_reporting_year", year=2031))
    return office[who].rpc("unlock_reporting_year", year=2031, reason="A correction")


def data_of_rpc(response: httpx.Response) -> Any:
    assert response.status_code == 200, response.text
    return response.json()


def explain(office: Office, who: str) -> httpx.Response:
    version = office.prepare()["id"]
    return office[who].call("GET", "bufdir-reports", **office.days.query, show="difference", version=version)


ONLY_ADMINS = rights(mentor=CLOSED, coordinator=CLOSED, anonymous=ANONYMOUS)
RIGHTS: dict[str, Case] = {
    # another organisation has nothing saved of that period
    "prepare": (prepare, rights()),
    "approve": (approve, rights()),
    "send": (send, rights()),
    "list": (list_versions, rights(other=DONE)),
    "remarks": (remarks, rights(other=DONE)),
    "explain": (explain, rights(coordinator=FORBIDDEN)),
    "export audit": (export("audit"), rights(coordinator=FORBIDDEN)),
    **{f"export {kind}": (export(kind), rights()) for kind in ("csv", "xlsx", "pdf", "json")},
    # another organisation has a year of its own
    "lock": (lock, ONLY_ADMINS | {"other organisation": DONE}),
    "unlock": (unlock, ONLY_ADMINS | {"other organisation": DONE}),
}


@pytest.mark.parametrize(
    ("action", "who"), [(action, who) for action, (_, table) in RIGHTS.items() for who in table]
)
def test_who_may(office: Office, action: str, who: str) -> None:
    call, table = RIGHTS[action]
    office.own("delete from public.reporting_years where year = 2031")
    if (action, who) == ("unlock", "other organisation"):
        data_of_rpc(office[who].rpc("lock_reporting_year", year=2031))
    assert refusal(call(office, who)) == table[who]


# --- the steps -------------------------------------------------------------------------------------------


def test_a_report_is_prepared_approved_sent_and_stays(office: Office) -> None:
    prepared = office.prepare()
    assert refusal(office.export("org admin", prepared["id"])) == (409, "conflict")
    assert refusal(office.step("coordinator", "send", prepared["id"])) == (409, "conflict")
    assert refusal(office.step("coordinator", "approve", prepared["id"])) == (403, "forbidden")
    approved = data(office.step("org admin", "approve", prepared["id"]))
    sent = data(office.step("coordinator", "send", prepared["id"]))
    assert approved["hash"] == sent["hash"] == prepared["hash"]
    assert [sent[step]["name"] for step in ("prepared", "approved", "sent")] == [
        "Kari Koordinator",
        "Astrid Administrator",
        "Kari Koordinator",
    ]
    before = office.export("org admin", sent["id"], "pdf").content
    office.edit()
    later = office.prepare()
    assert (later["version"], later["previous_hash"]) == (sent["version"] + 1, sent["hash"])
    [now, then] = office.versions()[:2]
    assert now["report"]["totals"]["total_hours"] != then["report"]["totals"]["total_hours"]
    assert then["id"] == sent["id"]
    assert office.export("org admin", sent["id"], "pdf").content == before


def test_one_person_may_do_all_where_the_organisation_says_so(office: Office) -> None:
    prepared = office.prepare()
    refused = office.step("coordinator", "approve", prepared["id"])
    assert refused.json()["error"]["message"] == "Somebody else approves what one has prepared."
    office.own("update public.organization_settings set two_person_sign_off = false where true")
    try:
        assert refusal(office.step("coordinator", "approve", prepared["id"])) == DONE
    finally:
        office.own("update public.organization_settings set two_person_sign_off = true where true")


@pytest.mark.parametrize("step", ["approve", "send"])
def test_what_has_changed_since_is_not_signed_or_exported(office: Office, step: str) -> None:
    version = office.prepare() if step == "approve" else office.approve()
    office.edit()
    refused = office.step("org admin", step, version["id"])
    assert refusal(refused) == (409, "conflict")
    assert (
        refused.json()["error"]["message"] == "The activities have changed since this version was prepared."
    )
    if step == "send":
        before = office.exports()
        assert refusal(office.export("org admin", version["id"])) == (409, "conflict")
        assert office.exports() == before


def test_only_the_newest_version_is_signed(office: Office) -> None:
    first, second = office.prepare(), office.prepare()
    refused = office.step("org admin", "approve", first["id"])
    assert (refused.status_code, refused.json()["error"]["message"]) == (
        409,
        "There is a later version of this report.",
    )
    assert refusal(office.step("org admin", "approve", second["id"])) == DONE


def test_the_kill_switch_closes_every_step(office: Office) -> None:
    version = office.approve()
    office.own("update public.organization_settings set statistics_enabled = false where true")
    try:
        for answer in (
            office.step("coordinator", "prepare"),
            office.step("coordinator", "send", version["id"]),
            list_versions(office, "org admin"),
            remarks(office, "org admin"),
            office.export("org admin", version["id"]),
        ):
            assert refusal(answer) == (423, "feature_disabled")
        assert office["org admin"].rest("GET", "bufdir_report_versions").json() == []
    finally:
        office.own("update public.organization_settings set statistics_enabled = true where true")
    assert refusal(office.step("coordinator", "send", version["id"])) == DONE


def test_there_is_no_version_of_that_id(office: Office) -> None:
    assert refusal(office.step("org admin", "approve", uuid4())) == MISSING
    assert refusal(office.export("org admin", uuid4())) == MISSING


# --- what somebody makes up ------------------------------------------------------------------------------


def test_what_one_mentor_makes_up_is_remarked_upon_and_its_removal_explained(office: Office) -> None:
    """As much as the limit of a day lets in: no report is blocked, but nobody can say they were not told."""
    ola = office["peer mentor"]
    [known] = ola.rest(
        "GET", f"activities?id=eq.{office.some_activity()}&select=unit_id,activity_type_id"
    ).json()
    days = [f"{YEAR}-{month:02}-{day:02}" for month in range(1, 13) for day in range(20, 25)]
    made_up = [known | {"occurred_at": f"{day}T01:00Z", "duration_minutes": 720} for day in days]
    mine = f"activities?occurred_at=gte.{YEAR}-01-01&occurred_at=lt.{YEAR + 1}-01-01&duration_minutes=eq.720"
    assert ola.rest("GET", f"{mine}&select=id").json() == []
    before = office.versions()
    posted = ola.rest("POST", "activities", made_up, prefer="return=representation")
    assert posted.status_code == 201, posted.text
    ids = {row["id"] for row in posted.json()}
    second = [row | {"occurred_at": row["occurred_at"].replace("T01", "T13")} for row in made_up[:1]]
    assert ola.rest("POST", "activities", [second[0] | {"duration_minutes": 721}]).status_code == 400
    said = {remark["kind"]: remark for remark in data(remarks(office, "org admin"))}
    assert said["person"]["peer_mentor_name"] == "Ola Likeperson"
    assert said["person"]["number"] >= len(ids)
    sent = data(office.step("coordinator", "send", office.approve()["id"]))
    assert ola.rest("DELETE", mine).status_code == 204
    assert "Ola Likeperson" not in {
        remark["peer_mentor_name"]
        for remark in data(remarks(office, "org admin"))
        if remark["kind"] == "person"
    }
    explained = data(
        office["org admin"].call(
            "GET", "bufdir-reports", **office.days.query, show="difference", version=sent["id"]
        )
    )
    assert {one["activity_id"] for one in explained["activities"]} == ids
    assert [
        (kind["kind"], kind["activities"], float(kind["total_hours"])) for kind in explained["kinds"]
    ] == [("removed", len(ids), -12 * len(ids))]
    assert [person["peer_mentor_name"] for person in explained["people"]] == ["Ola Likeperson"]
    assert data(office.export("org admin", sent["id"]))["tables"]
    assert office.versions()[1:] == before


# --- on record -------------------------------------------------------------------------------------------


def test_an_export_is_on_record_with_version_fingerprint_and_figures(office: Office) -> None:
    version, before = office.approve(), office.exports()
    assert refusal(office.export("coordinator", version["id"], "xlsx")) == DONE
    [record] = [row for row in office.exports() if row not in before]
    assert {name: record[name] for name in ("version_id", "version", "version_hash", "format")} == {
        "version_id": version["id"],
        "version": version["version"],
        "version_hash": version["hash"],
        "format": "xlsx",
    }
    assert record["source_fingerprint"] == version["source_fingerprint"]
    [row] = (
        office["coordinator"]
        .rest("GET", f"bufdir_report_versions?id=eq.{version['id']}&select=snapshot_json")
        .json()
    )
    assert record["figures"] == row["snapshot_json"]
    # a working copy that is overwritten and exported keeps its figures, too
    office.edit()
    saved = office.save("org admin")
    exported = office["org admin"].rpc("export_bufdir_snapshot", **office.days.parameters)
    assert refusal(exported) == DONE
    office.edit()
    office.save("org admin")
    path = f"bufdir_export_audit_log?id=eq.{exported.json()['export_id']}"
    [kept] = office["org admin"].rest("GET", path).json()
    assert kept["source_fingerprint"] == saved["source_fingerprint"]
    totals = kept["figures"]["totals"]
    assert totals["activity_count"] == saved["snapshot_json"]["totals"]["activity_count"]


def test_nobody_writes_versions_past_the_steps(office: Office) -> None:
    version = office.prepare()
    path = f"bufdir_report_versions?id=eq.{version['id']}"
    for who in ("coordinator", "org admin"):
        assert refusal(office[who].rest("PATCH", path, {"record_count": 1})) == CLOSED
        assert refusal(office[who].rest("DELETE", path)) == CLOSED
        assert refusal(office[who].rest("POST", "bufdir_report_versions", {})) == CLOSED
        assert refusal(office[who].rest("GET", path)) == DONE


# --- at once ---------------------------------------------------------------------------------------------


def at_once(*calls: Callable[[], httpx.Response]) -> list[tuple[int, str | None]]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return sorted(refusal(future.result()) for future in [pool.submit(call) for call in calls])


def test_of_two_who_approve_at_once_one_does(office: Office) -> None:
    version = office.prepare()
    outcomes = at_once(
        lambda: office.step("org admin", "approve", version["id"]),
        lambda: office.step("other coordinator", "approve", version["id"]),
    )
    assert outcomes == [DONE, (409, "conflict")]
    assert office.versions()[0]["approved"]["name"] in {"Astrid Administrator", "Tone Koordinator"}


def test_of_two_who_send_at_once_one_does(office: Office) -> None:
    version = office.approve()
    outcomes = at_once(*[lambda: office.step("org admin", "send", version["id"])] * 2)
    assert outcomes == [DONE, (409, "conflict")]


def test_versions_that_are_prepared_at_once_follow_each_other(office: Office) -> None:
    office.save()
    outcomes = at_once(*[lambda: office.step("coordinator", "prepare")] * 3)
    assert outcomes == [DONE] * 3
    versions = office.versions()
    assert [one["version"] for one in versions] == list(range(len(versions), 0, -1))
    assert office.own("select count(*) from stats.report_problems") == (0,)


def test_an_edit_that_commits_while_somebody_sends_comes_before_or_after(office: Office) -> None:
    """Held open, so that both orders are seen: sent is what was approved, or nothing."""
    for commits_first in (True, False):
        version = office.approve()
        with psycopg.connect(office.stack.db_url) as writer:
            writer.execute(
                "update public.activities set duration_minutes = duration_minutes %% 100 + 1 where id = %s",
                [office.some_activity()],
            )
            if commits_first:
                writer.commit()
            sent = office.step("coordinator", "send", version["id"])
            writer.commit()
        assert refusal(sent) == ((409, "conflict") if commits_first else DONE)
        [newest] = office.versions()[:1]
        assert (newest["sent"] is None) is commits_first
        assert newest["hash"] == version["hash"]


def test_a_save_beside_an_export_changes_nothing_of_it(office: Office) -> None:
    version = office.approve()
    expected = data(office.export("org admin", version["id"]))
    outcomes = at_once(
        lambda: office["coordinator"].call("PUT", "metric-snapshots", **office.days.query),
        *[lambda: office.export("org admin", version["id"])] * 2,
    )
    assert outcomes == [DONE] * 3
    assert data(office.export("org admin", version["id"])) == expected


# --- locked years ----------------------------------------------------------------------------------------


@pytest.fixture
def locked(office: Office) -> Iterator[None]:
    data_of_rpc(office["org admin"].rpc("lock_reporting_year", year=YEAR))
    yield
    data_of_rpc(office["org admin"].rpc("unlock_reporting_year", year=YEAR, reason="The test is over"))


def test_a_locked_year_refuses_changes_by_app_users(office: Office, locked: None) -> None:
    assert locked is None
    activity = office.some_activity()
    ola = office["peer mentor"]
    refused = ola.rest("PATCH", f"activities?id=eq.{activity}", {"duration_minutes": 7})
    assert (refused.status_code, refused.json()["code"], refused.json()["message"]) == (
        409,
        "conflict",
        "the year is locked",
    )
    assert refusal(ola.rest("DELETE", f"activities?id=eq.{activity}")) == (409, "conflict")
    [row] = ola.rest("GET", f"activities?id=eq.{activity}&select=unit_id,activity_type_id").json()
    new = row | {"duration_minutes": 7, "occurred_at": f"{YEAR}-03-03T12:00:00Z"}
    assert refusal(ola.rest("POST", "activities", new)) == (409, "conflict")
    assert (
        ola.rest("POST", "activities", new | {"occurred_at": f"{YEAR - 1}-03-03T12:00Z"}).status_code == 201
    )
    log = office["org admin"].rest("GET", f"reporting_year_log?year=eq.{YEAR}&order=id.desc&limit=1").json()
    assert [(row["is_locked"], row["reason"]) for row in log] == [(True, None)]


def test_who_locks_waits_for_who_is_writing(office: Office) -> None:
    """A change that is not committed yet is neither overlooked nor let in afterwards."""
    year = YEAR - 1
    office.own(f"delete from public.reporting_years where year = {year}")
    with psycopg.connect(office.stack.db_url) as writer:
        row = writer.execute(
            "select jsonb_build_object('sub', p.id, 'role', 'authenticated', 'app_metadata', "
            "jsonb_build_object('org_id', p.organization_id))::text, c.unit_id, t.id "
            "from auth.users u join public.profiles p on p.id = u.id "
            "join public.chapter_assignments c on c.profile_id = p.id "
            "join public.activity_types t on t.organization_id = p.organization_id "
            "where u.email = 'ola@nhf.example' limit 1"
        ).fetchone()
        assert row is not None
        claims, unit, kind = row
        writer.execute("select set_config('request.jwt.claims', %s, true)", [claims])
        writer.execute("set local role authenticated")
        writer.execute(
            "insert into public.activities (unit_id, activity_type_id, occurred_at, duration_minutes) "
            "values (%s, %s, %s, 30)",
            [unit, kind, f"{year}-03-03T12:00Z"],
        )
        busy = office["org admin"].rpc("lock_reporting_year", year=year)
        assert (busy.status_code, busy.json()["code"]) == (409, "being_written")
        writer.commit()
    assert refusal(office["org admin"].rpc("lock_reporting_year", year=year)) == DONE
    data_of_rpc(office["org admin"].rpc("unlock_reporting_year", year=year, reason="The test is over"))
