"""For services that serve sessions without owning them."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

from .owned.gate import NotHeld

Resource = TypeVar("Resource")


class SessionGuards(Generic[Resource]):
    """What a process keeps for its sessions, each under its session's id and never under a user's.

    Whoever names a session reaches that one or none. May be used in any thread.
    """

    def __init__(self, *, most: int = 100_000) -> None:
        """`most`: sessions; the next one is refused with a ValueError."""
        self._resources: dict[str, Resource] = {}
        self._most = most
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._resources)

    def add(self, session_id: str, resource: Resource) -> None:
        """Keeps what belongs to a session. An id is never used for two sessions, so adding it twice is an error."""
        key = session_id.lower()
        with self._lock:
            if key in self._resources:
                raise ValueError("the session is known already")
            if len(self._resources) >= self._most:
                raise ValueError(f"{self._most} sessions are known")
            self._resources[key] = resource

    def remove(self, session_id: str) -> Resource | None:
        """What belonged to the session, which is not reached any more; None when there is none such."""
        with self._lock:
            return self._resources.pop(session_id.lower(), None)

    def of(self, session_id: str) -> Resource:
        """What belongs to this very session. Raises NotHeld, `not-here`, when there is none."""
        try:
            return self._resources[session_id.lower()]
        except KeyError:
            raise NotHeld("not-here") from None
