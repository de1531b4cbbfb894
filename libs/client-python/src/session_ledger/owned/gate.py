"""Lets guarded work begin while a session is held and its lease covers it."""

from __future__ import annotations

import asyncio
import math
import os
import threading
from typing import Literal

from ..calls.clock import LONGEST_TIMER
from ..calls.signal import Signal
from ..calls.told import OnTrouble
from .lease import LocalLease
from .loss import Loss

HeldState = Literal["held", "lost", "released", "ended", "forked"]
"""`held`: its owner's, as far as this process knows. The rest is for good. `forked`: it is the parent process's."""


class NotHeld(Exception):
    """Guarded work was not begun, or has to stop: the session is not held, or nobody can tell."""

    why: Literal["lost", "released", "ended", "lease-over", "not-here", "forked"]
    """`lease-over`: by this process's clock it could be, and a renewal may still save it. `not-here`: no such session
    here. `forked`: it is the parent process's."""
    loss: Loss | None
    """For `lost`, once it is known how: within 60 ms."""

    def __init__(
        self,
        why: Literal["lost", "released", "ended", "lease-over", "not-here", "forked"],
        loss: Loss | None = None,
    ) -> None:
        super().__init__(f"the session is not held: {f'lost, {loss.why}' if loss else why}")
        self.why = why
        self.loss = loss


class Gate:
    """Guarded work begins here in whichever thread it is asked for, and hears here when it has to stop."""

    def __init__(self, lease: LocalLease, on_trouble: OnTrouble) -> None:
        self._lease = lease
        self._on_trouble = on_trouble
        self._loop = asyncio.get_running_loop()
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._shut: NotHeld | None = None
        self._running = 0
        self._stop = Signal(on_trouble)
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> Signal:
        """Raises NotHeld, or counts one that runs; nothing comes between the look at the clock and the caller."""
        if os.getpid() != self._pid:
            raise NotHeld("forked")
        with self._lock:
            self._running += 1
            stop = self._stop
        self._moved()
        if self._shut is None and not self._lease.is_over:
            return stop
        self.end()
        raise self._shut or NotHeld("lease-over")

    def end(self) -> None:
        """One is done that had begun."""
        with self._lock:
            self._running -= 1
        self._moved()

    def shut(self, reason: NotHeld) -> None:
        """Nothing begins any more; what runs is told so. The last reason is what later calls are refused with."""
        self._shut = reason
        self.lease_moved()
        self._stop.set(reason)

    def lease_moved(self) -> None:
        """What runs is told when the lease could be over. Without anything running there is no timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        left = self._lease.left
        if self._running == 0 or self._shut is not None or left == math.inf:
            return
        self._timer = self._loop.call_later(min(max(0.0, left), LONGEST_TIMER), self._look)

    def _look(self) -> None:
        if not self._lease.is_over:
            return self.lease_moved()
        with self._lock:
            # The new one: for what begins after a renewal that came late.
            over, self._stop = self._stop, Signal(self._on_trouble)
        over.set(NotHeld("lease-over"))

    def _moved(self) -> None:
        if self._lease.seconds == math.inf and self._lease.left == math.inf:
            return  # no timer, and none to come
        try:
            is_here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            is_here = False
        if is_here:
            self.lease_moved()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.lease_moved)
