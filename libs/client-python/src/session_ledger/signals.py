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
        await ledger.release_all()
        await ledger.close()
        stop()
        os.kill(os.getpid(), number)

    def stop() -> None:
        loop.remove_signal_handler(number)

    loop.add_signal_handler(number, lambda: tasks.start(release()))
    return stop
