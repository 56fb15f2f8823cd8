"""`make onboard DIR=…`: an organisation from a folder of CSV files. Docs: docs/howto/onboard.md."""

from __future__ import annotations
