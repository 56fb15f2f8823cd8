"""Who may read which summary, with real sign-ins."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import psycopg

from _shared.result import ErrorCode
from tests.functions.hierarchy.support import (
    STATS,
    assert_refused,
    read,
    summary,
)
from tests.support.people import sign_in

if TYPE_CHECKING:
    import httpx

    from local.stack import Stack
    from tests.functions.hierarchy.scene import Forest


def find_units(stack: Stack, slug: str) -> dict[str, UUID]:
    with psycopg.connect(stack.db_url) as db:
        query = (
            "select u.name, u.id from public.organization_units u"
            " join public.organizations o on o.id = u.organization_id where o.slug = %s"
        )
        return dict(db.execute(query, [slug]).fetchall())


def test_each_reads_what_they_follow_up_and_nobody_anything_else(stack: Stack, http: httpx.Client) -> None:
    nhf, hlf = find_units(stack, "nhf"), find_units(stack, "hlf")
    astrid, kari, bjorn, ola = (
        sign_in(stack, f"{name}@nhf.example").headers for name in ("astrid", "kari", "bjorn", "ola")
    )
    hanne = sign_in(stack, "hanne@hlf.example").headers
    allowed = [(astrid, nhf["NHF"]), (astrid, nhf["NHF Oslo"]), (astrid, nhf["Bergen"])]
    allowed += [(kari, nhf["Oslo"]), (kari, nhf["Bærum"]), (bjorn, nhf["Bergen"]), (hanne, hlf["HLF"])]
    refused = [(kari, nhf["Bergen"]), (kari, nhf["NHF"]), (kari, nhf["NHF Oslo"]), (bjorn, nhf["Oslo"])]
    refused += [(ola, nhf["Oslo"]), (hanne, nhf["NHF"]), (hanne, nhf["Oslo"]), (astrid, hlf["HLF"])]
    refused += [(astrid, uuid4())]
    for headers, unit_id in allowed:
        assert summary(http, headers, unit_id)["unit_id"] == str(unit_id)
    for headers, unit_id in refused:
        assert_refused(read(http, headers, unit_id), ErrorCode.FORBIDDEN)


def test_without_a_users_token_there_is_nothing_to_read(stack: Stack, http: httpx.Client) -> None:
    oslo = find_units(stack, "nhf")["Oslo"]
    for headers in ({}, {"apikey": stack.publishable_key}, {"apikey": stack.anon_key}):
        assert_refused(read(http, headers, oslo), ErrorCode.UNAUTHORIZED)
    assert_refused(read(http, {"apikey": stack.secret_key}, oslo), ErrorCode.FORBIDDEN)
    assert read(http, sign_in(stack, "kari@nhf.example").headers, oslo).status_code == 200


def test_a_wrong_question_is_a_bad_request(stack: Stack, http: httpx.Client) -> None:
    oslo, kari = find_units(stack, "nhf")["Oslo"], sign_in(stack, "kari@nhf.example").headers
    for year in (1999, 2100):
        assert_refused(read(http, kari, oslo, year), ErrorCode.BAD_REQUEST, "Missing or not valid: year.")
    wrong = "Missing or not valid: unit_id."
    assert_refused(read(http, kari, "Oslo"), ErrorCode.BAD_REQUEST, wrong)
    assert_refused(http.get(STATS, headers=kari), ErrorCode.BAD_REQUEST, wrong)
    for year in (2000, 2099):
        assert summary(http, kari, oslo, year)["year"] == year


def test_the_kill_switch_closes_one_organisation_and_no_other(
    stack: Stack, http: httpx.Client, forest: Forest
) -> None:
    admin, leaf = sign_in(stack, forest.admin).headers, forest.units["leaf"]
    kari, oslo = sign_in(stack, "kari@nhf.example").headers, find_units(stack, "nhf")["Oslo"]
    before = summary(http, admin, leaf)
    forest.set("statistics_enabled", value=False)
    assert_refused(read(http, admin, leaf), ErrorCode.FEATURE_DISABLED)
    assert_refused(read(http, kari, leaf), ErrorCode.FORBIDDEN)
    assert summary(http, kari, oslo)["unit_id"] == str(oslo)
    forest.set("statistics_enabled", value=True)
    assert summary(http, admin, leaf) == before
