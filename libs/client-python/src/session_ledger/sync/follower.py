"""Followers and replicas, for threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

from ..follow import follower as asynchronous
from ..follow import replica
from ..follow.event import FollowedEvent
from ..follow.follower import From
from ..follow.handler import FollowedTo
from ..follow.sequencer import FollowerCounts
from ..follow.source import EventSource, FollowerStopped
from ..generated.models import Position, SessionInEvent
from ..scope import ScopeName
from .client import LedgerClient
from .portal import portal


class Follower:
    """As `session_ledger.Follower`: `on_events` is called in one thread of its own, and may take its time there.

    It begins at once. `on_stopped` and `on_trouble` are called in the client's thread: they have to return soon.
    """

    def __init__(
        self,
        ledger: LedgerClient,
        *,
        start: From,
        on_events: Callable[[Sequence[FollowedEvent], FollowedTo], None],
        on_stopped: Callable[[FollowerStopped], object],
        source: EventSource | None = None,
        ledger_id: str | None = None,
        on_trouble: Callable[[BaseException], object] = lambda _: None,
        skips_unknown: bool = False,
        max_batch: int = 500,
        retries: int = 5,
        handler_seconds: float = 60.0,
        look_seconds: float = 10.0,
    ) -> None:
        """What the parameters mean stands at `session_ledger.Follower`."""
        self._portal = portal()
        self._thread = ThreadPoolExecutor(1, "session-ledger-handler")

        async def handle(events: Sequence[FollowedEvent], to: FollowedTo) -> None:
            await asyncio.get_running_loop().run_in_executor(self._thread, on_events, events, to)

        self._inner = self._portal.call(
            lambda: asynchronous.Follower(
                ledger.asynchronous,
                start=start,
                on_events=handle,
                on_stopped=on_stopped,
                source=source,
                ledger_id=ledger_id,
                on_trouble=on_trouble,
                skips_unknown=skips_unknown,
                max_batch=max_batch,
                retries=retries,
                handler_seconds=handler_seconds,
                look_seconds=look_seconds,
            )
        )

    @property
    def counts(self) -> FollowerCounts:
        """What it has seen so far."""
        return self._inner.counts

    @property
    def positions(self) -> dict[int, int]:
        """The last sequence handled, by partition; empty before it has begun."""
        return self._inner.positions

    @property
    def ledger_id(self) -> str | None:
        """Whose events these are: store it with the positions. None before it has begun."""
        return self._inner.ledger_id

    @property
    def caught_up_at(self) -> float:
        """The moment, by `time.monotonic()`, as of which all that the ledger had is handled; -inf before."""
        return self._inner.caught_up_at

    @property
    def is_over(self) -> bool:
        """Whether no further call of `on_events` will begin."""
        return self._inner.is_over

    def done(self) -> FollowerStopped | None:
        """Waits until no further call of `on_events` will begin; returns why, if it was not told to."""
        return self._portal.run(self._inner.done())

    def stop(self) -> None:
        """Returns when no further call will begin. The one that runs is waited for, for 10 s at most."""
        self._portal.run(self._inner.stop())
        self._thread.shutdown(wait=False)

    def __enter__(self) -> Follower:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops."""
        if self._portal.is_here:
            self.stop()


class CurrentReplica:
    """As `session_ledger.CurrentReplica`, from any thread."""

    def __init__(
        self,
        ledger: LedgerClient,
        *,
        source: EventSource | None = None,
        most: int = 1_000_000,
        look_seconds: float = 10.0,
        on_trouble: Callable[[BaseException], object] = lambda _: None,
        on_stopped: Callable[[replica.Stopped], object] = lambda _: None,
    ) -> None:
        """What the parameters mean stands at `session_ledger.CurrentReplica`."""
        self._portal = portal()
        self._inner = replica.CurrentReplica(
            ledger.asynchronous,
            source=source,
            most=most,
            look_seconds=look_seconds,
            on_trouble=on_trouble,
            on_stopped=on_stopped,
        )

    def open(self) -> CurrentReplica:
        """Reads the snapshot, then follows. Raises when it cannot be read whole, or ReplicaFull."""
        self._portal.run(self._inner.open())
        return self

    def current(self, scope: ScopeName) -> SessionInEvent | None:
        """The current session as far as is known here; None when none is. Raises once the replica has stopped."""
        return self._inner.current(scope)

    def __len__(self) -> int:
        return len(self._inner)

    @property
    def positions(self) -> dict[int, int]:
        """How far each partition is known."""
        return self._inner.positions

    @property
    def staleness(self) -> float:
        """Seconds since a moment as of which all that the ledger had is here; infinite once stopped."""
        return self._inner.staleness

    def reached(self, position: Position, *, within: float = 5.0) -> None:
        """Waits until the replica knows of a position. Raises TimeoutError, or why the replica has stopped."""
        self._portal.run(self._inner.reached(position, within=within))

    def close(self) -> None:
        """Returns when nothing runs any more. Reads go on as of now."""
        self._portal.run(self._inner.close())

    def __enter__(self) -> CurrentReplica:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes."""
        if self._portal.is_here:
            self.close()
