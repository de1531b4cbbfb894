"""Waits on a scope at the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from ..calls.clock import now
from ..calls.transport import Transport
from ..calls.waiting import backoff
from ..errors import LedgerError, is_problem
from ..generated.models import Scope
from .loss import LossReason, Seen

_WAIT = 30
_RESTORED = 10.0
"""A ledger that lags behind what it has told catches up by then: one that does not was restored."""
_WHY = 0.06
"""How long a loss waits for the record of how it came about."""


@dataclass(frozen=True)
class Watch:
    """What is watched, and who is told."""

    transport: Transport
    scope: Scope
    after: Callable[[], int]
    """The revision that is known already."""
    on_seen: Callable[[Seen], object]
    on_restored: Callable[[Seen], object]
    """The ledger knows less than it has told before, and that is how it stays: this is what it knows."""
    on_trouble: Callable[[BaseException], object]


async def watch_scope(watch: Watch) -> None:
    """Tells what it sees there, until it is cancelled."""
    behind_since: float | None = None
    failures = 0
    while True:
        try:
            known = watch.after()
            seen = await _look(watch.transport, watch.scope, known)
            if seen is not None and _revision_of(seen) < known:
                failures += 1  # it answers at once, over and over
                behind_since = now() if behind_since is None else behind_since
                if now() - behind_since > _RESTORED:
                    watch.on_restored(seen)
            else:
                failures, behind_since = 0, None
                if seen is not None:
                    watch.on_seen(seen)
        except Exception as error:
            failures += 1
            watch.on_trouble(error)
        # Also after a success a moment: a ledger that answers at once, over and over, is not asked without end.
        await asyncio.sleep(backoff(failures) if failures else 0.001)


def _revision_of(seen: Seen) -> int:
    """Of a scope that has had no session: 0."""
    return seen.known["revision"] if seen.known else 0


async def _look(transport: Transport, scope: Scope, after: int) -> Seen | None:
    """What is there once its revision is another one than `after`; None when that is still so after half a minute."""
    query = {"userId": scope["userId"], "projectId": scope["projectId"], "wait": _WAIT, "after": after}
    how: Any = {"deadline": _WAIT + 10.0, "attempt": _WAIT + 10.0}
    try:
        body = (await transport.call("currentSession", {"query": query}, how)).body
        return None if body is None else Seen(current=body)
    except LedgerError as error:
        if is_problem(error, "no-current-session"):
            return Seen(last=error.last)
        raise


async def end_cause_of(transport: Transport, session_id: str) -> LossReason:
    """How a session came to its end that is not current any more, as far as that can be told at once."""
    how: Any = {"deadline": _WHY, "attempt": _WHY}
    try:
        found = (await transport.call("session", {"params": {"sessionId": session_id}}, how)).body
        return cast("LossReason", found.get("endCause", "superseded"))
    except LedgerError:
        return "superseded"  # that another one is current is known
