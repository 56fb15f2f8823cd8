"""The published contracts are those of the models, and each example in them is accepted."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from pydantic import BaseModel, ValidationError

from _shared.http.webhooks import WebhookPayload
from local.requirements import ROOT
from tools.contracts import BROADCASTS, CONTRACTS, FOLDER, render

if TYPE_CHECKING:
    from local.stack import Stack


def test_the_files_are_current_and_no_others_are_there() -> None:
    """`make contracts` writes them."""
    assert {file.name: file.read_text(encoding="utf-8") for file in FOLDER.iterdir()} == render()


def test_every_message_that_the_database_sends_has_a_contract() -> None:
    sql = "".join(
        file.read_text(encoding="utf-8") for file in (ROOT / "supabase" / "migrations").glob("*.sql")
    )
    sent = set(re.findall(r"stats\.(?:ask|wake)\(\s*'[a-z-]+',\s*'([a-z_]+)'", sql))
    sent |= set(re.findall(r"jsonb_build_object\(\s*'type',\s*'([a-z_]+)'", sql))
    assert sent == set.union(*TYPES.values())


def examples(name: str) -> list[dict[str, Any]]:
    schema = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return [example for part in schema["$defs"].values() for example in part.get("examples", [])]


TYPES = {
    "activity_registered": {"activities_changed", "units_changed"},
    "expense_decided": {"activities_changed", "units_changed"},
    "upkeep_due": {"sweep", "continued", "nightly", "heartbeat"},
}
EVENTS = [(name, model) for name, model in CONTRACTS.items() if name != "upkeep_due"]


@pytest.mark.parametrize(("name", "model"), CONTRACTS.items())
def test_each_example_is_accepted_by_the_contract_and_by_the_receiver(
    name: str, model: type[BaseModel]
) -> None:
    assert {example["type"] for example in examples(name)} == TYPES[name]
    for example in examples(name):
        model.model_validate_json(json.dumps(example))
        WebhookPayload.model_validate_json(json.dumps(example))


@pytest.mark.parametrize(
    "field", ["summary", "contact_id", "amount_nok", "decided_by", "record", "old_record"]
)
@pytest.mark.parametrize(("name", "model"), EVENTS)
def test_content_has_no_place_in_an_event(name: str, model: type[BaseModel], field: str) -> None:
    for example in examples(name):
        record = example["records"][0] | {field: "x"}
        for wrong in (example | {field: "x"}, example | {"records": [record]}):
            with pytest.raises(ValidationError) as refused:
                model.model_validate_json(json.dumps(wrong))
            assert "extra_forbidden" in [error["type"] for error in refused.value.errors()]


@pytest.mark.parametrize(("name", "model"), CONTRACTS.items())
def test_a_wake_up_of_the_other_kind_does_not_pass_for_this_one(name: str, model: type[BaseModel]) -> None:
    is_event = name != "upkeep_due"
    for example in examples(name):
        wrongs: list[dict[str, object]] = [
            {"table": "profiles"},
            {"type": "sweep" if is_event else "activities_changed"},
            {"organization_id": None},
            {"records": [] if is_event else [{"id": 1}]},
        ]
        for wrong in wrongs:
            with pytest.raises(ValidationError):
                model.model_validate_json(json.dumps(example | wrong))


def test_every_broadcast_has_a_contract() -> None:
    sql = "".join(
        file.read_text(encoding="utf-8") for file in (ROOT / "supabase" / "migrations").glob("*.sql")
    )
    calls = sql.count("realtime.send(")
    assert set(re.findall(r"'(\w+)', 'activities:org:'", sql)) == set(BROADCASTS)
    assert calls == len(BROADCASTS)


def test_a_broadcast_is_what_its_contract_says(stack: Stack) -> None:
    with psycopg.connect(stack.db_url) as connection:
        connection.execute("delete from realtime.messages where true")
        connection.execute(
            "update public.activities set duration_minutes = duration_minutes % 1440 + 1 where id in"
            " (select id from public.activities where is_counted limit 3)"
        )
        connection.execute("select public.take_unit_changes()")
        sent = connection.execute(
            "select event, topic, private, payload::text from realtime.messages"
        ).fetchall()
        connection.rollback()
    assert sent
    for event, topic, private, payload in sent:
        model = BROADCASTS[event]
        model.model_validate_json(payload)
        with pytest.raises(ValidationError, match="extra_forbidden"):
            model.model_validate(json.loads(payload) | {"summary": "x"})
        assert topic in (model.__doc__ or "").replace("<organisation>", topic.rpartition(":")[2])
        assert private


@pytest.mark.parametrize(("name", "model"), BROADCASTS.items())
def test_each_example_of_a_broadcast_is_accepted(name: str, model: type[BaseModel]) -> None:
    schema = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    for example in schema["examples"]:
        model.model_validate_json(json.dumps(example))
