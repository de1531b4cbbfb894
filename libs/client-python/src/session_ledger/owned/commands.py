"""The commands of one session, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from ..calls.clock import now
from ..calls.waiting import timeout
from ..errors import ClientBusy, NoAnswer

_MOST = 100
_KEEP_EPOCH = {"activateSession", "changeAttributes", "changeHandles"}
_LEAVE = {"releaseOwnership", "endSession"}


def changes_epoch(operation: str) -> bool:
    """Whether the session may have another epoch after it, or nobody to hold it: so if it is not known better."""
    return operation not in _KEEP_EPOCH


class OwnCommands:
    """Each begins when the one before it is done, so that it knows its epoch."""

    def __init__(self) -> None:
        self._waiting: list[str] = []
        self._turn = asyncio.Lock()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def is_idle(self) -> bool:
        """None is under way, and none waits."""
        return not self._waiting

    @property
    def change_epoch(self) -> bool:
        """One of them gives the session another epoch, or gives it up."""
        return any(map(changes_epoch, self._waiting))

    @property
    def leave(self) -> bool:
        """One of them gives the session up."""
        return any(one in _LEAVE for one in self._waiting)

    async def done(self) -> None:
        """Waits until none is under way and none waits."""
        await self._idle.wait()

    async def add(self, operation: str, execute: Callable[[float], Awaitable[Any]], deadline: float) -> Any:
        """Executes a command after those that wait, with what is left of its deadline then.

        Raises ClientBusy when 100 wait, NoAnswer when the deadline is over before its turn comes.
        """
        if len(self._waiting) >= _MOST:
            raise ClientBusy(f"{_MOST} commands of the session wait")
        self._waiting.append(operation)
        self._idle.clear()
        try:
            until = now() + deadline
            await self._get_turn(deadline)
            try:
                return await execute(until - now())
            finally:
                self._turn.release()
        finally:
            self._waiting.remove(operation)
            if not self._waiting:
                self._idle.set()

    async def _get_turn(self, seconds: float) -> None:
        if seconds > 0:
            try:
                async with timeout(seconds):
                    await self._turn.acquire()
                return
            except (TimeoutError, asyncio.TimeoutError):
                pass
        raise NoAnswer(0, outcome_unknown=False)
