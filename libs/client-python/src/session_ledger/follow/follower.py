"""Follows the events of all partitions, until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Union

from ..calls.clock import by_monotonic, now
from ..calls.waiting import backoff, ended
from ..errors import is_problem
from .event import BadEvent, FollowedEvent, to_event
from .handler import Handler, OnEvents
from .ledger_heads import read_heads, with_restores
from .sequencer import FollowerCounts, Sequencer, Surroundings
from .source import EventSource, FeedSource, FollowerStopped, Reading
from .stalls import Look, Stalled, StallWatch

if TYPE_CHECKING:
    from ..client import LedgerClient

From = Union[Literal["beginning", "present"], Mapping[int, int]]
"""At the beginning; at the present, with what is written from now on; or after what was handled before, by partition:
those that are left out begin at their first event."""

_MOST_BAD = 5
_HEALTHY = 60.0
"""A connection that lived so many seconds was no failure in a row."""
_SOURCE_END = 5.0
_MOST_HEALED = 5_000
"""Most events of a partition that one look reads from the feed: a source may have come back by the next."""


class Follower:
    """Each event once and in order, from a position on. It begins at once, in the running event loop.

    It drops what comes again, and reads from the feed what is missing. After a restart events come again from the
    position that was stored last: store it along with what you do.
    """

    def __init__(
        self,
        ledger: LedgerClient,
        *,
        start: From,
        on_events: OnEvents,
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
        """`source`: the ledger's own stream unless given; `session_ledger.kafka.KafkaSource` is another.

        `ledger_id`: whose positions `start` holds, as `follower.ledger_id` was then: another ledger is not followed.
        `on_events`: gets events of one partition, one call at a time. `on_stopped`: it goes on by itself no more.
        `on_trouble`: what it helps itself against: a Gap, a Stalled, a connection that broke, a handler that raised.
        `skips_unknown`: events of types that this version does not know are not handed on. `max_batch`: most events of
        one call. `retries`: how often a call that raised is repeated. `handler_seconds`: what one call may take: one
        that takes longer stops the follower. `look_seconds`: how often to look how far the ledger is: what it had at
        one look and the source has not given by the next is read from the feed, and the source is opened anew.
        """
        _between("max_batch", max_batch, 1, 10_000)
        _between("retries", retries, 0, 1_000)
        _between("handler_seconds", handler_seconds, 0.001, 3_600)
        _between("look_seconds", look_seconds, 0.001, 3_600)
        self.counts = FollowerCounts()
        self._ledger = ledger
        self._start: From = start
        self._source: EventSource = source if source is not None else FeedSource(ledger)
        self._on_stopped = on_stopped
        self._on_trouble = on_trouble
        self._look_seconds = look_seconds
        self._positions: list[int] = []
        self._ledger_id: str | None = None
        self._restores: int | None = None
        if ledger_id is not None:
            self._ledger_id, _, restores = ledger_id.partition("#")
            self._restores = int(restores or 0)
        handler = Handler(on_events, retries, handler_seconds, self._trouble)
        self._sequencer = Sequencer(
            Surroundings(
                self._positions,
                self.counts,
                handler,
                self._feed,
                self._check_ledger,
                self._trouble,
                skips_unknown,
                max_batch,
            )
        )
        self._stalls = StallWatch(self._positions, lambda: self._sequencer.busy)
        self._why: FollowerStopped | None = None
        self._reading: asyncio.Task[None] | None = None
        self._checking: asyncio.Task[None] | None = None
        self._tasks = [asyncio.ensure_future(self._connect()), asyncio.ensure_future(self._look())]
        self._over = asyncio.ensure_future(self._run())

    @property
    def positions(self) -> dict[int, int]:
        """The last sequence handled, by partition; empty before it has begun."""
        return dict(enumerate(self._positions))

    @property
    def ledger_id(self) -> str | None:
        """Whose events these are: store it with the positions. None before it has begun."""
        return with_restores(self._ledger_id, self._restores)

    @property
    def caught_up_at(self) -> float:
        """The moment, by `time.monotonic()`, as of which all that the ledger had is handled; -inf before.

        While nothing is wrong it lags by `look_seconds` at most.
        """
        return by_monotonic(self._stalls.caught_up_at)

    @property
    def is_over(self) -> bool:
        """Whether no further call of `on_events` will begin."""
        return self._over.done()

    async def done(self) -> FollowerStopped | None:
        """Waits until no further call of `on_events` will begin; returns why, if it was not told to."""
        return await asyncio.shield(self._over)

    async def stop(self) -> None:
        """Returns when no further call will begin. The one that runs is waited for, for 10 s at most."""
        for task in self._tasks:
            task.cancel()
        await self.done()

    async def __aenter__(self) -> Follower:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops."""
        await self.stop()

    async def _run(self) -> FollowerStopped | None:
        await asyncio.wait(self._tasks)
        await self._sequencer.settled()
        if self._checking is not None:
            self._checking.cancel()
        return self._why

    async def _connect(self) -> None:
        """Reads the source, over and over."""
        failures = bad = 0
        while True:
            begun_at = now()
            try:
                await self._see_ledger()
                self.counts.connections += 1
                await self._read()
            except Exception as error:
                if now() - begun_at > _HEALTHY:
                    failures = bad = 0
                bad += isinstance(error, BadEvent)
                self._failed(error if bad < _MOST_BAD else FollowerStopped("bad-events", str(error), error))
            failures += 1
            await asyncio.sleep(backoff(failures))

    async def _read(self) -> None:
        # In a task of its own, so that a connection that is given up does not go on beside the next one.
        reading = asyncio.ensure_future(self._read_source())
        self._reading = reading
        try:
            await asyncio.wait([reading])
            if not reading.cancelled():
                reading.result()
        finally:
            self._reading = None
            await ended(reading, _SOURCE_END)

    async def _read_source(self) -> None:
        await self._source.check(self._positions)
        mine = self._reading

        async def take(events: Sequence[FollowedEvent]) -> None:
            if self._reading is not mine:
                raise ConnectionAbortedError("the connection was given up")
            await self._take(events)

        await self._source.read(Reading(self._positions, self._restores, take))

    async def _take(self, events: Sequence[FollowedEvent]) -> None:
        try:
            await self._sequencer.take(events)
        except Exception as error:
            why = _stop_of(error)
            if why is not None:
                self._halt(why)  # whatever the source makes of it
            raise

    async def _look(self) -> None:
        """Sees now and then whether the source gives what the ledger has, whatever becomes of connections."""
        while True:
            await asyncio.sleep(self._look_seconds)
            if not self._positions:
                continue
            if self._checking is None or self._checking.done():
                # Beside the rest: what a source hangs in, its check may hang in, too.
                self._checking = asyncio.ensure_future(self._check_source())
            try:
                await self._heal_stalls()
            except Exception as error:
                self._failed(error)

    async def _check_source(self) -> None:
        try:
            await self._source.check(self._positions)
        except Exception as error:
            self._failed(error)

    async def _heal_stalls(self) -> None:
        stalled = self._stalls.look(await self._see_ledger())
        if not stalled:
            return
        self.counts.stalls += 1
        self._trouble(Stalled(stalled))
        for one in stalled:
            await self._sequencer.catch_up(one.partition, min(one.head, one.handled + _MOST_HEALED))
        if self._stalls.is_time_to_reopen() and self._reading is not None:
            self._reading.cancel()

    async def _see_ledger(self) -> Look:
        """How far the ledger is; that it is still the one that was followed, and has all that was handled."""
        before = list(self._positions)  # what it has to know: more may be handled while it answers
        at = now()
        found = await read_heads(self._ledger)
        if found.ledger_id is not None:
            self._check_ledger(found.ledger_id)
        if self._restores is None:
            self._restores = found.restores
        if found.restores is not None and found.restores != self._restores:
            raise FollowerStopped("restored", "the past of the ledger has changed: start anew")
        if not before:
            before = _start_of(self._start, found.heads)
            self._positions[:] = before
        if len(found.heads) != len(before):
            what = f"the ledger has {len(found.heads)} partitions, {len(before)} were followed"
            raise FollowerStopped("partitions-changed", what)
        for partition, sequence in enumerate(before):
            if sequence > found.heads[partition]:
                await self._confirm(partition, sequence)
        look = Look(at, found.heads)
        self._stalls.saw(look)
        return look

    async def _confirm(self, partition: int, sequence: int) -> None:
        """Who answered does not know of it: another replica has just written it, or the ledger was restored."""
        events = await self._feed(partition, sequence - 1, 1)
        if events and events[0].sequence == sequence:
            self._check_ledger(events[0].document["source"])
            return
        # Refused as ahead of the log, for good; or for now, by a standby that is only late.
        await self._feed(partition, sequence, 1)

    async def _feed(self, partition: int, after: int, limit: int) -> list[FollowedEvent]:
        page = await self._ledger.call("feed", {"query": {"partition": partition, "after": after, "limit": limit}})
        return [to_event(one) for one in page["events"]]

    def _check_ledger(self, source: str) -> None:
        if self._ledger_id is None:
            self._ledger_id = source
        if source != self._ledger_id:
            raise FollowerStopped("another-ledger", f"it is {source}, and {self._ledger_id} was followed")

    def _failed(self, error: BaseException) -> None:
        why = _stop_of(error)
        if why is not None:
            self._halt(why)
        else:
            self._trouble(error)

    def _halt(self, why: FollowerStopped) -> None:
        """For good."""
        if self._why is not None:
            return
        self._why = why
        for task in self._tasks:
            task.cancel()
        try:
            self._on_stopped(why)
        except Exception as error:
            self._trouble(error)

    def _trouble(self, error: BaseException) -> None:
        with suppress(Exception):  # a listener that raises is no reason to lose an event, or to stop
            self._on_trouble(error)


def _start_of(start: From, heads: Sequence[int]) -> list[int]:
    """Where to begin, in each of the ledger's partitions."""
    if isinstance(start, str):
        return list(heads) if start == "present" else [0] * len(heads)
    positions = [0] * len(heads)
    for partition, sequence in start.items():
        if sequence < 0:
            raise FollowerStopped("position-ahead", f"{partition}:{sequence} is no position")
        if not 0 <= partition < len(heads):
            what = f"a position is of partition {partition}, and the ledger has {len(heads)}"
            raise FollowerStopped("partitions-changed", what)
        positions[partition] = sequence
    return positions


def _stop_of(error: BaseException) -> FollowerStopped | None:
    """What trying again does not help against."""
    if isinstance(error, FollowerStopped):
        return error
    if is_problem(error, "position-ahead"):
        return FollowerStopped("position-ahead", str(error), error)
    if is_problem(error, "archived"):
        return FollowerStopped("archived", "what comes after the position is in the archive", error)
    return None


def _between(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise ValueError(f"{name} has to be from {least:g} to {most:g}, and is {value}")
