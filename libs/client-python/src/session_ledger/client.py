"""One ledger, as a process uses it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

import httpx

from .calls.clock import now
from .calls.credentials import Headers, Token
from .calls.options import CallOptions
from .calls.told import harmless
from .calls.transport import Answered, Transport, TransportOptions
from .calls.waiting import Tasks
from .errors import ClientBusy, LedgerError, NoAnswer, is_problem
from .generated.calls import AsyncCalls
from .generated.models import (
    ClaimRequest,
    CommandAnswer,
    EndBody,
    JoinRequest,
    LedgerEvent,
    Owner,
    Session,
    SessionWithRefusals,
    StartBody,
)
from .owned.gate import NotHeld
from .owned.renewals import Renewals
from .owned.session import Guarded, OwnedSession
from .owned.tenure import Keeper, Tenure
from .owned.watch import Watch, watch_scope
from .reference import NamesSession
from .scope import ScopeName

if TYPE_CHECKING:
    from typing_extensions import Unpack

T = TypeVar("T")

_PAGE = 500


class LedgerClient(AsyncCalls):
    """For asyncio: used in one event loop. Every method raises a LedgerError when it comes to nothing.

    What crosses the wire is written as on the wire (`userId`); times are in seconds.
    """

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
        """Nothing is connected before the first call.

        `url`: of the ledger, with the path under which it stands, if any. `token`: sent as `Authorization: Bearer`; a
        function is asked before each attempt. LEDGER_TOKEN, or what LEDGER_TOKEN_FILE names, when left out.
        `max_calls`: most calls at once, waits aside. `max_sessions`: most sessions held at once. `max_watches`: for how
        many of them to wait at the ledger, each on a connection of its own; the others hear that they are lost from
        their next renewal. Beyond a bound calls are refused with ClientBusy, before they are sent. `gather`: whether
        commands that are made in the same turn of the event loop, or while four requests are under way, go in one
        request, and reads of what is current likewise; the token and the headers are then asked for once, for all of
        them. `on_trouble`: what went wrong where nobody awaits it. `verify`, `transport`: as httpx takes them.
        """
        self._transport = Transport(
            TransportOptions(url, token, headers, deadline, attempt, max_calls, verify, transport, gather)
        )
        on_trouble = harmless(on_trouble)
        self._tasks = Tasks()
        self._renewals = Renewals(self._transport, on_trouble)
        self._keeper = Keeper(
            self._transport,
            self._renewals,
            self._tasks,
            on_trouble,
            self._moved,
            lambda one: self._held.pop(one, None),
        )
        self._held: dict[str, OwnedSession] = {}
        self._max_sessions = max_sessions
        self._max_watches = max_watches
        self._is_closed = False
        self._starting = 0
        self._watches = 0

    @property
    def url(self) -> str:
        """The ledger's address."""
        return self._transport.url

    @property
    def held(self) -> list[OwnedSession]:
        """The sessions that are held now; none in a child of the process: they are the parent's."""
        return list(self._held.values()) if self._transport.is_here else []

    def holds(self, one: NamesSession) -> bool:
        """Whether this client holds exactly this session, under this epoch and on a lease that is not over."""
        session = self._held.get(one.session_id.lower()) if self._transport.is_here else None
        return session is not None and session.epoch == one.epoch and session.left > 0

    async def stream(
        self, operation: str, query: Mapping[str, object], *, last_event_id: str | None = None
    ) -> httpx.Response:
        """A stream (`feedStream`, `scopeStream`, `tenantStream`, `snapshot`), to be read and closed by the caller."""
        return await self._transport.open(operation, query, last_event_id)

    async def start(self, body: StartBody, **how: Unpack[CallOptions]) -> OwnedSession:
        """Starts a session and holds it. Raises `session-active` under `onConflict: 'reject'`."""
        if body.get("onConflict") == "join":
            raise ValueError("to use a session without owning it there is join")
        return await self._hold(body["owner"], how, "startSession", {"body": body})

    async def claim(self, body: ClaimRequest, **how: Unpack[CallOptions]) -> OwnedSession:
        """Takes over a released session, or takes up one's own again after a restart, and holds it."""
        rest = {name: value for name, value in body.items() if name != "sessionId"}
        request = {"params": {"sessionId": body["sessionId"]}, "body": rest}
        return await self._hold(body["owner"], how, "claimOwnership", request)

    async def join(self, body: JoinRequest, **how: Unpack[CallOptions]) -> CommandAnswer:
        """Gets the scope's session, or starts one: for those who use it together. Nothing renews it."""
        return await self.call("startSession", {"body": {**body, "onConflict": "join"}}, **how)

    async def current(self, scope: ScopeName, **how: Unpack[CallOptions]) -> Session | None:
        """The current session; None when none is."""
        try:
            return await self.call("currentSession", {"query": cast("Any", scope)}, **how)
        except LedgerError as error:
            if is_problem(error, "no-current-session"):
                return None
            raise

    async def session(self, session_id: str, **how: Unpack[CallOptions]) -> SessionWithRefusals:
        """Any session, also one that has ended. Raises `unknown-session`."""
        return await self.call("session", {"params": {"sessionId": session_id}}, **how)

    async def end(self, session_id: str, body: EndBody, **how: Unpack[CallOptions]) -> CommandAnswer:
        """Ends a session that this client need not hold. A stop that is too late changes nothing and raises."""
        return await self.call("endSession", {"params": {"sessionId": session_id}, "body": body}, **how)

    async def history(self, scope: ScopeName, **how: Unpack[CallOptions]) -> AsyncIterator[LedgerEvent]:
        """A scope's events, oldest first, a page of 500 at a time."""
        after: int | None = 0
        while after is not None:
            query: Any = {**scope, "after": after, "limit": _PAGE}
            page = await self.call("scopeEvents", {"query": query}, **how)
            for event in page["events"]:
                yield event
            after = page.get("next")

    async def guard(self, session_id: str, work: Callable[[Guarded], T | Awaitable[T]]) -> T:
        """Calls `work` if this client holds exactly this session: see `OwnedSession.guarded`."""
        session = self._held.get(session_id.lower())
        if session is None:
            raise NotHeld("not-here")
        return await session.run(work)

    async def release_all(self, *, deadline: float = 3.0) -> None:
        """Releases all sessions that are held, at most 100 at a time, within so many seconds for all of them.

        What cannot be released lapses.
        """
        until = now() + deadline
        sessions = self.held
        left = iter(sessions)

        async def release() -> None:
            for one in left:
                try:
                    await one.release(deadline=until - now())
                except Exception as error:
                    self._keeper.on_trouble(error)

        await asyncio.gather(*(release() for _ in sessions[:100]))

    async def close(self) -> None:
        """Stops renewing and waiting: what is held is left to its lease. Nothing can be started afterwards."""
        self._is_closed = True
        for session in self.held:
            session.abandon()
        await self._renewals.close()
        await self._tasks.cancel()
        await self._transport.close()

    async def __aenter__(self) -> LedgerClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Releases all sessions, then closes."""
        with suppress(LedgerError):  # in a child of the process they are the parent's
            self._transport.check_process()
            await self.release_all()
            await self.close()

    async def _ask(self, operation: str, request: Any, how: CallOptions) -> Any:
        return (await self._transport.call(operation, request, how)).body

    async def _hold(self, owner: Owner, how: CallOptions, operation: str, request: Mapping[str, Any]) -> OwnedSession:
        if self._is_closed:
            raise ClientBusy("the client is closed")
        if len(self._held) + self._starting >= self._max_sessions:
            raise ClientBusy(f"{self._max_sessions} sessions are held")
        self._starting += 1
        try:
            answered = await self._transport.call(operation, request, how)
            if answered.is_old:
                await self._confirm(answered.body["session"], how)
            return self._keep(owner, answered)
        finally:
            self._starting -= 1

    def _keep(self, owner: Owner, answered: Answered) -> OwnedSession:
        tenure = Tenure(self._keeper, owner, answered)
        session = OwnedSession(tenure, self._transport, answered.body["position"])
        before = self._held.get(session.session_id)
        if before is not None:
            before.abandon()
        self._held[session.session_id] = session
        self._watch(tenure)
        if self._is_closed:
            session.abandon()
        return session

    async def _confirm(self, session: Session, how: CallOptions) -> None:
        """An answer that repeats an old one says what was true then. Raises NotHeld when it is no longer."""
        rest: Any = {name: value for name, value in how.items() if name != "idempotency_key"}
        try:
            found = await self.session(session["sessionId"], **rest)
        except LedgerError as error:
            # The command was obeyed, only what has become of it is not known.
            raise NoAnswer(1, outcome_unknown=True, idempotency_key=how.get("idempotency_key")) from error
        if found["epoch"] != session["epoch"]:
            raise NotHeld("ended" if found["status"] == "ended" else "lost")

    def _watch(self, tenure: Tenure) -> None:
        if self._watches >= self._max_watches:
            return
        self._watches += 1
        watch = Watch(
            self._transport,
            tenure.view["scope"],
            lambda: tenure.revision,
            tenure.seen,
            tenure.restored,
            self._keeper.on_trouble,
        )
        task = self._tasks.start(watch_scope(watch))
        task.add_done_callback(lambda _: self._unwatched())
        tenure.signal.on_set(lambda _: task.cancel())

    def _unwatched(self) -> None:
        self._watches -= 1

    def _moved(self, before: str, after: str) -> None:
        session = self._held.pop(before, None)
        if session is not None:
            self._held[after] = session
