"""The published contracts are those of the models, and each example in them is accepted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from _shared.http.webhooks import WebhookPayload
from tools.contracts import CONTRACTS, FOLDER, render


def test_the_files_are_current_and_no_others_are_there() -> None:
    """`make contracts` writes them."""
    assert {file.name: file.read_text(encoding="utf-8") for file in FOLDER.iterdir()} == render()


def examples(name: str) -> list[dict[str, Any]]:
    schema = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return [example for part in schema["$defs"].values() for example in part.get("examples", [])]


@pytest.mark.parametrize(("name", "model"), CONTRACTS.items())
def test_each_example_is_accepted_by_the_contract_and_by_the_receiver(
    name: str, model: type[BaseModel]
) -> None:
    assert {example["type"] for example in examples(name)} == {"activities_changed", "units_changed"}
    for example in examples(name):
        model.model_validate_json(json.dumps(example))
        WebhookPayload.model_validate_json(json.dumps(example))


@pytest.mark.parametrize(
    "field", ["summary", "contact_id", "amount_nok", "decided_by", "record", "old_record"]
)
@pytest.mark.parametrize(("name", "model"), CONTRACTS.items())
def test_content_has_no_place_in_an_event(name: str, model: type[BaseModel], field: str) -> None:
    for example in examples(name):
        record = example["records"][0] | {field: "x"}
        for wrong in (example | {field: "x"}, example | {"records": [record]}):
            with pytest.raises(ValidationError) as refused:
                model.model_validate_json(json.dumps(wrong))
            assert "extra_forbidden" in [error["type"] for error in refused.value.errors()]


@pytest.mark.parametrize(("name", "model"), CONTRACTS.items())
def test_a_wake_up_of_the_other_kind_does_not_pass_for_this_one(name: str, model: type[BaseModel]) -> None:
    for example in examples(name):
        wrongs: list[dict[str, object]] = [
            {"table": "profiles"},
            {"type": "sweep"},
            {"organization_id": None},
            {"records": []},
        ]
        for wrong in wrongs:
            with pytest.raises(ValidationError):
                model.model_validate_json(json.dumps(example | wrong))
