"""Releases what is held before a signal ends the process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

from .calls.waiting import Tasks
from .client import LedgerClient


def release_on_signal(ledger: LedgerClient, number: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """Releases what the client holds, for at most 3 s, then lets the signal take its course.

    For the running event loop, in the main thread. Returns how to stop that.
    """
    loop = asyncio.get_running_loop()
    tasks = Tasks()

    async def release() -> None:
        try:
            await ledger.release_all()
            await ledger.close()
        finally:
            stop()
            # A handler of the loop's own has heard the signal already, and ends the process in its own way.
            if number not in getattr(loop, "_signal_handlers", {}):
                os.kill(os.getpid(), number)

    def on_signal(*_: object) -> None:
        loop.call_soon_threadsafe(lambda: tasks.start(release()))

    def stop() -> None:
        signal.signal(number, before)

    # Not by the loop: that could not give back what the program had set before.
    before = signal.getsignal(number)
    signal.signal(number, on_signal)
    return stop
