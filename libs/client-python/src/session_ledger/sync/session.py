"""A session of this process, for threads."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from ..calls.options import CallOptions
from ..calls.signal import Signal
from ..generated.models import (
    CommandAnswer,
    OwnEndBody,
    Owner,
    OwnReleaseBody,
    OwnRotateBody,
    Position,
    Session,
)
from ..owned import session as asynchronous
from ..owned.gate import HeldState
from ..owned.loss import Loss
from ..owned.session import Guarded
from .portal import Portal

if TYPE_CHECKING:
    from typing_extensions import Unpack

T = TypeVar("T")


class OwnedSession:
    """As `session_ledger.OwnedSession`, from any thread: it renews itself whatever its threads are busy with.

    At the end of a `with` block it is released.
    """

    def __init__(self, inner: asynchronous.OwnedSession, portal: Portal) -> None:
        """Made by the client only."""
        self._inner = inner
        self._portal = portal

    @property
    def owner(self) -> Owner:
        """Who holds it."""
        return self._inner.owner

    @property
    def session_id(self) -> str:
        """Of the session that is held now: another one after a rotation."""
        return self._inner.session_id

    @property
    def epoch(self) -> int:
        """The fencing token: show it wherever you write on behalf of the session."""
        return self._inner.epoch

    @property
    def view(self) -> Session:
        """The session as the ledger last told it."""
        return self._inner.view

    @property
    def position(self) -> Position:
        """Of the last change that was made through this handle."""
        return self._inner.position

    @property
    def state(self) -> HeldState:
        """Whether it is held, as far as this process knows."""
        return self._inner.state

    @property
    def loss(self) -> Loss | None:
        """How it was lost, once that is known."""
        return self._inner.loss

    @property
    def left(self) -> float:
        """Seconds of the lease that are left for certain; infinite without one, not above 0 when it could be over."""
        return self._inner.left

    @property
    def signal(self) -> Signal:
        """Is set when the session is lost, released or ended: `signal.wait_blocking()`."""
        return self._inner.signal

    def on_lost(self, listener: Callable[[Loss], object]) -> Callable[[], None]:
        """Calls `listener` once, when the session is lost, in the client's thread: it has to return at once."""
        stop = self._portal.call(lambda: self._inner.on_lost(listener))
        return lambda: self._portal.call(stop)

    @contextmanager
    def guarded(self) -> Generator[Guarded, None, None]:
        """Runs the block in this thread if the session is held; after a rotation, release or end under way.

        Raises NotHeld otherwise, before the block: also when the lease could be over by this process's own clock.
        """
        if self._portal.is_here and self._inner.is_changing:
            self._portal.run(self._inner.settled())
        guarded, done = self._inner.begin()
        try:
            yield guarded
        finally:
            done()

    def run(self, work: Callable[[Guarded], T]) -> T:
        """Calls `work` as a guarded block."""
        with self.guarded() as guarded:
            return work(guarded)

    def activate(self, **how: Unpack[CallOptions]) -> CommandAnswer:
        """Confirms a session that was started in phase `starting`."""
        return self._portal.run(self._inner.activate(**how))

    def rotate(self, body: OwnRotateBody, **how: Unpack[CallOptions]) -> CommandAnswer:
        """Replaces the session by a successor, which this handle holds from then on."""
        return self._portal.run(self._inner.rotate(body, **how))

    def change_attributes(self, attributes: dict[str, Any], **how: Unpack[CallOptions]) -> CommandAnswer:
        """Merges a JSON merge patch (RFC 7396) into the attributes."""
        return self._portal.run(self._inner.change_attributes(attributes, **how))

    def release(self, body: OwnReleaseBody | None = None, **how: Unpack[CallOptions]) -> CommandAnswer:
        """Lets go without ending the session: it stays current, for another owner to claim."""
        return self._portal.run(self._inner.release(body, **how))

    def end(self, body: OwnEndBody, **how: Unpack[CallOptions]) -> CommandAnswer:
        """Ends the session; with `drainSeconds` it stays held until it is ended once more, without."""
        return self._portal.run(self._inner.end(body, **how))

    def command(
        self, operation: str, body: Mapping[str, Any] | None = None, **how: Unpack[CallOptions]
    ) -> CommandAnswer:
        """Any command of the owner, by its operation in /openapi.json.

        The session's id and epoch, and the owner, are added.
        """
        return self._portal.run(self._inner.command(operation, body, **how))

    def touch(self, **how: Unpack[CallOptions]) -> None:
        """A sign of use, for a lease with `renewOn: 'use'`."""
        self._portal.run(self._inner.touch(**how))

    def abandon(self) -> None:
        """Stops renewing and watching, and leaves the session to its lease."""
        self._portal.call(self._inner.abandon)

    def __enter__(self) -> OwnedSession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Releases the session if it is still held. In a child of its process it is left to the parent."""
        if self._portal.is_here:
            self._portal.run(self._inner.__aexit__(kind, error, trace))
