"""The large data set: an organisation of 1,400 chapters, made up, with any number of activities."""

from __future__ import annotations
