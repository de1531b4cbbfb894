"""The client for threads: the same names, promises and arguments as in `session_ledger`, without await.

It is the asyncio client on an event loop in a thread of its own (portal.py). What does not wait, such as Fence, is in
`session_ledger`.
"""

from .client import LedgerClient
from .follower import CurrentReplica, Follower
from .resolver import SessionResolver
from .session import OwnedSession
from .signals import release_on_signal

__all__ = ["CurrentReplica", "Follower", "LedgerClient", "OwnedSession", "SessionResolver", "release_on_signal"]
