"""The event loop behind the clients for threads."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ..errors import ClientForked

T = TypeVar("T")


class Portal:
    """One event loop in a thread of its own, for all clients of this process: renewals and waits go on in it.

    They do so whatever the other threads are busy with. It ends with the process.
    """

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self._loop.run_forever, name="session-ledger", daemon=True)
        self._thread = thread
        thread.start()

    @property
    def is_here(self) -> bool:
        """Whether it belongs to this process, and not to the parent that forked it."""
        return self._pid == os.getpid()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Waits for what comes of it. Ctrl-C, or whatever else ends the wait, cancels it."""
        if not self.is_here:
            work.close()
            raise ClientForked
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("a listener would wait for itself: call the ledger from a thread of yours")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def call(self, work: Callable[[], T]) -> T:
        """Calls a function in the loop's thread."""

        async def called() -> T:
            return work()

        return self.run(called())


_lock = threading.Lock()
_portal: Portal | None = None


def portal() -> Portal:
    """The one of this process."""
    global _portal
    with _lock:
        if _portal is None or not _portal.is_here:
            _portal = Portal()
        return _portal


def _unlock() -> None:
    """In a child another thread of the parent may have held it."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock)
