"""Until when a lease holds for certain."""

from __future__ import annotations

import math

from ..calls.clock import now
from ..generated.models import Session

_DRIFT = 0.01
"""What two good clocks may differ in a second: 1 % is twenty times what NTP corrects at most."""


class LocalLease:
    """Counted by a clock that nobody sets, from before the request was sent that started or renewed it.

    The ledger counts from later, so it lasts longer there.
    """

    def __init__(self) -> None:
        self._until = -math.inf
        self.seconds = math.inf
        """The ledger's own length of the lease; infinite for a session without."""

    @property
    def left(self) -> float:
        """Seconds that are left for certain."""
        return self._until - now()

    @property
    def is_over(self) -> bool:
        """Whether it could be over."""
        return self.left <= 0

    def renewed(self, session: Session, sent_at: float) -> None:
        """The ledger has started it anew, on a request sent at `sent_at`."""
        self._terms(session)
        self._until = max(self._until, sent_at + self.seconds * (1 - _DRIFT))

    def doubted(self, session: Session) -> None:
        """The session may be running on a lease of unknown age."""
        self._terms(session)
        self._until = -math.inf if "lease" in session else math.inf

    def drains(self, seconds: float, sent_at: float) -> None:
        """The session drains: it lasts so many seconds from when that was asked for, and nothing renews it."""
        self._until = sent_at + seconds * (1 - _DRIFT)

    def _terms(self, session: Session) -> None:
        lease = session.get("lease")
        self.seconds = math.inf if lease is None else float(lease["seconds"])
