"""A clock that nobody sets, for leases and deadlines."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

_AWAKE = 0.1
"""How far the wall clock may run ahead of the other one without anybody having slept, in seconds."""

LONGEST_TIMER = 1.0
"""Timers may stand still while the machine is suspended: one that has to notice looks this often."""


def _steady() -> float:
    """Linux has a monotonic clock that goes on while the machine is suspended; others may stand still."""
    boottime: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


class SteadyClock:
    """Seconds that never go back, and go on while the machine is suspended.

    Where the system has no such clock, the wall clock tells of the suspension. It can be set, though: so whatever it
    gains counts as sleep, and what it loses counts for nothing. A lease is then taken to be older than it is at worst.
    """

    def __init__(self, steady: Callable[[], float] = _steady, wall: Callable[[], float] = lambda: time.time()) -> None:
        self._steady = steady
        self._wall = wall
        self._lock = threading.Lock()
        self._ahead = math.nan
        self._slept = 0.0

    def now(self) -> float:
        """The moment, in seconds."""
        awake = self._steady()
        gap = self._wall() - awake
        if self._ahead <= gap <= self._ahead + _AWAKE:
            return awake + self._slept  # no news: what is lost to rounding adds up to nothing
        with self._lock:
            if gap > self._ahead + _AWAKE:
                self._slept += gap - self._ahead
            self._ahead = gap
            return awake + self._slept


_clock = SteadyClock()
now = _clock.now


def by_monotonic(moment: float) -> float:
    """A moment of `now()` by `time.monotonic()`: as long ago as it is."""
    return time.monotonic() - (now() - moment)
