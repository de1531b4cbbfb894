"""Hands on each partition's events once and in order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from ..calls.clock import now
from .event import FollowedEvent
from .handler import FollowedTo, Handler
from .source import FollowerStopped

_PAGE = 500


class Gap(Exception):
    """Events that a source should have had: after `after` came `found`. They were read from the feed."""

    def __init__(self, partition: int, after: int, found: int) -> None:
        super().__init__(
            f"events are missing in partition {partition}: after {after} came {found}; reading them from the feed"
        )
        self.partition = partition
        self.after = after
        self.found = found


@dataclass
class FollowerCounts:
    """What a follower has seen so far."""

    handled: int = 0
    repeated: int = 0
    """Came again and were dropped."""
    gaps: int = 0
    stalls: int = 0
    """How often the source gave nothing of what the ledger had."""
    healed: int = 0
    """Read from the feed in place of the source."""
    connections: int = 0


@dataclass(frozen=True)
class Surroundings:
    """What a sequencer works with."""

    positions: list[int]
    """How far was handled, by partition; it moves on."""
    counts: FollowerCounts
    handler: Handler
    feed: Callable[[int, int, int], Awaitable[list[FollowedEvent]]]
    """A page of a partition's events after a sequence."""
    check_ledger: Callable[[str], None]
    """Raises FollowerStopped for an event of another ledger."""
    on_trouble: Callable[[BaseException], object]
    skips_unknown: bool
    max_batch: int


class Sequencer:
    """Drops what comes again, and reads from the feed what is missing, before it goes on."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._turn = asyncio.Lock()
        self._busy = 0.0
        self._busy_since: float | None = None

    @property
    def busy(self) -> float:
        """Seconds that handling and healing took so far."""
        return self._busy + (0.0 if self._busy_since is None else now() - self._busy_since)

    async def take(self, events: Sequence[FollowedEvent]) -> None:
        """Events of any partitions, each partition's in order."""
        groups: dict[int, list[FollowedEvent]] = {}
        for event in events:
            self._around.check_ledger(event.document["source"])
            groups.setdefault(event.partition, []).append(event)
        async with self._turn:
            self._busy_since = now()
            try:
                for partition, group in groups.items():
                    await self._take_in_order(partition, group)
            finally:
                self._rest()

    async def catch_up(self, partition: int, up_to: int) -> None:
        """Reads a partition from the feed, up to a sequence that the ledger is known to have."""
        async with self._turn:
            self._busy_since = now()
            try:
                await self._read_on(partition, up_to)
            finally:
                self._rest()

    async def settled(self) -> None:
        """Returns when nothing runs any more."""
        async with self._turn:
            return

    def _rest(self) -> None:
        self._busy, self._busy_since = self.busy, None

    async def _take_in_order(self, partition: int, events: Sequence[FollowedEvent]) -> None:
        positions, counts = self._around.positions, self._around.counts
        if partition >= len(positions):
            what = f"an event of partition {partition}, of {len(positions)}"
            raise FollowerStopped("partitions-changed", what)
        last = positions[partition]
        fresh: list[FollowedEvent] = []
        for event in events:
            if event.sequence <= last:
                counts.repeated += 1
                continue
            if event.sequence > last + 1:
                await self._handle(partition, fresh)
                fresh = []
                counts.gaps += 1
                self._around.on_trouble(Gap(partition, last, event.sequence))
                # Nothing is delivered beyond a gap before the feed has filled it.
                await self._read_on(partition, event.sequence - 1)
            fresh.append(event)
            last = event.sequence
        await self._handle(partition, fresh)

    async def _read_on(self, partition: int, up_to: int) -> None:
        around = self._around
        while (after := around.positions[partition]) < up_to:
            events = await around.feed(partition, after, min(_PAGE, up_to - after))
            for event in events:
                around.check_ledger(event.document["source"])
            is_dense = all(event.sequence == after + 1 + index for index, event in enumerate(events))
            if not events or not is_dense:
                raise FollowerStopped("events-missing", f"the feed has no event {partition}:{after + 1}")
            around.counts.healed += len(events)
            await self._handle(partition, events)

    async def _handle(self, partition: int, events: Sequence[FollowedEvent]) -> None:
        around = self._around
        for begin in range(0, len(events), around.max_batch):
            batch = events[begin : begin + around.max_batch]
            to = FollowedTo(partition, batch[-1].sequence)
            shown = [one for one in batch if one.type != "unknown"] if around.skips_unknown else batch
            is_cancelled = bool(shown) and await around.handler.call(shown, to)
            around.positions[partition] = to.sequence
            around.counts.handled += len(shown)
            if is_cancelled:
                raise asyncio.CancelledError
