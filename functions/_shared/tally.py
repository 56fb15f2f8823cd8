"""What this process has done and is doing, in numbers. The function `metrics` tells them."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from dataclasses import dataclass, field

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds: an answer is counted at the first that it did not exceed, or else behind the last."""


@dataclass(slots=True)
class Tally:
    """Plain numbers, because what writes them for monitoring is heavy, and loaded when it is asked for.

    process     : a name, so that two processes behind one address are told apart.
    answers     : by function and status.
    took        : answers by function and place in `BOUNDS`.
    seconds     : that they took together, by function.
    at_work     : calls that have a place now, by kind of caller.
    refused     : calls for which there was no place in time, likewise.
    connections : requests to what is behind, under way or waiting for a connection.
    """

    process: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    started: float = field(default_factory=time.time)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    took: Counter[tuple[str, int]] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    at_work: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    connections: int = 0


TALLY = Tally()
