"""All current sessions, in this process's memory."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Union, cast

from ..calls.clock import by_monotonic, now
from ..calls.told import harmless, tell
from ..calls.waiting import backoff, ended
from ..calls.wire import parsed
from ..generated.models import Position, SessionInEvent
from ..scope import ScopeName
from .event import FollowedEvent
from .follower import Follower
from .handler import FollowedTo
from .ledger_heads import read_heads, with_restores
from .source import EventSource, FollowerStopped, parts

if TYPE_CHECKING:
    from ..client import LedgerClient

_AGAIN = 1.0
"""The least time between two snapshots, in seconds."""
_MOST_WAITERS = 10_000


class ReplicaFull(Exception):
    """There are more current sessions than this replica may hold: it would not be whole."""


Stopped = Union[FollowerStopped, ReplicaFull]
Key = tuple[str, str]


@dataclass
class _Booted:
    at: float
    """When the ledger was asked, by `now()`."""
    ledger_id: str | None
    """Whose snapshot it is: whoever answers otherwise from now on is not followed."""
    sessions: dict[Key, SessionInEvent] = field(default_factory=dict[Key, SessionInEvent])
    positions: dict[int, int] = field(default_factory=dict[int, int])


class CurrentReplica:
    """Booted from the ledger's snapshot, kept by following its events.

    Reads cost a look into a dict, in any thread. They may be old: `staleness` says by how much, `reached` waits for a
    position.
    """

    def __init__(
        self,
        ledger: LedgerClient,
        *,
        source: EventSource | None = None,
        most: int = 1_000_000,
        look_seconds: float = 10.0,
        on_trouble: Callable[[BaseException], object] = lambda _: None,
        on_stopped: Callable[[Stopped], object] = lambda _: None,
    ) -> None:
        """For `open`. `most`: scopes with a current session: with more the replica stops, and says so.

        `source`, `look_seconds`, `on_trouble`: as a follower's. `on_stopped`: it is not kept up any more: reads raise.
        """
        self._ledger = ledger
        self._source = source
        self._most = most
        self._look_seconds = look_seconds
        self._on_trouble = harmless(on_trouble)
        self._on_stopped = on_stopped
        self._why: Stopped | None = None
        self._waiters: set[asyncio.Event] = set()
        self._booting: asyncio.Task[None] | None = None

    async def open(self) -> CurrentReplica:
        """Reads the snapshot, then follows. Raises when it cannot be read whole, or ReplicaFull."""
        self._booted = await self._boot()
        self._follower = self._follow(self._booted.ledger_id)
        return self

    def current(self, scope: ScopeName) -> SessionInEvent | None:
        """The current session as far as is known here; None when none is. Raises once the replica has stopped."""
        if self._why is not None:
            raise self._why
        return self._booted.sessions.get((scope.get("userId", ""), scope.get("projectId", "default")))

    def __len__(self) -> int:
        return len(self._booted.sessions)

    @property
    def positions(self) -> dict[int, int]:
        """How far each partition is known."""
        return dict(self._booted.positions)

    @property
    def staleness(self) -> float:
        """Seconds since a moment as of which all that the ledger had is here; infinite once stopped.

        What is read may be so old, and not older. While nothing is wrong it grows to `look_seconds` and begins again.
        """
        if self._why is not None:
            return math.inf
        return time.monotonic() - max(by_monotonic(self._booted.at), self._follower.caught_up_at)

    async def reached(self, position: Position, *, within: float = 5.0) -> None:
        """Waits until the replica knows of a position, such as a command's answer carries.

        Raises TimeoutError after so many seconds, or why the replica has stopped.
        """
        if len(self._waiters) >= _MOST_WAITERS:
            raise ValueError(f"{_MOST_WAITERS} wait already")
        until = now() + within
        moved = asyncio.Event()
        self._waiters.add(moved)
        try:
            while not self._knows(position):
                moved.clear()
                try:
                    await asyncio.wait_for(moved.wait(), max(0.0, until - now()))
                except (TimeoutError, asyncio.TimeoutError):
                    raise TimeoutError(
                        f"position {position['partition']}:{position['sequence']} was not reached"
                    ) from None
        finally:
            self._waiters.discard(moved)

    async def close(self) -> None:
        """Returns when nothing runs any more. Reads go on as of now."""
        if self._booting is not None:
            await ended(self._booting, 5.0)
        await self._follower.stop()

    async def __aenter__(self) -> CurrentReplica:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes."""
        await self.close()

    def _follow(self, ledger_id: str | None) -> Follower:
        return Follower(
            self._ledger,
            start=dict(self._booted.positions),
            on_events=self._apply,
            on_stopped=self._stopped,
            source=self._source,
            ledger_id=ledger_id,
            on_trouble=self._on_trouble,
            retries=0,
            look_seconds=self._look_seconds,
        )

    def _stopped(self, why: FollowerStopped) -> None:
        if why.code == "archived":
            self._booting = asyncio.ensure_future(self._boot_again(why))
        else:
            self._fail(why.__cause__ if isinstance(why.__cause__, ReplicaFull) else why)

    async def _boot_again(self, why: Exception) -> None:
        """So far behind that the feed does not go back to there: the snapshot tells what has become of it all."""
        ledger_id = self._follower.ledger_id
        failures = 0
        while True:
            if isinstance(why, ReplicaFull):
                return self._fail(why)
            self._on_trouble(why)
            await asyncio.sleep(_AGAIN + backoff(failures))
            try:
                self._booted = await self._boot()
                self._follower = self._follow(ledger_id)
                return self._wake()
            except Exception as error:
                failures += 1
                why = error

    def _fail(self, why: Stopped) -> None:
        self._why = why
        self._wake()
        tell(self._on_stopped, why, self._on_trouble)

    def _knows(self, position: Position) -> bool:
        if self._why is not None:
            raise self._why
        return self._booted.positions.get(position["partition"], 0) >= position["sequence"]

    def _apply(self, events: Sequence[FollowedEvent], to: FollowedTo) -> None:
        sessions = self._booted.sessions
        for event in events:
            session = event.session
            if session is None:
                continue
            key = (session["scope"]["userId"], session["scope"]["projectId"])
            if session["status"] == "ended":
                sessions.pop(key, None)
            elif len(sessions) < self._most or key in sessions:
                sessions[key] = session
            else:
                raise ReplicaFull(f"over {self._most} current sessions")
        self._booted.positions[to.partition] = to.sequence
        self._wake()

    def _wake(self) -> None:
        for waiter in self._waiters:
            waiter.set()

    async def _boot(self) -> _Booted:
        """`{"position":…}` begins a partition, `{"session":…}` follow, `{"complete":true}`: nothing is missing."""
        at = now()
        # Before the snapshot, which does not name its ledger: another one may answer after it.
        heads = await read_heads(self._ledger)
        booted = _Booted(at, with_restores(heads.ledger_id, heads.restores))
        is_complete = False
        response = await self._ledger.stream("snapshot", {})
        async for lines in parts(response, "\n"):
            for line in lines:
                shown = cast("dict[str, Any]", parsed(line))
                if "position" in shown:
                    booted.positions[shown["position"]["partition"]] = shown["position"]["sequence"]
                if "session" in shown:
                    session: Any = {name: value for name, value in shown["session"].items() if name != "attributes"}
                    booted.sessions[session["scope"]["userId"], session["scope"]["projectId"]] = session
                    if len(booted.sessions) > self._most:
                        raise ReplicaFull(f"over {self._most} current sessions")
                is_complete = is_complete or shown.get("complete") is True
        if not is_complete:
            raise ConnectionError("the snapshot broke off")
        return booted
