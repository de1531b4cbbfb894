"""Calls what the user does with events: again when it raises, and never beside itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from inspect import isawaitable
from typing import Union

from ..calls.waiting import backoff
from .event import FollowedEvent
from .source import FollowerStopped

_STOP = 10.0
"""What a call may still take once it is told to stop, in seconds."""


@dataclass(frozen=True)
class FollowedTo:
    """Where the events of one call end: store it in the transaction that handles them."""

    partition: int
    sequence: int


OnEvents = Callable[[Sequence[FollowedEvent], FollowedTo], Union[Awaitable[None], None]]


class Handler:
    """One call at a time, in a task of its own: when the follower stops, that is given time to end."""

    def __init__(
        self, on_events: OnEvents, retries: int, seconds: float, on_trouble: Callable[[BaseException], object]
    ) -> None:
        self._on_events = on_events
        self._retries = retries
        self._seconds = seconds
        self._on_trouble = on_trouble

    async def call(self, events: Sequence[FollowedEvent], to: FollowedTo) -> bool:
        """Whether its caller was cancelled meanwhile: what has begun is done all the same.

        Raises FollowerStopped when it raised too often, or does not return in time.
        """
        where = f"events up to {to.partition}:{to.sequence}"
        failures = 0
        while True:
            try:
                return await self._once(events, to, where)
            except FollowerStopped:
                raise
            except Exception as error:
                failures += 1
                if failures > self._retries:
                    raise FollowerStopped("handler-failed", f"the handler of {where} raised", error) from error
                self._on_trouble(error)
            await asyncio.sleep(backoff(failures))

    async def _once(self, events: Sequence[FollowedEvent], to: FollowedTo, where: str) -> bool:
        result = self._on_events(events, to)
        if not isawaitable(result):
            return False
        task = asyncio.ensure_future(result)
        try:
            done, _ = await asyncio.wait([task], timeout=self._seconds)
        except asyncio.CancelledError:
            # The follower is told to stop: what has begun may end.
            done, _ = await asyncio.wait([task], timeout=min(self._seconds, _STOP))
            if not done:
                task.cancel()
                raise self._stuck(where, min(self._seconds, _STOP)) from None
            if not task.cancelled() and task.exception() is None:
                return True
            raise
        if not done:
            task.cancel()
            raise self._stuck(where, self._seconds)
        task.result()
        return False

    def _stuck(self, where: str, seconds: float) -> FollowerStopped:
        return FollowerStopped("handler-stuck", f"the handler of {where} did not return in {seconds:g} s")
