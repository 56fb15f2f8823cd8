"""`python -m contracts.schemas`: write the contracts to docs/contracts as JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path

from contracts.models import ActivityRegistered, ExpenseDecided

FOLDER = Path(__file__).parents[2] / "docs" / "contracts"
CONTRACTS = {"activity_registered": ActivityRegistered, "expense_decided": ExpenseDecided}


def render() -> dict[str, str]:
    """Give each schema as the text of its file, by file name."""
    return {
        f"{name}.json": json.dumps(
            {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}, indent=2
        )
        + "\n"
        for name, model in CONTRACTS.items()
    }


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in render().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
