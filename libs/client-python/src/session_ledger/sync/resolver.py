"""Says which session a call is for, for threads."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ..calls.options import CallOptions
from ..context import current_context
from ..errors import LedgerError
from ..reference import NamesSession, Realm, SessionName, SessionReference
from ..resolver import (
    CallSessions,
    Context,
    Resolved,
    Rules,
    answered,
    named,
    no_automatic,
    question,
    refused,
)
from .client import LedgerClient

if TYPE_CHECKING:
    from typing_extensions import Unpack

Target = TypeVar("Target")


class SessionResolver:
    """As `session_ledger.SessionResolver`, from any thread."""

    def __init__(
        self,
        ledger: LedgerClient | None = None,
        *,
        realm: Realm | None = None,
        context: Context | None = current_context,
        automatic: Callable[[], NamesSession] | None = None,
    ) -> None:
        """`automatic`: starts this process's session, for calls without one; once, and again only if it raised."""
        self._ledger = ledger
        self._rules = Rules(ledger, realm, context)
        self._start = automatic
        self._automatic: NamesSession | None = None
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def resolve(self, call: CallSessions | None = None, **how: Unpack[CallOptions]) -> Resolved:
        """Raises SessionMismatch, LookupError and LedgerError, as with asyncio. `how`: of the question, if one is."""
        call = call or CallSessions()
        candidates = self._rules.candidates(call)
        if not candidates:
            candidates.append(named(self._automatically(), "automatic"))
        found = self._rules.decide(call, candidates)
        if isinstance(found, Resolved):
            return found
        try:
            assert self._ledger is not None
            return answered(found, self._ledger.call("resolve", question(found), **how))
        except LedgerError as error:
            raise refused(candidates, error) from error

    def open(
        self,
        reference: SessionReference[Target],
        call: CallSessions | None = None,
        **how: Unpack[CallOptions],
    ) -> Target:
        """What a reference leads to, in its own session only: the call's others have to agree, also with override."""
        call = call or CallSessions()
        whole = CallSessions(call.option, [reference, *call.references])
        return self._rules.opened(reference, self.resolve(whole, **how))

    def refer(self, session: NamesSession, target: Target) -> SessionReference[Target]:
        """A reference to something of a session, to be opened with this resolver or one of the same realm."""
        return SessionReference(SessionName.of(session), self._rules.realm, target)

    def _automatically(self) -> NamesSession:
        if self._start is None:
            raise no_automatic()
        if self._pid != os.getpid():  # that one is the parent's, and one of its threads may have held the lock
            self._pid, self._automatic, self._lock = os.getpid(), None, threading.Lock()
        with self._lock:
            if self._automatic is None:
                self._automatic = self._start()
            return self._automatic
