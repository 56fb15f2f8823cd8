"""What all inputs have in common: how strictly they are read, and how one says why it is refused."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Input(BaseModel):
    """Base of all inputs, and itself the empty one: typed strictly, nothing but the declared fields.

    A model with required fields shows one valid input in `json_schema_extra={"examples": [...]}`.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


REFUSAL = "refusal"
"""Type of the PydanticCustomError in which an input's validator speaks to the caller: a fixed sentence."""
