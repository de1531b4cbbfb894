"""Where a follower gets its events from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import httpx

from .event import FollowedEvent, parse_event

if TYPE_CHECKING:
    from ..client import LedgerClient

StopCode = Literal[
    "handler-failed",
    "handler-stuck",
    "partitions-changed",
    "position-ahead",
    "restored",
    "topic-recreated",
    "another-ledger",
    "archived",
    "events-missing",
    "bad-events",
]
"""Why a follower has stopped by itself. None of these goes away by trying again."""


class FollowerStopped(Exception):
    """A follower has stopped, and needs somebody to look: `__cause__` is what it ran into, where there is something."""

    code: StopCode

    def __init__(self, code: StopCode, what: str, cause: BaseException | None = None) -> None:
        super().__init__(f"{code}: {what}")
        self.code = code
        self.__cause__ = cause


@dataclass(frozen=True)
class Reading:
    """What a source is given to hand over what it reads."""

    positions: Sequence[int]
    """How far was followed so far; it moves while events are taken."""
    restores: int | None
    """How often the ledger's past had changed by then; None when the ledger does not tell."""
    take: Callable[[Sequence[FollowedEvent]], Awaitable[None]]
    """Events of any partitions, each partition's in order; repetitions do no harm. One call at a time."""


class EventSource(Protocol):
    """The ledger's own stream, Kafka, or yours."""

    async def read(self, reading: Reading) -> None:
        """Reads after the positions until it is cancelled, and then ends within 5 s.

        Raises when it cannot go on; it is then called again.
        """

    async def check(self, positions: Sequence[int]) -> None:
        """Raises FollowerStopped when the source cannot carry these positions. Called before reading, and beside it."""


_SILENT = 45.0
"""The ledger says something on a stream every 15 s: after three times that it is gone."""
_MOST = 4 << 20
"""Most characters of one line or event: no event of a ledger comes near."""


async def parts(response: httpx.Response, separator: str) -> AsyncIterator[list[str]]:
    """The parts of a stream between separators, as many at a time as came together.

    Raises when nothing comes for 45 s, when a part is too long, or when the connection breaks. What stands after the
    last separator is dropped: it was cut.
    """
    rest = ""
    try:
        texts = response.aiter_text()
        while True:
            try:
                text = await asyncio.wait_for(anext(texts, None), _SILENT)
            except (TimeoutError, asyncio.TimeoutError):
                raise TimeoutError("the stream fell silent") from None
            if text is None:
                return
            *whole, rest = (rest + text).split(separator)
            if len(rest) > _MOST:
                raise ValueError(f"a part of the stream has over {_MOST} characters")
            if whole:
                yield whole
    finally:
        await response.aclose()


class FeedSource:
    """The ledger's own stream: GET /v1/feed/stream."""

    def __init__(self, ledger: LedgerClient) -> None:
        self._ledger = ledger

    async def read(self, reading: Reading) -> None:
        """Reads after the positions."""
        vector = vector_of(reading.positions, reading.restores)
        response = await self._ledger.stream("feedStream", {}, last_event_id=vector)
        async for blocks in parts(response, "\n\n"):
            data = [one for one in map(_data_of, blocks) if one is not None]
            if data:
                await reading.take([parse_event(one) for one in data])

    async def check(self, positions: Sequence[int]) -> None:
        """The ledger refuses by itself what it cannot carry."""


def _data_of(block: str) -> str | None:
    """The data of a server-sent event (WHATWG HTML, section 9.2) as the ledger writes them: one line each."""
    for line in block.split("\n"):
        if line.startswith("data:"):
            return line[5:]
    return None


_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def vector_of(positions: Sequence[int], restores: int | None) -> str:
    """The ids of the stream: each partition's sequence to base 36, between dots, and how often the past had changed."""
    vector = ".".join(map(_base36, positions))
    return vector if restores is None else f"{vector}-r{restores}"


def _base36(number: int) -> str:
    text = ""
    while True:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
        if number == 0:
            return text
