"""Releases what is held before a signal ends the process, for threads."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from .client import LedgerClient


def release_on_signal(ledger: LedgerClient, number: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """Releases what the client holds, for at most 3 s, then lets the signal take its course.

    Called in the main thread. Returns how to stop that.
    """
    before = signal.getsignal(number)

    def on_signal(*_: object) -> None:
        ledger.release_all()
        ledger.close()
        stop()
        os.kill(os.getpid(), number)

    def stop() -> None:
        signal.signal(number, before)

    signal.signal(number, on_signal)
    return stop
