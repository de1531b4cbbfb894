"""Keeps the leases of many sessions."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ..calls.clock import LONGEST_TIMER, now
from ..calls.transport import Transport
from ..calls.waiting import Tasks
from ..errors import LedgerProblem
from ..generated.models import Session
from .loss import Held

_MOST_A_REQUEST = 1_000
_SOONEST = 0.05


class Renewable(Protocol):
    """A session whose lease is kept."""

    @property
    def held(self) -> Held:
        """What is renewed."""
        ...

    @property
    def lease_seconds(self) -> float:
        """Not infinite."""
        ...

    def renewed(self, epoch: int, sent_at: float) -> None:
        """The ledger has renewed it under `epoch`, on a request sent at `sent_at`."""

    def refused(self, named: Held, problem: LedgerProblem) -> None:
        """The ledger has refused to renew what it was named."""


class Renewals:
    """One timer for all: each is renewed after about a third of its lease.

    Whatever is due soon goes along in the same request, up to 1,000 in each.
    """

    def __init__(self, transport: Transport, on_trouble: Callable[[BaseException], object]) -> None:
        self._transport = transport
        self._on_trouble = on_trouble
        self._due: dict[Renewable, float] = {}
        """When each is due, by `now()`; infinite while it is being renewed."""
        self._timer: asyncio.TimerHandle | None = None
        self._wakes_at = math.inf
        self._tasks = Tasks()

    def keep(self, session: Renewable, started_at: float | None = None) -> None:
        """Begins to renew a session whose lease was started then; at once when that is not known."""
        self._set(session, now() if started_at is None else _next_at(session, started_at))

    def drop(self, session: Renewable) -> None:
        """Renews it no more."""
        self._due.pop(session, None)
        if not self._due:
            self._sleep(math.inf)

    async def close(self) -> None:
        """Ends all renewing."""
        self._due.clear()
        self._sleep(math.inf)
        await self._tasks.cancel()

    def _set(self, session: Renewable, at: float) -> None:
        self._due[session] = at
        if at < self._wakes_at:
            self._sleep(at)

    def _sleep(self, until: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._wakes_at = until
        if until != math.inf:
            delay = min(max(0.0, until - now()), LONGEST_TIMER)
            self._timer = asyncio.get_running_loop().call_later(delay, self._wake)

    def _wake(self) -> None:
        at = now()
        if at < self._wakes_at:
            return self._sleep(self._wakes_at)
        # A quarter of the time between two renewals early: then those that began together stay together.
        due = [one for one, due_at in self._due.items() if due_at - at <= one.lease_seconds / 12]
        for session in due:
            self._due[session] = math.inf
        self._sleep(min(self._due.values(), default=math.inf))
        for begin in range(0, len(due), _MOST_A_REQUEST):
            self._tasks.start(self._renew(due[begin : begin + _MOST_A_REQUEST]))

    async def _renew(self, sessions: Sequence[Renewable]) -> None:
        """Who could not be reached is tried again, its lease runs on meanwhile."""
        named = [one.held for one in sessions]
        body = [{"sessionId": one.session_id, "epoch": one.epoch} for one in named]
        seconds = max(0.5, min(one.lease_seconds for one in sessions) / 3)
        try:
            how: Any = {"deadline": seconds, "attempt": seconds}
            answer = await self._transport.call("renewLeases", {"body": body}, how)
            results: list[Any] = answer.body["results"]
            for index, session in enumerate(sessions):
                self._take(session, named[index], results[index] if index < len(results) else None, answer.sent_at)
        except Exception as error:  # an answer that makes no sense, too
            self._on_trouble(error)
            for session in sessions:
                self._again(session)

    def _take(self, session: Renewable, named: Held, result: Any, sent_at: float) -> None:
        if not isinstance(result, dict) or result.get("sessionId") != named.session_id:  # pyright: ignore[reportUnknownMemberType]
            self._again(session)  # what is not answered for as it was asked was not renewed
        elif "problem" in result:
            session.refused(named, LedgerProblem(result["problem"], outcome_unknown=False))  # pyright: ignore[reportUnknownArgumentType]
            self._again(session)
        else:
            session.renewed(named.epoch, sent_at)
            if session in self._due:
                self._set(session, _next_at(session, sent_at))

    def _again(self, session: Renewable) -> None:
        if session in self._due:  # or it was given up meanwhile
            self._set(session, now() + _SOONEST + session.lease_seconds / 10 * random.random())


def _next_at(session: Renewable, renewed_at: float) -> float:
    """After about a third of the lease: 80 to 100 % of it, so that sessions of many processes spread."""
    return renewed_at + session.lease_seconds / 3 * (0.8 + 0.2 * random.random())


def is_kept_by_heartbeat(session: Session) -> bool:
    """Whether a session's lease is its owner's to renew by itself; one that use renews would never end."""
    lease = session.get("lease")
    return lease is not None and lease.get("renewOn") != "use"
