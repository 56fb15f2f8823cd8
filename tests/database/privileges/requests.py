"""One request of a caller against an object, and the word for what became of it."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tests.database.privileges.cast import OTHER, Caller

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.database.privileges.catalog import Catalog, Function, Relation

LAST_YEAR = dt.datetime.now(dt.UTC).year - 1
PERIOD = {"p_period_start": f"{LAST_YEAR}-01-01", "p_period_end": f"{LAST_YEAR}-03-01"}
LOCKED_YEAR = LAST_YEAR + 20  # in which nobody else writes
RELATION_VERBS = ("GET", "HEAD", "POST", "PATCH", "DELETE")
FUNCTION_VERBS = ("GET", "POST")

# What a PATCH writes: something that is right for every row. Elsewhere it writes null to some column.
CHANGES: dict[str, dict[str, Any]] = {
    "activities": {"duration_minutes": 45},
    "activity_types": {"label": "Anything"},
    "bufdir_category_mappings": {"bufdir_category_code": "GROUP"},
    "bufdir_mapping_versions": {"valid_from_year": 2001},
    "bufdir_metric_snapshots": {"mapping_version": 1},
    "bufdir_thresholds": {"minimum_activity_count": 1},
    "chapter_assignments": {"is_primary": False},
    "counting_rules": {"source": "Anywhere"},
    "expense_claims": {"status": "rejected"},
    "not_duplicates": {"decided_by": None},
    "organization_settings": {"warm_up_enabled": True},
    "organization_units": {"name": "Anything"},
    "organizations": {"name": "Anything"},
    "profiles": {"display_name": "Anyone"},
}
# What a function is called with, by the name of the parameter: something of the organisation that is meant.
ARGUMENTS: dict[str, Callable[[dict[str, list[str]]], Any]] = {
    "p_org_id": lambda ids: ids["organizations"][0],
    "p_organization_id": lambda ids: ids["organizations"][0],
    "unit_id": lambda ids: ids["own chapters"][0],
    "p_unit_id": lambda ids: ids["own chapters"][0],
    "p_coordinator_id": lambda ids: ids["coordinators"][0],
    "p_profile_id": lambda ids: ids["people"][0],
    "p_contact_id": lambda ids: ids["contacts"][0],
    "p_year": lambda _: LAST_YEAR,
    "p_period_year": lambda _: LAST_YEAR,
    "p_period_start": lambda _: PERIOD["p_period_start"],
    "p_period_end": lambda _: PERIOD["p_period_end"],
    "p_from": lambda _: PERIOD["p_period_start"],
    "p_to": lambda _: PERIOD["p_period_end"],
    "p_bucket": lambda _: "month",
    "p_chapter_ids": lambda ids: ids["own chapters"],
    "p_query": lambda _: "",
    "p_limit": lambda _: 50,
    "p_mapping_version": lambda _: 1,
    "version": lambda ids: ids["bufdir_report_versions"][0],
    "against": lambda ids: ids["bufdir_report_versions"][0],
    "format": lambda _: "csv",
    "year": lambda _: LOCKED_YEAR,
    "reason": lambda _: "A correction",
    "p_webhook_id": lambda _: f"msg_{uuid.uuid4()}",
    "p_reads": lambda ids: {ids["own chapters"][0]: 1},
    "p_seconds": lambda _: 0.01,
    "id": lambda ids: ids["people"][0],
    "display_name": lambda _: "Anyone",
    "role": lambda _: "coordinator",
    "is_active": lambda _: True,
    "kind": lambda _: "units",
    "rows": lambda _: [{"unit": "Anywhere", "kind": "national"}],
}
NAMES_ORGANIZATION = (
    "p_org_id",
    "p_organization_id",
    "unit_id",
    "p_unit_id",
    "p_chapter_ids",
    "p_coordinator_id",
    "p_profile_id",
    "p_contact_id",
    "p_reads",
    "version",
)
REFUSALS = {
    "permission denied for": "closed",
    "new row violates row-level security policy": "policy",
}
CODES = {
    "25006": "read-only",
    "23505": "yes",  # allowed: the copy of a row that is there meets its original
}


@dataclass(frozen=True)
class Case:
    """A caller, an object, a verb, and whose rows or ids are asked for."""

    name: str
    verb: str
    caller: Caller
    target: str

    @property
    def is_foreign(self) -> bool:
        return self.target != self.caller.organization

    @property
    def title(self) -> str:
        return f"{self.verb} {self.name} of {self.target} by {self.caller.name}"


@dataclass
class Api:
    """PostgREST, every transaction of which is rolled back."""

    http: httpx.Client
    catalog: Catalog

    def cases(self, name: str, verb: str, caller: Caller) -> list[Case]:
        """The caller's own organisation, and the other one where the request can name it."""
        can_name = (
            self._names_organization(self.catalog.functions[name.removeprefix("rpc/")])
            if name.startswith("rpc/")
            else self.catalog.relations[name].owner_column is not None
        )
        targets = [caller.organization, *([OTHER[caller.organization]] if can_name else [])]
        return [Case(name, verb, caller, target) for target in targets]

    def outcome(self, case: Case) -> str:
        """Send the request; the word for what became of it, or `foreign: …` for what should not be there."""
        if case.name.startswith("rpc/"):
            response = self._call(case, self.catalog.functions[case.name.removeprefix("rpc/")])
        else:
            response = self._ask(case, self.catalog.relations[case.name])
        text = response.text + str(response.headers)
        if case.caller.kind != "service":
            is_member = case.caller.kind in ("peer mentor", "coordinator", "org admin")
            own = case.caller.organization if is_member else None
            known = f"{response.request.url} {response.request.content.decode()} {case.caller.myself}"
            if foreign := self.catalog.foreign(text, own, known):
                return f"foreign: {', '.join(sorted(foreign)[:3])}"
        if response.is_success:
            return self._success(case, response)
        return self._refusal(case, response)

    # ------------------------------------------------------------ requests

    def _names_organization(self, function: Function) -> bool:
        return any(name in NAMES_ORGANIZATION for name in function.parameters)

    def _call(self, case: Case, function: Function) -> httpx.Response:
        ids = self.catalog.ids[case.target]
        own = sorted(case.caller.chapters & set(ids["organization_units"]))
        known = {
            **ids,
            "own chapters": own or [self.catalog.activities[case.target][0]["unit_id"]],
            "coordinators": sorted(ids["coordinators"], key=lambda person: person != str(case.caller.id)),
        }
        # themselves, but for org admins: the last one cannot be erased
        is_own = str(case.caller.id) in ids["profiles"] and case.caller.kind != "org admin"
        known["people"] = [str(case.caller.id)] if is_own else known["coordinators"]
        arguments = {name: ARGUMENTS[name](known) for name in function.parameters}
        if {"p_from", "p_period_start"} & arguments.keys():
            arguments.pop("p_year", None)  # a period or a year, not both
        path, headers = f"/rpc/{function.name}", case.caller.headers
        if case.verb == "POST":
            return self.http.post(path, headers=headers, json=arguments)
        texts = {k: _as_parameter(value) for k, value in arguments.items() if value is not None}
        return self.http.get(path, headers=headers, params=texts)

    def _ask(self, case: Case, relation: Relation) -> httpx.Response:
        headers = {**case.caller.headers, "prefer": "return=representation,count=exact"}
        columns = relation.open_columns(case.caller.role, "select")
        params = {"select": ",".join(columns)} if columns else {}
        if case.verb == "POST":
            row = self._new_row(case, relation)
            return self.http.post(f"/{relation.name}", headers=headers, params=params, json=row)
        where = self.catalog.filter_of(relation, case.target)
        if where:
            params[where[0]] = f"in.({','.join(where[1])})"
        body = self._change(relation) if case.verb == "PATCH" else None
        if case.verb == "DELETE" and relation.name in self.catalog.removable:
            params["id"] = f"in.({','.join(self.catalog.removable[relation.name][case.target])})"
        if case.verb == "HEAD":
            headers["connection"] = "close"  # PostgREST closes it after each HEAD without saying so
        return self.http.request(case.verb, f"/{relation.name}", headers=headers, params=params, json=body)

    def _change(self, relation: Relation) -> dict[str, Any]:
        return CHANGES.get(relation.name) or dict.fromkeys(
            [column for column in relation.columns if column not in relation.generated][:1]
        )

    def _new_row(self, case: Case, relation: Relation) -> dict[str, Any]:
        """A row such as this caller would make; elsewhere a copy of one that is there, under another id."""
        row = dict(self.catalog.rows[case.target].get(relation.name, {}))
        if case.caller.kind != "service":
            activity = self._activity(case)
            by_proxy = activity["peer_mentor_id"] != str(case.caller.id)
            if relation.name == "activities":
                made = {
                    "id": str(uuid.uuid4()),
                    "registered_by": str(case.caller.id),
                    "is_proxy_registered": by_proxy,
                }
                return activity | made
            if relation.name == "expense_claims":
                return {"activity_id": activity["id"], "amount_nok": 100}
            if relation.name == "not_duplicates":
                nearby = self.catalog.activities[case.target]
                others = [a["id"] for a in nearby if a["unit_id"] == activity["unit_id"] and a != activity]
                return {"activity_id": activity["id"], "other_id": others[-1]}
        if relation.name != "profiles":  # whose id is that of a user
            row |= {"id": str(uuid.uuid4())} if "id" in row else {}
        writable = relation.open_columns(case.caller.role, "insert") or relation.columns
        return {c: value for c, value in row.items() if c in writable and c not in relation.generated}

    def _activity(self, case: Case) -> dict[str, Any]:
        """One of the caller's own, else one in a chapter of theirs, else any of the organisation."""

        def nearness(activity: dict[str, Any]) -> tuple[bool, bool]:
            is_own = activity["peer_mentor_id"] == str(case.caller.id)
            return not is_own, activity["unit_id"] not in case.caller.chapters

        return min(self.catalog.activities[case.target], key=nearness)

    # ------------------------------------------------------------ answers

    def _success(self, case: Case, response: httpx.Response) -> str:
        if case.name.startswith("rpc/"):
            is_empty = bool(response.content) and _is_empty(response.json())
            return "nothing" if is_empty else "yes"  # also where the function returns void
        if case.verb == "POST":
            return "yes"
        if case.verb != "HEAD":
            return self._scope(case, response.json())
        got = self._ask(replace(case, verb="GET"), self.catalog.relations[case.name])
        counted, expected = (each.headers["content-range"].partition("/")[2] for each in (response, got))
        return self._scope(case, got.json()) if counted == expected else f"{counted} rows"

    def _scope(self, case: Case, rows: list[dict[str, Any]]) -> str:
        """The narrowest word that holds for every row."""
        catalog, caller = self.catalog, case.caller
        relation = catalog.relations[case.name]
        if not rows:
            return "nothing"
        if relation.owner_column is None:
            return "yes"
        is_own = [catalog.person_of(relation, row) == str(caller.id) for row in rows]
        is_near = [bool(catalog.chapters_of(relation, row) & caller.chapters) for row in rows]
        is_inside = [catalog.organization_of(row) == caller.organization for row in rows]
        if all(is_own):
            return "own"
        if all(own or near for own, near in zip(is_own, is_near, strict=True)):
            return "chapters"
        return "organisation" if all(is_inside) and caller.kind != "service" else "all"

    def _refusal(self, case: Case, response: httpx.Response) -> str:
        is_denied = response.status_code == (401 if case.caller.kind == "anonymous" else 403)
        if case.verb == "HEAD":
            return "closed" if is_denied else str(response.status_code)
        error = response.json()
        code, message = error["code"], error["message"]
        if code == "42501" and is_denied:
            return next((w for start, w in REFUSALS.items() if message.startswith(start)), "refused")
        if code == "23503" and case.verb == "DELETE":
            return "held"
        return CODES.get(code, f"{response.status_code} {code}")


def _as_parameter(value: Any) -> Any:
    """As it stands in a URL: an array of Postgres, or JSON."""
    if not isinstance(value, list):
        return value
    return json.dumps(value) if isinstance(value[0], dict) else f"{{{','.join(value)}}}"


def _is_empty(answer: Any) -> bool:
    """No answer, no rows, or a series that counts nothing."""
    rows = answer if isinstance(answer, list) else []
    counts = [row["activity_count"] for row in rows if isinstance(row, dict) and "activity_count" in row]
    return answer in (None, [], {}, "", {"activities": 0}) or (bool(counts) and not any(counts))
