"""Says which session a call is for: one rule for all paths that lead to a call."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeVar, Union, cast

from .calls.options import CallOptions
from .context import current_context
from .errors import LedgerError, is_problem
from .generated.models import Handle
from .reference import NamesSession, Realm, SessionName, SessionReference, target_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .client import LedgerClient

Target = TypeVar("Target")

CandidateSource = Literal["option", "reference", "context", "automatic"]
"""What said which session a call is for. In this order the first one that speaks counts."""

_MOST_REFERENCES = 1_000
_MOST_ASKED = 16
"""The most names that the ledger takes in one question."""


class Candidate(NamedTuple):
    """What was named by whom: a session, or a handle."""

    name: SessionName | tuple[str, str]
    source: CandidateSource


@dataclass(frozen=True)
class Resolved:
    """The session that a call is for, and what said so."""

    session_id: str = field(repr=False)
    epoch: int
    source: CandidateSource


@dataclass(frozen=True)
class Option:
    """What the caller asks for by name. Only with `override` may the others disagree."""

    session: NamesSession | Handle = field(repr=False)
    override: bool = False


@dataclass(frozen=True)
class CallSessions:
    """What a call brings along that names a session; a handle does so only where a ledger can be asked."""

    option: Option | None = None
    references: Sequence[SessionReference[Any] | Handle] = ()
    """What the call is made on, or is given."""


class SessionMismatch(Exception):
    """A call names two sessions, or one of another ledger or tenant: it is not made. Its ids are in no message."""

    code = "session-mismatch"

    def __init__(self, what: str, candidates: Sequence[Candidate]) -> None:
        super().__init__(f"session-mismatch: {what}")
        self._candidates = candidates

    @property
    def candidates(self) -> Sequence[Candidate]:
        """What was named by whom."""
        return self._candidates


class Holds(Protocol):
    """What a resolver looks up before it asks."""

    @property
    def url(self) -> str:
        """The ledger's address."""
        ...

    def holds(self, one: NamesSession) -> bool:
        """Whether this client holds exactly this session."""
        ...


Context = Callable[[], Union[NamesSession, Handle, None]]


class Rules:
    """All of a resolver that needs no ledger to be asked: the same with asyncio and without."""

    def __init__(self, ledger: Holds | None, realm: Realm | None, context: Context | None) -> None:
        if ledger is None and realm is None:
            raise TypeError("a resolver needs a ledger, or a realm")
        self._ledger = ledger
        self.realm = realm if realm is not None else Realm(cast("Holds", ledger).url)
        self._context = context

    def candidates(self, call: CallSessions) -> list[Candidate]:
        """What names a session, the most explicit first. Raises SessionMismatch for a name of another realm."""
        if len(call.references) > _MOST_REFERENCES:
            raise ValueError(f"over {_MOST_REFERENCES} references")
        context = self._context() if self._context else None
        return [
            *([named(call.option.session, "option")] if call.option else []),
            *(self._reference(one) for one in call.references),
            *([named(context, "context")] if context is not None else []),
        ]

    def decide(self, call: CallSessions, candidates: Sequence[Candidate]) -> Resolved | list[Candidate]:
        """The session, where this process knows; otherwise what the ledger has to be asked."""
        is_override = call.option is not None and call.option.override
        deciding = list(_distinct(candidates[:1] if is_override else candidates))
        names = [one for one in deciding if isinstance(one.name, SessionName)]
        if len(names) > 1:
            first, other = names[0], names[1]
            is_epoch = other.name[0] == first.name[0]
            what = "another epoch of it" if is_epoch else "another session"
            raise SessionMismatch(f"the {first.source} names a session, the {other.source} {what}", candidates)
        if len(deciding) == 1 and names:
            name = cast("SessionName", names[0].name)
            # What this process holds it knows by itself.
            if self._ledger is None or self._ledger.holds(name):
                return Resolved(name.session_id, name.epoch, names[0].source)
        if self._ledger is None:
            raise TypeError("a handle means a session only to a ledger: the resolver has none")
        if len(deciding) > _MOST_ASKED:
            raise ValueError(f"over {_MOST_ASKED} different names")
        return deciding

    def opened(self, reference: SessionReference[Target], resolved: Resolved) -> Target:
        """What it leads to, in its own session only."""
        if (resolved.session_id, resolved.epoch) != reference.session:
            candidate = Candidate(SessionName(resolved.session_id, resolved.epoch), resolved.source)
            raise SessionMismatch("the reference is of another session than the call", [candidate])
        return target_of(reference)

    def _reference(self, one: SessionReference[Any] | Handle) -> Candidate:
        if not isinstance(one, SessionReference):
            return named(one, "reference")
        if one.realm != self.realm:  # a name of another realm means nothing here, whatever overrides
            where = "tenant" if one.realm.ledger == self.realm.ledger else "ledger"
            raise SessionMismatch(f"the reference is of another {where}", [named(one.session, "reference")])
        return named(one.session, "reference")


def question(candidates: Sequence[Candidate]) -> Any:
    """The request that asks what these mean."""
    names = [
        {"sessionId": name.session_id, "epoch": name.epoch}
        if isinstance(name, SessionName)
        else {"kind": name[0], "value": name[1]}
        for name, _ in candidates
    ]
    return {"body": {"candidates": names}}


def answered(candidates: Sequence[Candidate], answer: Any) -> Resolved:
    """What the ledger says that all of these mean. A handle that nobody has bound is passed over beside others."""
    unknown: list[int] = answer["unknown"]
    by = next((one for index, one in enumerate(candidates) if index not in unknown), candidates[0])
    return Resolved(answer["session"]["sessionId"], answer["session"]["epoch"], by.source)


def refused(candidates: Sequence[Candidate], error: LedgerError) -> Exception:
    """What to raise when the ledger has refused to say."""
    if not is_problem(error, "session-mismatch"):
        return error
    return SessionMismatch("to the ledger the names mean different sessions", candidates)


def no_automatic() -> LookupError:
    """What to raise when nothing names a session."""
    return LookupError("the call names no session, and there is no automatic one")


def named(one: NamesSession | Handle, source: CandidateSource) -> Candidate:
    """Reads what it says now: an owned session may rotate, and is then named as it is at present."""
    if isinstance(one, dict):
        return Candidate((one["kind"], one["value"]), source)
    return Candidate(SessionName.of(one), source)


def _distinct(candidates: Iterable[Candidate]) -> Iterable[Candidate]:
    """Each of them once: where it was said first."""
    seen: set[object] = set()
    for one in candidates:
        key = (type(one.name), one.name)
        if key not in seen:
            seen.add(key)
            yield one


class SessionResolver:
    """Explicit option, then reference, then context, then the automatic session of this process.

    Those that speak have to mean the same session under the same epoch, unless the option overrides. With a ledger,
    what a call names has to be current there: it is asked about handles, and about sessions that its client does not
    hold. Without one, sessions are only compared with each other.
    """

    def __init__(
        self,
        ledger: LedgerClient | None = None,
        *,
        realm: Realm | None = None,
        context: Context | None = current_context,
        automatic: Callable[[], Awaitable[NamesSession]] | None = None,
    ) -> None:
        """`realm`: the ledger's address unless set. `automatic`: starts this process's session, for calls without one.

        It is called once, and again only if it raised.
        """
        self._ledger = ledger
        self._rules = Rules(ledger, realm, context)
        self._start = automatic
        self._automatic: asyncio.Future[NamesSession] | None = None
        self._pid = os.getpid()

    async def resolve(self, call: CallSessions | None = None, **how: Unpack[CallOptions]) -> Resolved:
        """Raises SessionMismatch; LookupError when nothing names a session and there is no automatic one.

        Where the ledger is asked, LedgerError too: `stale-session`, `stale-epoch` and the like say by `current` what
        the session is today. `how`: of that question.
        """
        call = call or CallSessions()
        candidates = self._rules.candidates(call)
        if not candidates:
            candidates.append(named(await self._automatically(), "automatic"))
        found = self._rules.decide(call, candidates)
        if isinstance(found, Resolved):
            return found
        try:
            assert self._ledger is not None
            return answered(found, await self._ledger.call("resolve", question(found), **how))
        except LedgerError as error:
            raise refused(candidates, error) from error

    async def open(
        self,
        reference: SessionReference[Target],
        call: CallSessions | None = None,
        **how: Unpack[CallOptions],
    ) -> Target:
        """What a reference leads to, in its own session only: the call's others have to agree, also with override."""
        call = call or CallSessions()
        whole = CallSessions(call.option, [reference, *call.references])
        return self._rules.opened(reference, await self.resolve(whole, **how))

    def refer(self, session: NamesSession, target: Target) -> SessionReference[Target]:
        """A reference to something of a session, to be opened with this resolver or one of the same realm."""
        return SessionReference(SessionName.of(session), self._rules.realm, target)

    async def _automatically(self) -> NamesSession:
        if self._start is None:
            raise no_automatic()
        if self._pid != os.getpid():
            self._pid, self._automatic = os.getpid(), None  # that one is the parent's
        if self._automatic is None:
            self._automatic = asyncio.ensure_future(self._start())
            self._automatic.add_done_callback(self._forget_failure)
        return await asyncio.shield(self._automatic)

    def _forget_failure(self, started: asyncio.Future[NamesSession]) -> None:
        if started.cancelled() or started.exception() is not None:
            self._automatic = None  # the next call may have more luck
