"""What is exposed, and what belongs to whom: from the database itself, as its owner sees it."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

ROLES = ("anon", "authenticated", "service_role")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Columns that say whose a row is, the telling ones first. In some relations it is the id itself.
KIND_OF_COLUMN = {
    "organization_id": "organizations",
    "org_id": "organizations",
    "chapter_id": "organization_units",
    "unit_id": "organization_units",
    "activity_type_id": "activity_types",
    "profile_id": "profiles",
}
KIND_OF_RELATION = {"chapters": "organization_units"}
PERSON_COLUMNS = ("peer_mentor_id", "profile_id", "coordinator_id", "exported_by")
CHAPTER_COLUMNS = ("chapter_id", "unit_id")

RELATIONS = """
    select c.relname, c.relkind = 'r', array_agg(a.attname::text order by a.attnum),
           array_agg(a.attname::text) filter (where a.attgenerated <> '' or a.attidentity = 'a')
    from pg_catalog.pg_class c
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
    group by c.oid
"""
COLUMN_PRIVILEGES = """
    select r.name, c.relname, p.name, array_agg(a.attname::text order by a.attnum)
    from unnest(%s::text[]) r (name)
    cross join unnest('{select,insert,update}'::text[]) p (name)
    cross join pg_catalog.pg_class c
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
      and has_column_privilege(r.name, c.oid, a.attnum, p.name)
    group by 1, 2, 3
"""
FUNCTIONS = """
    select p.proname, (p.proargnames)[1:p.pronargs]
    from pg_catalog.pg_proc p where p.pronamespace = 'public'::regnamespace
      -- but for those from a row, which are embedded and not called
      and not exists (select from pg_catalog.pg_class c where c.reltype = any (p.proargtypes::oid[]))
"""
# Who deletes an activity with expenses is told of those, whatever they may do.
REMOVABLE = """
    select distinct on (organization_id, unit_id, peer_mentor_id) organization_id::text, id::text
    from public.activities a where status = 'registered'
      and not exists (select from public.expense_claims c where c.activity_id = a.id)
"""
ACTIVITIES = """
    select jsonb_build_object(
        'id', id, 'organization_id', organization_id, 'unit_id', unit_id, 'peer_mentor_id', peer_mentor_id,
        'activity_type_id', activity_type_id, 'occurred_at', occurred_at,
        'duration_minutes', duration_minutes, 'participant_count', participant_count)
    from public.activities where status = 'registered' order by id
"""


@dataclass(frozen=True)
class Relation:
    name: str
    is_table: bool
    columns: list[str]
    generated: list[str]
    privileges: dict[tuple[str, str], list[str]]

    def open_columns(self, role: str, privilege: str) -> list[str]:
        """The columns that a role may select, insert or update."""
        return self.privileges.get((role, privilege), [])

    @cached_property
    def owner_column(self) -> tuple[str, str] | None:
        """The column that says whose a row is, and what kind of id it holds; None where nothing does."""
        kind = KIND_OF_RELATION.get(self.name, self.name)
        if kind in KIND_OF_COLUMN.values() and "organization_id" not in self.columns:
            return "id", kind
        return next(((c, k) for c, k in KIND_OF_COLUMN.items() if c in self.columns), None)


@dataclass(frozen=True)
class Function:
    name: str
    parameters: list[str]


@dataclass
class Catalog:
    """Relations and functions of the exposed schema, and who owns which id."""

    relations: dict[str, Relation]
    functions: dict[str, Function]
    ids: dict[str, dict[str, list[str]]]
    """Slug → kind → ids, of what PostgREST can filter by."""
    rows: dict[str, dict[str, dict[str, Any]]]
    """Slug → table → one of its rows."""
    activities: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    """Slug → its activities, as one would register them."""
    removable: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """Table → slug → ids of rows that nothing refers to, where most are referred to."""
    owners: dict[str, str] = field(default_factory=dict)
    """Every id of a row → slug of its organisation."""
    names: dict[str, str] = field(default_factory=dict)
    """Display name or address → slug, likewise."""
    places: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Id of an activity or person → its chapters and person."""

    @classmethod
    def read(cls, owner: psycopg.Connection) -> Catalog:
        privileges: dict[str, dict[tuple[str, str], list[str]]] = defaultdict(dict)
        for role, relation, privilege, columns in owner.execute(COLUMN_PRIVILEGES, (list(ROLES),)):
            privileges[relation][role, privilege] = columns
        relations = {
            name: Relation(name, is_table, columns, generated or [], privileges[name])
            for name, is_table, columns, generated in owner.execute(RELATIONS)
        }
        functions = {name: Function(name, parameters or []) for name, parameters in owner.execute(FUNCTIONS)}
        catalog = cls(relations, functions, {}, {})
        catalog._read_ids(owner)
        catalog._read_owners(owner)
        return catalog

    def _read_ids(self, owner: psycopg.Connection) -> None:
        slugs = {str(i): slug for i, slug in owner.execute("select id, slug from public.organizations")}
        self.ids = {slug: {"organizations": [i]} for i, slug in slugs.items()}
        for kind in ("organization_units", "activity_types", "profiles", "bufdir_report_versions"):
            for row_id, org_id in owner.execute(f"select id, organization_id from public.{kind}"):
                self.ids[slugs[str(org_id)]].setdefault(kind, []).append(str(row_id))
        coordinators = (
            "select id, organization_id from public.profiles where role = 'coordinator' and is_active"
        )
        for row_id, org_id in owner.execute(coordinators):
            self.ids[slugs[str(org_id)]].setdefault("coordinators", []).append(str(row_id))
        contacts = (
            "select distinct contact_id, organization_id from public.activities where contact_id is not null"
        )
        for row_id, org_id in owner.execute(contacts):
            self.ids[slugs[str(org_id)]].setdefault("contacts", []).append(str(row_id))
        self.rows = {slug: {} for slug in self.ids}
        for relation in self.relations.values():
            for slug in self.ids:
                if relation.is_table and (where := self.filter_of(relation, slug)):
                    column, values = where
                    query = (
                        f"select to_jsonb(t) from public.{relation.name} t where {column} = any (%s) limit 1"
                    )
                    for (row,) in owner.execute(query, (values,)):
                        self.rows[slug][relation.name] = row

    def _read_owners(self, owner: psycopg.Connection) -> None:
        """Note every id that occurs in rows of one organisation alone."""
        found: dict[str, set[str]] = defaultdict(set)
        slugs = {ids["organizations"][0]: slug for slug, ids in self.ids.items()}
        for relation in self.relations.values():
            if relation.is_table and "organization_id" in relation.columns:
                for org_id, row in owner.execute(
                    f"select organization_id::text, to_jsonb(t)::text from public.{relation.name} t"
                ):
                    for value in UUID.findall(row):
                        found[value].add(slugs.get(org_id) or org_id)  # one that is gone leaves a history
        self.owners = {value: next(iter(of)) for value, of in found.items() if len(of) == 1}
        people = "select display_name, organization_id::text from public.profiles"
        addresses = (
            "select u.email, p.organization_id::text from auth.users u join public.profiles p using (id)"
        )
        for name, org_id in [*owner.execute(people), *owner.execute(addresses)]:
            self.names[name] = slugs[org_id]
        assigned = (
            "select profile_id::text, array_agg(unit_id::text) from public.chapter_assignments group by 1"
        )
        for person, chapters in owner.execute(assigned):
            self.places[person] = {"person": person, "chapters": chapters}
        for (activity,) in owner.execute(ACTIVITIES):
            person, chapter = activity["peer_mentor_id"], activity["unit_id"]
            self.places[activity["id"]] = {"person": person, "chapters": [chapter]}
            self.activities[slugs[activity["organization_id"]]].append(activity)
        self.removable["activities"] = defaultdict(list)
        for org_id, activity_id in owner.execute(REMOVABLE):
            self.removable["activities"][slugs[org_id]].append(activity_id)

    def filter_of(self, relation: Relation, slug: str) -> tuple[str, list[str]] | None:
        """Column and values that choose an organisation's rows; None where nothing tells them apart."""
        if relation.owner_column is None:
            return None
        column, kind = relation.owner_column
        return column, self.ids[slug].get(kind, [])

    def foreign(self, text: str, own: str | None, sent: str) -> set[str]:
        """What in `text` belongs to an organisation other than `own`, and was not in what was sent."""
        ids = {value for value in UUID.findall(text) if self.owners.get(value, own) != own}
        names = {name for name, of in self.names.items() if of != own and name in text}
        return {value for value in ids | names if value not in sent}

    def organization_of(self, row: dict[str, Any]) -> str | None:
        found = {self.owners[value] for value in UUID.findall(str(row)) if value in self.owners}
        return found.pop() if len(found) == 1 else None

    def person_of(self, relation: Relation, row: dict[str, Any]) -> str | None:
        if relation.name == "profiles":
            return str(row["id"])
        if relation.name == "activity_history":  # also of what is gone
            return str(row["before"]["peer_mentor_id"])
        if "activity_id" in row:
            return str(self.places.get(row["activity_id"], {}).get("person"))
        return next((row[column] for column in PERSON_COLUMNS if column in row), None)

    def chapters_of(self, relation: Relation, row: dict[str, Any]) -> set[str]:
        if relation.name in ("chapters", "organization_units"):
            return {row["id"]}
        if column := next((column for column in CHAPTER_COLUMNS if column in row), None):
            return {row[column]}
        if relation.name == "activity_history":
            return {row["before"]["unit_id"]}
        key = row.get("activity_id") or self.person_of(relation, row)
        return set(self.places.get(key or "", {}).get("chapters", []))
