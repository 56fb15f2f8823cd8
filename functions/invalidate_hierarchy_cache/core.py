"""Decides what an invalidation does before its answer, and what behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from _shared.callers import Webhook
from _shared.result import Err, Ok, Result
from _shared.warm_up import MAX_SECONDS, WarmUps
from invalidate_hierarchy_cache.drain import Drained, Follower, Pace, drain
from invalidate_hierarchy_cache.models import InvalidationReport

if TYPE_CHECKING:
    from _shared.call import Call, Input
    from _shared.database import Database
    from _shared.rows import WarmUpReport


@dataclass(frozen=True, slots=True)
class Background:
    """What goes on in this process behind the answers, shared by all calls."""

    warm_ups: WarmUps = field(default_factory=WarmUps)
    follower: Follower = field(default_factory=Follower)
    pace: Pace = field(default_factory=Pace)


async def invalidate_hierarchy(call: Call[Input], background: Background) -> Result[InvalidationReport]:
    """Drain the log, then warm up: behind the answer of a webhook, before that of anybody else.

    The wake-ups are acknowledged first, in a transaction of their own: a writer that comes later sends its
    own, and one that came before and relied on another's is waited for. Marking and broadcasting never wait
    for a warm-up, nor do other webhooks: the database's sender takes no next batch before it has the answers
    of this one.

    Errors : upstream_unavailable, upstream_timeout, internal. Safe to repeat; what stayed in the log is
             visible to readers there, and the sweep asks again.
    Source : public.acknowledge_wake_ups(), public.take_unit_changes(), public.warm_hierarchy_cache().
    """
    acknowledged = await call.database.acknowledge_wake_ups()
    if isinstance(acknowledged, Err):
        return acknowledged
    drained = await drain(call.database, background.pace)
    if isinstance(drained, Err):
        return drained
    found = drained.value
    if found.more:
        call.after.append(partial(_follow, call.database, background))
    warmed = 0
    if isinstance(call.caller, Webhook):
        call.after.append(partial(_warm_up, call.database, background, found))
    else:
        report = await _warm_up(call.database, background, found)
        if isinstance(report, Err):
            return report
        warmed = report.value.warmed
    return Ok(InvalidationReport(units=found.units, invalidated=found.invalidated, warmed=warmed))


async def _follow(database: Database, background: Background) -> Result[WarmUpReport]:
    followed = await background.follower.run(database, background.pace)
    if isinstance(followed, Err):
        return followed
    return await _warm_up(database, background, followed.value)


async def _warm_up(database: Database, background: Background, drained: Drained) -> Result[WarmUpReport]:
    warm_up = partial(database.warm_hierarchy_cache, seconds=MAX_SECONDS)
    return await background.warm_ups.run(sorted(drained.organization_ids), warm_up)
