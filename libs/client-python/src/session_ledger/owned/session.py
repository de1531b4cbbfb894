"""A session of this process."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from inspect import isawaitable
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ..calls.options import CallOptions
from ..calls.signal import Signal
from ..calls.transport import Answered, Transport
from ..errors import ClientForked, LedgerError, LedgerProblem
from ..generated.calls import TIMER_OUTCOMES
from ..generated.models import (
    CommandAnswer,
    OwnEndBody,
    Owner,
    OwnReleaseBody,
    OwnRotateBody,
    Position,
    Session,
)
from .commands import changes_epoch
from .gate import HeldState, NotHeld
from .loss import Loss, loss_of_refusal
from .tenure import Tenure

if TYPE_CHECKING:
    from typing_extensions import Unpack

T = TypeVar("T")

_LEAVE = 5.0
"""How long the end of a block waits for the ledger."""


@dataclass(frozen=True)
class Guarded:
    """What guarded work gets to know."""

    session_id: str = field(repr=False)
    epoch: int
    """To be shown wherever the work writes: what it writes to refuses an older one."""
    signal: Signal
    """Is set, with a NotHeld, when the session is lost or given up, or its lease could be over."""


class OwnedSession:
    """A session from its start until it is released, ended or lost.

    It renews its lease by itself, knows its epoch, and begins no guarded work that the lease might not cover. Its
    commands run one after the other, at most 100 of them wait; it shows the epoch for them. At the end of an
    `async with` block it is released.
    """

    def __init__(self, tenure: Tenure, transport: Transport, position: Position) -> None:
        """Made by the client only."""
        self._tenure = tenure
        self._transport = transport
        self._position = position

    @property
    def owner(self) -> Owner:
        """Who holds it."""
        return self._tenure.owner

    @property
    def session_id(self) -> str:
        """Of the session that is held now: another one after a rotation."""
        return self._tenure.view["sessionId"]

    @property
    def epoch(self) -> int:
        """The fencing token: show it wherever you write on behalf of the session."""
        return self._tenure.view["epoch"]

    @property
    def view(self) -> Session:
        """The session as the ledger last told it."""
        return self._tenure.view

    @property
    def position(self) -> Position:
        """Of the last change that was made through this handle."""
        return self._position

    @property
    def state(self) -> HeldState:
        """Whether it is held, as far as this process knows."""
        state = self._tenure.state
        return "forked" if state == "held" and not self._transport.is_here else state

    @property
    def loss(self) -> Loss | None:
        """How it was lost, once that is known."""
        return self._tenure.loss

    @property
    def left(self) -> float:
        """Seconds of the lease that are left for certain; infinite without one, not above 0 when it could be over."""
        return self._tenure.left if self._transport.is_here else -math.inf

    @property
    def signal(self) -> Signal:
        """Is set when the session is lost, released or ended."""
        return self._tenure.signal

    def on_lost(self, listener: Callable[[Loss], object]) -> Callable[[], None]:
        """Calls `listener` once, when the session is lost; soon, when it is lost already. Returns how to stop that."""
        return self._tenure.on_lost(listener)

    @asynccontextmanager
    async def guarded(self) -> AsyncGenerator[Guarded, None]:
        """Runs the block if the session is held; after a rotation, release or end that is under way.

        Raises NotHeld otherwise, before the block: also when the lease could be over by this process's own clock.
        """
        await self.settled()
        guarded, done = self.begin()
        try:
            yield guarded
        finally:
            done()

    @property
    def is_changing(self) -> bool:
        """A rotation, release or end is under way."""
        return self._tenure.commands.change_epoch

    async def settled(self) -> None:
        """Waits until no rotation, release or end is under way."""
        while self.is_changing:
            await self._tenure.commands.done()

    def begin(self) -> tuple[Guarded, Callable[[], None]]:
        """Begins guarded work, in any thread; for what cannot be a block. Whatever is returned second ends it."""
        signal = self._tenure.gate.begin()
        return Guarded(self.session_id, self.epoch, signal), self._tenure.gate.end

    async def run(self, work: Callable[[Guarded], T | Awaitable[T]]) -> T:
        """Calls `work` as a guarded block."""
        async with self.guarded() as guarded:
            result = work(guarded)
            return await result if isawaitable(result) else cast("T", result)

    async def activate(self, **how: Unpack[CallOptions]) -> CommandAnswer:
        """Confirms a session that was started in phase `starting`."""
        return await self.command("activateSession", **how)

    async def rotate(self, body: OwnRotateBody, **how: Unpack[CallOptions]) -> CommandAnswer:
        """Replaces the session by a successor, which this handle holds from then on."""
        return await self.command("rotateSession", body, **how)

    async def change_attributes(self, attributes: dict[str, Any], **how: Unpack[CallOptions]) -> CommandAnswer:
        """Merges a JSON merge patch (RFC 7396) into the attributes."""
        return await self.command("changeAttributes", {"attributes": attributes}, **how)

    async def release(self, body: OwnReleaseBody | None = None, **how: Unpack[CallOptions]) -> CommandAnswer:
        """Lets go without ending the session: it stays current, for another owner to claim."""
        return await self.command("releaseOwnership", body, **how)

    async def end(self, body: OwnEndBody, **how: Unpack[CallOptions]) -> CommandAnswer:
        """Ends the session; with `drainSeconds` it stays held until it is ended once more, without."""
        return await self.command("endSession", body, **how)

    async def command(
        self, operation: str, body: Mapping[str, Any] | None = None, **how: Unpack[CallOptions]
    ) -> CommandAnswer:
        """Any command of the owner, by its operation in /openapi.json.

        The session's id and epoch, and the owner, are added.
        """
        self._transport.check_process()
        deadline = how.get("deadline", self._transport.deadline)
        own = {**(body or {}), "origin" if operation == "endSession" else "owner": self.owner}

        def execute(left: float) -> Awaitable[CommandAnswer]:
            return self._execute(operation, own, {**how, "deadline": left})

        return await self._tenure.commands.add(operation, execute, deadline)

    async def touch(self, **how: Unpack[CallOptions]) -> None:
        """A sign of use, for a lease with `renewOn: 'use'`."""
        epoch = self.epoch
        request = {"params": {"sessionId": self.session_id}, "body": {}}
        answered = await self._transport.call("touchSession", request, how)
        if answered.body["outcome"] == "renewed" and not answered.is_old:
            self._tenure.renewed(epoch, answered.sent_at)

    def abandon(self) -> None:
        """Stops renewing and watching, and leaves the session to its lease."""
        if self.state == "held":
            self._tenure.close("released")

    async def __aenter__(self) -> OwnedSession:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Releases the session if it is still held. Raises when nobody can tell after 5 s whether it is released."""
        if self.state != "held":
            return
        try:
            await self.release(deadline=_LEAVE)
        except ClientForked:
            return  # it is the parent's
        except (NotHeld, LedgerError) as failure:
            self.abandon()
            is_over = isinstance(failure, NotHeld | LedgerProblem) and not getattr(failure, "outcome_unknown", False)
            if not is_over and error is None:
                raise  # else it is somebody else's, or nobody's: there is nothing to give back

    async def _execute(self, operation: str, body: dict[str, Any], how: CallOptions) -> CommandAnswer:
        tenure = self._tenure
        if tenure.state != "held":
            raise NotHeld(tenure.state, tenure.loss)
        # One whose rotation, release or end stayed unknown is not held any more: no such command repeats another one.
        may_repeat = "idempotency_key" in how and not changes_epoch(operation)
        request = {"params": {"sessionId": self.session_id}, "body": {**body, "epoch": self.epoch}}
        try:
            answered = await self._transport.call(operation, request, how, may_repeat)
        except (LedgerError, asyncio.CancelledError) as error:
            self._failed(operation, error)
            raise
        self._done(operation, answered, body.get("drainSeconds"))
        return answered.body

    def _done(self, operation: str, answered: Answered, drain_seconds: float | None) -> None:
        tenure = self._tenure
        if tenure.state != "held":
            return  # lost meanwhile, whatever this came to
        answer: CommandAnswer = answered.body
        outcome = answer["outcome"]
        self._position = answer["position"]
        tenure.answered(answer["session"])
        if operation == "releaseOwnership":
            tenure.close("released")
        elif outcome == "ending":
            tenure.drains(drain_seconds, answered.sent_at)
        elif operation == "endSession" and outcome != "unchanged":
            tenure.close("ended")
        elif outcome in ("already-rotated", "already-recovered"):
            tenure.take_up(answer)
        elif outcome in TIMER_OUTCOMES and not answered.is_old:
            tenure.renewed(self.epoch, answered.sent_at)

    def _failed(self, operation: str, error: LedgerError | asyncio.CancelledError) -> None:
        tenure = self._tenure
        is_unknown = error.outcome_unknown if isinstance(error, LedgerError) else True
        if is_unknown and changes_epoch(operation):
            tenure.lose("unknown-outcome", None)
        elif isinstance(error, LedgerProblem) and tenure.state == "held":
            why = loss_of_refusal(tenure.held, error)
            if why:
                tenure.lose(why, error.current)
