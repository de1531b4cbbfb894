"""What a process knows of its ownership."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from ..calls.signal import Signal
from ..calls.told import OnTrouble, tell
from ..calls.transport import Answered, Transport
from ..calls.waiting import Tasks
from ..errors import LedgerProblem
from ..generated.models import CommandAnswer, Owner, Session
from .commands import OwnCommands
from .gate import Gate, HeldState, NotHeld
from .lease import LocalLease
from .loss import Held, Loss, Seen, Verdict, is_foreign, loss_of, loss_of_refusal, loss_of_restored
from .renewals import Renewals, is_kept_by_heartbeat
from .watch import end_cause_of


@dataclass(frozen=True)
class Keeper:
    """What a tenure needs of the client whose it is."""

    transport: Transport
    renewals: Renewals
    tasks: Tasks
    on_trouble: OnTrouble
    moved: Callable[[str, str], object]
    """The session was rotated: it is another one now."""
    forget: Callable[[str], object]
    """The session is not held any more."""


class Tenure:
    """From the answer that began it until it is given up or lost.

    Answers, renewals and what is seen of the scope come in here; here alone is decided that the session is lost.
    """

    def __init__(self, keeper: Keeper, owner: Owner, answered: Answered) -> None:
        session: Session = answered.body["session"]
        self.commands = OwnCommands()
        self.owner = owner
        self.view = session
        """The session as the ledger last told it."""
        self.revision = session["revision"]
        """The latest revision of the scope that was seen: what the ledger need not tell again."""
        self.state: HeldState = "held"
        self.loss: Loss | None = None
        self.signal = Signal(keeper.on_trouble)
        """Is set when the tenure is over; when it was lost, once it is known how."""
        self._keeper = keeper
        self._lease = LocalLease()
        self.gate = Gate(self._lease, keeper.on_trouble)
        self._listeners: list[Callable[[Loss], object]] = []
        # How old the lease is that an answer did not start, only a renewal tells.
        if answered.is_old or answered.body["outcome"] == "unchanged":
            self._doubt()
        else:
            self._lease.renewed(session, answered.sent_at)
            if is_kept_by_heartbeat(session):
                keeper.renewals.keep(self, answered.sent_at)

    @property
    def held(self) -> Held:
        """Its session and epoch."""
        return Held(self.view["sessionId"], self.view["epoch"])

    @property
    def left(self) -> float:
        """Seconds of the lease that are left for certain."""
        return self._lease.left

    @property
    def lease_seconds(self) -> float:
        """The ledger's own length of the lease."""
        return self._lease.seconds

    def on_lost(self, listener: Callable[[Loss], object]) -> Callable[[], None]:
        """Calls it once, when the session is lost; soon, when it is lost already. Returns how to stop that."""
        loss = self.loss
        if loss is not None:
            asyncio.get_running_loop().call_soon(tell, listener, loss, self._keeper.on_trouble)
        else:
            self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def renewed(self, epoch: int, sent_at: float) -> None:
        """The lease was renewed under `epoch`, by a request that was sent at `sent_at`."""
        if epoch != self.view["epoch"] or self.state != "held" or self.view["status"] == "ending":
            return
        self._lease.renewed(self.view, sent_at)
        self.gate.lease_moved()

    def refused(self, named: Held, problem: LedgerProblem) -> None:
        """The ledger has refused to renew what it was named."""
        if problem.code == "session-ending":
            self._keeper.renewals.drop(self)
        self._judge(problem.current, lambda held: loss_of_refusal(held, problem) if named == held else None)

    def seen(self, seen: Seen) -> None:
        """What the ledger says of the scope."""
        if seen.known:
            self.revision = max(self.revision, seen.known["revision"])
        self._judge(seen.current, lambda held: loss_of(held, seen))

    def restored(self, seen: Seen) -> None:
        """The ledger was restored: what it knows counts, though it is less than was seen before."""
        if self.state != "held" or not self.commands.is_idle:
            return  # it is told again
        why = loss_of_restored(self.held, seen)
        if why:
            return self.lose(why, seen.current)
        self.view = seen.current or self.view
        self.revision = self.view["revision"]

    def answered(self, session: Session) -> None:
        """What an own command made of the session."""
        before = self.view["sessionId"]
        self.revision = max(self.revision, session["revision"])
        if session["revision"] >= self.view["revision"]:
            self.view = session
        if self.view["sessionId"] != before:
            self._keeper.moved(before, self.view["sessionId"])

    def drains(self, seconds: float | None, sent_at: float) -> None:
        """It drains: for so many seconds from then on, or for what is left when it did before. Nothing renews it."""
        self._keeper.renewals.drop(self)
        if seconds is not None:
            self._lease.drains(seconds, sent_at)
        self.gate.lease_moved()

    def take_up(self, answer: CommandAnswer) -> None:
        """A rotation or recovery that was asked for before: is its successor still this owner's?"""
        session = answer["session"]
        if session["status"] == "ended":
            self.lose(session.get("endCause", "ended"), answer.get("current"))
        elif "owner" not in session or is_foreign(self.owner, session):
            self.lose("claimed", session)
        else:
            self._doubt()

    def lose(self, why: Verdict, current: Session | None) -> None:
        """Shuts the gate at once; tells once it is known how the session was lost."""
        held = self.held
        self.close("lost")
        if why == "ask":
            self._keeper.tasks.start(self._ask(held, current))
        elif why is not None:
            self._lost(Loss(why, held.session_id, held.epoch, current))

    def close(self, state: HeldState) -> None:
        """Nothing begins any more, and nothing is renewed."""
        assert state != "held"
        self.state = state
        reason = NotHeld(state)
        self.gate.shut(reason)
        self._keeper.renewals.drop(self)
        self._keeper.forget(self.view["sessionId"])
        if state != "lost":
            self.signal.set(reason)

    async def _ask(self, held: Held, current: Session | None) -> None:
        why = await end_cause_of(self._keeper.transport, held.session_id)
        self._lost(Loss(why, held.session_id, held.epoch, current))

    def _lost(self, loss: Loss) -> None:
        self.loss = loss
        reason = NotHeld("lost", loss)
        self.gate.shut(reason)
        self.signal.set(reason)
        listeners, self._listeners = self._listeners, []
        for listener in listeners:
            tell(listener, loss, self._keeper.on_trouble)

    def _doubt(self) -> None:
        """The lease is of unknown age: it counts once it was renewed."""
        self._lease.doubted(self.view)
        if is_kept_by_heartbeat(self.view):
            self._keeper.renewals.keep(self)

    def _judge(self, current: Session | None, judge: Callable[[Held], Verdict]) -> None:
        """Own changes look like somebody's until they are answered: only then is judged what was seen."""
        commands = self.commands
        if not commands.is_idle and (commands.leave or not is_foreign(self.owner, current)):
            self._keeper.tasks.start(self._judge_later(current, judge))
        else:
            self._decide(current, judge)

    async def _judge_later(self, current: Session | None, judge: Callable[[Held], Verdict]) -> None:
        await self.commands.done()
        self._decide(current, judge)

    def _decide(self, current: Session | None, judge: Callable[[Held], Verdict]) -> None:
        if self.state != "held":
            return
        why = judge(self.held)
        if why:
            self.lose(why, current)
        else:
            self._learn(current)

    def _learn(self, seen: Session | None) -> None:
        """Takes over what somebody else has changed without touching the ownership."""
        if seen is None or (seen["sessionId"], seen["epoch"]) != self.held:
            return
        if seen["revision"] <= self.view["revision"]:
            return
        self.view = seen
        if seen["status"] == "ending":
            self._keeper.renewals.drop(self)
