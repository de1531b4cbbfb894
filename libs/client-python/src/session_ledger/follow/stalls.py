"""Compares what was handled with how far the ledger was: how old that is, and whether the source gives it at all."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

_MOST_PATIENCE = 8
"""Most looks that a source which is opened anew, over and over, may take to give something."""


class Behind(NamedTuple):
    """A partition of which the ledger has more than was handled."""

    partition: int
    handled: int
    """The last sequence handled."""
    head: int
    """The last that the ledger has."""


class Stalled(Exception):
    """The source has given nothing of what the ledger had for a whole look's time: it is read from the feed."""

    def __init__(self, partitions: Sequence[Behind]) -> None:
        shown = ", ".join(
            f"partition {one.partition} is at {one.handled} and the ledger at {one.head}" for one in partitions[:4]
        )
        more = f", and {len(partitions) - 4} more" if len(partitions) > 4 else ""
        super().__init__(f"the source gives nothing, though there is more: {shown}{more}; reading it from the feed")
        self.partitions = partitions


class Look(NamedTuple):
    """How far the ledger was when it was asked, by `now()`."""

    at: float
    heads: Sequence[int]


class _Last(NamedTuple):
    look: Look
    positions: list[int]
    busy: float


class StallWatch:
    """`positions` moves on; `busy` tells how long the handler had the events, which is not the source's time."""

    def __init__(self, positions: Sequence[int], busy: Callable[[], float]) -> None:
        self._positions = positions
        self._busy = busy
        self._caught_up_at = -math.inf
        self._ahead: Look | None = None
        self._last: _Last | None = None
        self._stalled_looks = 0
        self._patience = 1

    @property
    def caught_up_at(self) -> float:
        """The latest moment known, as of which all that the ledger had is handled."""
        ahead = self._ahead
        if ahead is not None and all(
            position >= head for position, head in zip(self._positions, ahead.heads, strict=False)
        ):
            self._caught_up_at = ahead.at
            self._ahead = None
        return self._caught_up_at

    def saw(self, look: Look) -> None:
        """How far the ledger was, when it was asked."""
        # The oldest that is not reached is kept: somebody who lags by a constant time reaches one after the other.
        if self.caught_up_at < look.at and self._ahead is None:
            self._ahead = look

    def look(self, look: Look) -> list[Behind]:
        """The partitions in which nothing moved since the last look, though there was more, and time for it."""
        last, busy = self._last, self._busy()
        self._last = _Last(look, list(self._positions), busy)
        stalled: list[Behind] = []
        if last is not None and busy - last.busy < (look.at - last.look.at) / 2:
            stalled = [
                Behind(partition, handled, look.heads[partition])
                for partition, handled in enumerate(self._positions)
                if handled == last.positions[partition] and handled < last.look.heads[partition]
            ]
        if not stalled:
            self._stalled_looks, self._patience = 0, 1
        return stalled

    def is_time_to_reopen(self) -> bool:
        """Whether the source had its time: each opening gives the next one more, so that a slow one comes to it."""
        self._stalled_looks += 1
        if self._stalled_looks < self._patience:
            return False
        self._stalled_looks = 0
        self._patience = min(_MOST_PATIENCE, 2 * self._patience)
        return True
