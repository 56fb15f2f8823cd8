"""Measurements and the large data set that they run on."""

from __future__ import annotations
