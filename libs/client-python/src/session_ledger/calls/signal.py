"""What tells running work to stop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

from .told import OnTrouble, tell


class Signal:
    """Is set once, with the reason. May be looked at and waited for in any thread."""

    def __init__(self, on_trouble: OnTrouble = lambda _: None) -> None:
        """`on_trouble`: hears what a listener raises. No listener keeps others from being told."""
        self._on_trouble = on_trouble
        self._lock = threading.Lock()
        self._reason: BaseException | None = None
        self._listeners: list[Callable[[BaseException], object]] = []

    @property
    def is_set(self) -> bool:
        """Whether what it stands for is over."""
        return self._reason is not None

    @property
    def reason(self) -> BaseException | None:
        """Why it was set."""
        return self._reason

    def raise_if_set(self) -> None:
        """Raises the reason, if there is one."""
        if self._reason is not None:
            raise self._reason

    def set(self, reason: BaseException) -> None:
        """Tells everybody who listens, once."""
        with self._lock:
            if self._reason is not None:
                return
            self._reason = reason
            listeners, self._listeners = self._listeners, []
        for listener in listeners:
            tell(listener, reason, self._on_trouble)

    def on_set(self, listener: Callable[[BaseException], object]) -> Callable[[], None]:
        """Calls `listener` once with the reason; at once, if it is set. Returns how to stop listening."""
        with self._lock:
            reason = self._reason
            if reason is None:
                self._listeners.append(listener)
        if reason is not None:
            tell(listener, reason, self._on_trouble)
        return lambda: self._forget(listener)

    async def wait(self) -> BaseException:
        """Waits in asyncio until it is set; returns the reason."""
        loop = asyncio.get_running_loop()
        told = asyncio.Event()

        def heard(_: BaseException) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits there any more
                loop.call_soon_threadsafe(told.set)

        stop = self.on_set(heard)
        try:
            await told.wait()
        finally:
            stop()
        assert self._reason is not None
        return self._reason

    def wait_blocking(self, timeout: float | None = None) -> BaseException | None:
        """Waits in a thread until it is set, for `timeout` seconds at most; returns the reason, if there is one."""
        told = threading.Event()
        stop = self.on_set(lambda _: told.set())
        try:
            told.wait(timeout)
        finally:
            stop()
        return self._reason

    def _forget(self, listener: Callable[[BaseException], object]) -> None:
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)
