"""One ledger, as a process with threads uses it."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from .. import client as asynchronous
from ..calls.credentials import Headers, Token
from ..calls.options import CallOptions
from ..generated.calls import Calls
from ..generated.models import (
    ClaimRequest,
    CommandAnswer,
    EndBody,
    JoinRequest,
    LedgerEvent,
    Session,
    SessionWithRefusals,
    StartBody,
)
from ..owned.gate import NotHeld
from ..owned.session import Guarded
from ..reference import NamesSession
from ..scope import ScopeName
from .portal import portal
from .session import OwnedSession

if TYPE_CHECKING:
    from typing_extensions import Unpack

T = TypeVar("T")

_PAGE = 500


class LedgerClient(Calls):
    """As `session_ledger.LedgerClient`, from any thread. Every method waits for what comes of it."""

    def __init__(
        self,
        url: str,
        *,
        token: Token | None = None,
        headers: Headers | None = None,
        deadline: float = 30.0,
        attempt: float = 12.0,
        max_calls: int = 1_000,
        max_sessions: int = 10_000,
        max_watches: int = 1_000,
        gather: bool = True,
        on_trouble: Callable[[BaseException], object] = lambda _: None,
        verify: ssl.SSLContext | bool = True,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """What the parameters mean stands at `session_ledger.LedgerClient`.

        `token`, `headers` and `on_trouble` are called in the client's thread: they have to return soon.
        """
        self._portal = portal()
        self.asynchronous = asynchronous.LedgerClient(
            url,
            token=token,
            headers=headers,
            deadline=deadline,
            attempt=attempt,
            max_calls=max_calls,
            max_sessions=max_sessions,
            max_watches=max_watches,
            gather=gather,
            on_trouble=on_trouble,
            verify=verify,
            transport=transport,
        )
        """The client behind this one: for the loop's thread alone."""

    @property
    def url(self) -> str:
        """The ledger's address."""
        return self.asynchronous.url

    @property
    def held(self) -> list[OwnedSession]:
        """The sessions that are held now."""
        return [OwnedSession(one, self._portal) for one in self.asynchronous.held]

    def holds(self, one: NamesSession) -> bool:
        """Whether this client holds exactly this session, under this epoch and on a lease that is not over."""
        return self._portal.is_here and self.asynchronous.holds(one)

    def start(self, body: StartBody, **how: Unpack[CallOptions]) -> OwnedSession:
        """Starts a session and holds it. Raises `session-active` under `onConflict: 'reject'`."""
        return OwnedSession(self._portal.run(self.asynchronous.start(body, **how)), self._portal)

    def claim(self, body: ClaimRequest, **how: Unpack[CallOptions]) -> OwnedSession:
        """Takes over a released session, or takes up one's own again after a restart, and holds it."""
        return OwnedSession(self._portal.run(self.asynchronous.claim(body, **how)), self._portal)

    def join(self, body: JoinRequest, **how: Unpack[CallOptions]) -> CommandAnswer:
        """Gets the scope's session, or starts one: for those who use it together. Nothing renews it."""
        return self._portal.run(self.asynchronous.join(body, **how))

    def current(self, scope: ScopeName, **how: Unpack[CallOptions]) -> Session | None:
        """The current session; None when none is."""
        return self._portal.run(self.asynchronous.current(scope, **how))

    def session(self, session_id: str, **how: Unpack[CallOptions]) -> SessionWithRefusals:
        """Any session, also one that has ended. Raises `unknown-session`."""
        return self._portal.run(self.asynchronous.session(session_id, **how))

    def end(self, session_id: str, body: EndBody, **how: Unpack[CallOptions]) -> CommandAnswer:
        """Ends a session that this client need not hold. A stop that is too late changes nothing and raises."""
        return self._portal.run(self.asynchronous.end(session_id, body, **how))

    def history(self, scope: ScopeName, **how: Unpack[CallOptions]) -> Iterator[LedgerEvent]:
        """A scope's events, oldest first, a page of 500 at a time."""
        after: int | None = 0
        while after is not None:
            query: Any = {**scope, "after": after, "limit": _PAGE}
            page = self.call("scopeEvents", {"query": query}, **how)
            yield from page["events"]
            after = page.get("next")

    def guard(self, session_id: str, work: Callable[[Guarded], T]) -> T:
        """Calls `work` if this client holds exactly this session: see `OwnedSession.guarded`."""
        session = next((one for one in self.held if one.session_id == session_id.lower()), None)
        if session is None:
            raise NotHeld("not-here")
        return session.run(work)

    def release_all(self, *, deadline: float = 3.0) -> None:
        """Releases all sessions that are held, at most 100 at a time. What cannot be released lapses."""
        self._portal.run(self.asynchronous.release_all(deadline=deadline))

    def close(self) -> None:
        """Stops renewing and waiting: what is held is left to its lease. Nothing can be started afterwards."""
        self._portal.run(self.asynchronous.close())

    def __enter__(self) -> LedgerClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Releases all sessions, then closes. In a child of its process they are left to the parent."""
        if self._portal.is_here:
            self._portal.run(self.asynchronous.__aexit__(kind, error, trace))

    def stream(self, operation: str, query: Mapping[str, object]) -> Iterator[str]:
        """The lines of one of the streams (`feedStream`, `scopeStream`, `tenantStream`, `snapshot`), as they come."""
        response = self._portal.run(self.asynchronous.stream(operation, query))
        lines = response.aiter_lines()
        try:
            while (line := self._portal.run(anext(lines, None))) is not None:
                yield line
        finally:
            self._portal.run(response.aclose())

    def _ask(self, operation: str, request: Any, how: CallOptions) -> Any:
        ask: Any = self.asynchronous.call
        return self._portal.run(ask(operation, request, **how))
