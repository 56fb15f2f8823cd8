"""For people and CI, not deployed: checks, contracts, a client that watches, the large data set."""

from __future__ import annotations
