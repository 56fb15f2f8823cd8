"""The local stack: what `supabase start` gives, without Docker, from real parts."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


def _hook(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Answer Ctrl-C with one line; Python then ends by that very signal, which a shell sees as status 130.

    It stands here so that it holds from the first import on, for every command.
    """
    if issubclass(kind, KeyboardInterrupt):
        print("interrupted", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, traceback)


sys.excepthook = _hook
