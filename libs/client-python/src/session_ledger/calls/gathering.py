"""Calls that are made together go in one request."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Union, cast

from .answer import Raw
from .clock import now
from .waiting import Tasks
from .wire import parsed

_MOST = 500
"""Most calls in one request: what the ledger takes."""
_MOST_BYTES = 300_000
"""Most of their JSON: far below the ledger's 1 MiB."""
_MOST_UNDER_WAY = 4
"""Most requests under way; calls that come meanwhile are gathered until one is answered."""
_ALONE_FOR = 60.0
"""Seconds for which calls go by themselves where the ledger took no list: it may be one that is being upgraded."""


@dataclass
class Progress:
    """How far an attempt has come."""

    is_sent: bool = False
    status: int = 0
    retry_after: float = 0.0


Place = dict[str, object]
"""What stands in a call's place in the list of answers."""
Got = Union[Place, Raw, Exception]
"""What stands in its place; or what all of them were answered together, or ran into."""


@dataclass(eq=False)
class Gathered:
    """A call that may go with others."""

    json: bytes
    """As it stands in the list."""
    order: str | None
    """Calls of one order go one after the other: what they are for. Reads have none."""
    progress: Progress
    answer: asyncio.Future[Got | None] = field(init=False)
    is_alone: bool = False
    """It was in a list that was refused as a whole."""
    has_place: bool = False
    """It goes by itself, as one of those under way."""

    def __post_init__(self) -> None:
        self.answer = asyncio.get_running_loop().create_future()

    def tell(self, got: Got | None) -> None:
        """Unless it was given up."""
        if not self.answer.done():
            self.answer.set_result(got)


SendMany = Callable[[Sequence[Gathered]], Awaitable[Raw]]


class Gathering:
    """Gathers calls that are made in the same turn of the event loop, or while requests are under way.

    A lone call is told so in the next turn, and goes by itself.
    """

    def __init__(self, send_many: SendMany) -> None:
        self._send_many = send_many
        self._tasks = Tasks()
        self._waiting: list[Gathered] = []
        self._orders: set[str] = set()  # what calls under way are for
        self._under_way = 0
        self._is_due = False
        self._refused_until = -math.inf  # the ledger is older than lists are, as far as is known

    async def ask(self, call: Gathered) -> Got | None:
        """What a call got; None: it has to go by itself. `done` has to be called in any case."""
        if now() < self._refused_until:
            return None
        self._waiting.append(call)
        self._flush_soon()
        return await call.answer

    def done(self, call: Gathered) -> None:
        """A call has been answered, or never will be."""
        if call.has_place:
            call.has_place = False
            self._end([call])

    def _flush_soon(self) -> None:
        if not self._is_due and self._under_way < _MOST_UNDER_WAY:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._is_due = False
        while self._under_way < _MOST_UNDER_WAY and (together := self._take()):
            self._under_way += 1
            self._orders.update(one.order for one in together if one.order is not None)
            if len(together) == 1:
                together[0].has_place = True
                together[0].tell(None)
            else:
                self._start(together)

    def _take(self) -> list[Gathered]:
        """The next that may go together, in the order in which they came."""
        taken: list[Gathered] = []
        left: list[Gathered] = []
        held = set(self._orders)  # no later one overtakes those that stay
        size = 0
        for one in self._waiting:
            if one.answer.done():
                continue
            is_full = len(taken) >= _MOST or size + len(one.json) > _MOST_BYTES
            is_apart = bool(taken) and (is_full or one.is_alone or taken[0].is_alone)
            if is_apart or one.order in held:
                left.append(one)
                if one.order is not None:
                    held.add(one.order)
            else:
                taken.append(one)
                size += len(one.json)
        self._waiting = left
        return taken

    def _start(self, together: list[Gathered]) -> None:
        task = self._tasks.start(self._send(together))
        task.add_done_callback(lambda _: self._end(together))
        left = len(together)

        def over(_: object) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                task.cancel()  # nobody waits for it any more

        for one in together:
            one.answer.add_done_callback(over)

    async def _send(self, together: list[Gathered]) -> None:
        try:
            raw = await self._send_many(together)
        except Exception as error:
            for one in together:
                one.tell(error)
            return
        if raw.status in (404, 405):
            self._refused_until = now() + _ALONE_FOR
            for one in (*together, *self._waiting):
                one.tell(None)
            self._waiting = []
        elif raw.status in (400, 413):
            # One of them is wrong, and each has to hear for itself whether that is it.
            for one in together:
                one.is_alone = True
                one.progress.is_sent = False
            self._waiting[:0] = together
        else:
            places = _places_in(raw, len(together))
            for index, one in enumerate(together):
                one.tell(places[index] if places else raw)

    def _end(self, calls: Sequence[Gathered]) -> None:
        self._under_way -= 1
        self._orders.difference_update(one.order for one in calls if one.order is not None)
        if self._waiting:
            self._flush_soon()


def _places_in(raw: Raw, count: int) -> list[Place] | None:
    """What each place of a list was answered; None where it is no list of so many."""
    if raw.status != 200:
        return None
    try:
        answers: object = parsed(raw.text or b"")["answers"]
    except (ValueError, RecursionError, LookupError, TypeError):
        return None  # whoever reads the answer says so
    places = cast("list[Place]", answers)
    is_list = isinstance(answers, list) and len(places) == count
    return places if is_list and all(_is_place(one) for one in places) else None


def _is_place(one: object) -> bool:
    return isinstance(one, dict) and type(cast("Place", one).get("status")) is int
