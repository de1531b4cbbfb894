"""Starts, keeps and follows sessions of a Session Ledger, with asyncio; `session_ledger.sync`: the same for threads.

Start reading in client.py; follow/follower.py is the other half.
"""

from . import models
from .calls.credentials import Headers, Token
from .calls.options import CallOptions
from .calls.signal import Signal
from .canonical import canonical_json, fingerprint
from .client import LedgerClient
from .context import current_context, in_session
from .errors import (
    ClientBusy,
    ClientForked,
    CredentialError,
    LedgerError,
    LedgerProblem,
    NoAnswer,
    UnexpectedAnswer,
    is_problem,
)
from .fence import Fence, FenceFull, FenceSql, fence_sql
from .follow.event import BadEvent, FollowedEvent
from .follow.follower import Follower
from .follow.handler import FollowedTo
from .follow.replica import CurrentReplica, ReplicaFull
from .follow.sequencer import FollowerCounts, Gap
from .follow.source import EventSource, FeedSource, FollowerStopped, Reading, StopCode
from .follow.stalls import Behind, Stalled
from .guards import SessionGuards
from .owned.gate import HeldState, NotHeld
from .owned.loss import Loss, LossReason
from .owned.session import Guarded, OwnedSession
from .reference import NamesSession, Realm, SessionName, SessionReference
from .resolver import (
    CallSessions,
    Candidate,
    CandidateSource,
    Option,
    Resolved,
    SessionMismatch,
    SessionResolver,
)
from .scope import ScopeName, partition_of, scope_key
from .signals import release_on_signal

__all__ = [
    "BadEvent",
    "Behind",
    "CallOptions",
    "CallSessions",
    "Candidate",
    "CandidateSource",
    "ClientBusy",
    "ClientForked",
    "CredentialError",
    "CurrentReplica",
    "EventSource",
    "FeedSource",
    "Fence",
    "FenceFull",
    "FenceSql",
    "FollowedEvent",
    "FollowedTo",
    "Follower",
    "FollowerCounts",
    "FollowerStopped",
    "Gap",
    "Guarded",
    "Headers",
    "HeldState",
    "LedgerClient",
    "LedgerError",
    "LedgerProblem",
    "Loss",
    "LossReason",
    "NamesSession",
    "NoAnswer",
    "NotHeld",
    "Option",
    "OwnedSession",
    "Reading",
    "Realm",
    "ReplicaFull",
    "Resolved",
    "ScopeName",
    "SessionGuards",
    "SessionMismatch",
    "SessionName",
    "SessionReference",
    "SessionResolver",
    "Signal",
    "Stalled",
    "StopCode",
    "Token",
    "UnexpectedAnswer",
    "canonical_json",
    "current_context",
    "fence_sql",
    "fingerprint",
    "in_session",
    "is_problem",
    "models",
    "partition_of",
    "release_on_signal",
    "scope_key",
]
