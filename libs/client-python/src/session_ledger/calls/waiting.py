"""Backoff, and a deadline for what is awaited."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")


def backoff(failures: int, first: float = 0.05, most: float = 5.0) -> float:
    """Seconds before the next attempt: anything up to a limit that doubles (M. Brooker, Exponential Backoff, 2015)."""
    return min(most, first * 2 ** min(failures, 20)) * random.random()


if sys.version_info >= (3, 11):
    timeout = asyncio.timeout
else:

    class timeout:
        """Cancels the block after so many seconds, and raises TimeoutError in its place."""

        def __init__(self, delay: float) -> None:
            self._delay = delay
            self._is_over = False

        async def __aenter__(self) -> timeout:
            task = asyncio.current_task()
            assert task is not None
            self._task = task
            self._timer = asyncio.get_running_loop().call_later(self._delay, self._expire)
            return self

        def _expire(self) -> None:
            self._is_over = True
            self._task.cancel()

        async def __aexit__(
            self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
        ) -> None:
            self._timer.cancel()
            if self._is_over and kind is asyncio.CancelledError:
                raise TimeoutError from error


class Tasks:
    """What runs beside its caller: held while it runs, so that nobody collects it, and ended together."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Runs it in a task of its own."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def cancel(self) -> None:
        """Ends them all, and waits until they have."""
        tasks = list(self._running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def ended(task: asyncio.Task[Any], seconds: float) -> None:
    """Cancels a task and waits for its end, so many seconds at most. Raises nothing of the task's."""
    task.cancel()
    await asyncio.wait([task], timeout=seconds)
