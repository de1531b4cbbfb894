"""Which session a call is for: the seven tests of the bridge, and the table of all paths."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

import pytest
from support.call_paths import PATHS, THREAD_PATHS
from support.faults import FaultyWay
from support.service import DEBUG, DEV, Service, new_user

from session_ledger import (
    CallSessions,
    LedgerClient,
    LedgerProblem,
    NoAnswer,
    Option,
    OwnedSession,
    Realm,
    Resolved,
    SessionMismatch,
    SessionName,
    SessionReference,
    SessionResolver,
    in_session,
    sync,
)

REALM = Realm("http://ledger.test")
A, B, OWN = SessionName("a", 3), SessionName("b", 7), SessionName("own", 1)


async def start_own() -> SessionName:
    return OWN


RESOLVER = SessionResolver(realm=REALM, automatic=start_own)
THREADS = sync.SessionResolver(realm=REALM, automatic=lambda: OWN)

OPTIONS = [None, Option(A), Option(B), Option(A, override=True), Option(B, override=True)]
CASES = [(option, reference, context) for option in OPTIONS for reference in (None, A, B) for context in (None, A, B)]


def refer(session: SessionName) -> SessionReference[str]:
    return RESOLVER.refer(session, f"of {session.session_id}")


def expected(option: Option | None, reference: Any, context: Any) -> Any:
    """The session, or None for a mismatch."""
    said = [one for one in (option.session if option else None, reference, context) if one is not None]
    if not said:
        return OWN
    return said[0] if len(set(said)) == 1 or (option and option.override) else None


async def caught(work: Any) -> Any:
    with pytest.raises(Exception) as error:  # noqa: PT011
        await work
    return error.value


def name(found: Resolved) -> SessionName:
    return SessionName(found.session_id, found.epoch)


# 1. Every path gives the same answer.


@pytest.mark.parametrize("path", PATHS)
async def test_every_path_gives_the_same_answer(path: str) -> None:
    for option, reference, context in CASES:
        call = CallSessions(option, [refer(reference)] if reference else [])
        wanted = expected(option, reference, context)
        if context:
            with in_session(context):
                work = asyncio.ensure_future(PATHS[path](RESOLVER, call))
        else:
            work = asyncio.ensure_future(PATHS[path](RESOLVER, call))
        if wanted is None:
            assert isinstance(await caught(work), SessionMismatch)
        else:
            assert name(await work) == wanted


@pytest.mark.parametrize("path", THREAD_PATHS)
def test_so_does_every_path_through_threads(path: str) -> None:
    def ask(call: CallSessions, wanted: Any) -> None:
        if wanted is not None:
            assert name(THREAD_PATHS[path](THREADS, call)) == wanted
            return
        with pytest.raises(SessionMismatch):
            THREAD_PATHS[path](THREADS, call)

    for option, reference, context in CASES:
        call = CallSessions(option, [refer(reference)] if reference else [])
        wanted = expected(option, reference, context)
        if context:
            with in_session(context):
                ask(call, wanted)
        else:
            ask(call, wanted)


# 2. The automatic session: one a process, isolated from the others.


async def test_the_automatic_session_is_started_once_and_after_a_failure_again() -> None:
    starts: list[int] = []

    async def automatic() -> SessionName:
        starts.append(1)
        await asyncio.sleep(0)
        if len(starts) == 1:
            raise OSError("no ledger yet")
        return OWN

    lazy = SessionResolver(realm=REALM, automatic=automatic)
    failures = await asyncio.gather(lazy.resolve(), lazy.resolve(), return_exceptions=True)
    assert [type(one) for one in failures] == [OSError, OSError]
    found = await asyncio.gather(lazy.resolve(), lazy.resolve())
    assert [(name(one), one.source) for one in found] == [(OWN, "automatic")] * 2
    assert len(starts) == 2
    assert isinstance(await caught(SessionResolver(realm=REALM).resolve()), LookupError)


async def test_a_call_that_is_cancelled_does_not_take_the_automatic_session_from_the_others() -> None:
    started = asyncio.Event()

    async def automatic() -> SessionName:
        await started.wait()
        return OWN

    lazy = SessionResolver(realm=REALM, automatic=automatic)
    first, second = asyncio.ensure_future(lazy.resolve()), asyncio.ensure_future(lazy.resolve())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    started.set()
    assert name(await second) == OWN


AUTOMATIC = """
import sys
from session_ledger.sync import LedgerClient, SessionResolver
with LedgerClient(sys.argv[1]) as ledger:
    start = lambda: ledger.start({"userId": sys.argv[2], "projectId": sys.argv[3], "owner": {"environment": "bridge"}})
    resolver = SessionResolver(ledger, automatic=start)
    print(resolver.resolve().session_id, resolver.resolve().session_id)
"""


async def test_each_process_has_an_automatic_session_of_its_own(service: Service) -> None:
    user = new_user()
    runs = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", AUTOMATIC, service.url, user, project, stdout=subprocess.PIPE
        )
        for project in ("one", "two")
    ]
    said = [(await run.communicate())[0].decode().split() for run in runs]
    assert [len(set(ids)) for ids in said] == [1, 1]
    assert said[0][0] != said[1][0]


# 3. and 4. The context counts before it, and an option overrides only when it says so.


async def test_a_context_follows_what_is_awaited_and_started_and_ends_with_its_block() -> None:
    with in_session(A):
        await asyncio.sleep(0.001)
        found = await RESOLVER.resolve()
        assert (name(found), found.source) == (A, "context")
        with in_session(B):
            assert name(await RESOLVER.resolve()) == B
        assert name(await asyncio.create_task(RESOLVER.resolve())) == A
    assert (await RESOLVER.resolve()).source == "automatic"

    async def one(session: SessionName) -> None:
        with in_session(session):
            for _ in range(50):
                await asyncio.sleep(0)
                assert name(await RESOLVER.resolve()) == session

    await asyncio.gather(one(A), one(B), one(A))


async def test_an_option_overrides_only_when_it_says_so() -> None:
    with in_session(B):
        found = await RESOLVER.resolve(CallSessions(Option(A, override=True), [refer(B)]))
        assert (name(found), found.source) == (A, "option")
        assert isinstance(await caught(RESOLVER.resolve(CallSessions(Option(A), [refer(B)]))), SessionMismatch)


# 5. and 6. References are consistent, and a mismatch is refused.


async def test_a_reference_is_opened_in_its_own_session_only() -> None:
    assert await RESOLVER.open(refer(A)) == "of a"
    with in_session(A):
        assert await RESOLVER.open(refer(A)) == "of a"
        old = refer(SessionName("a", 2))
        assert "another epoch" in str(await caught(RESOLVER.open(old)))
    for override in (False, True):
        call = CallSessions(Option(B, override=override))
        assert isinstance(await caught(RESOLVER.open(refer(A), call)), SessionMismatch)
    with in_session(B):
        assert isinstance(await caught(RESOLVER.open(refer(A))), SessionMismatch)


@pytest.mark.parametrize("elsewhere", [Realm("http://other.test"), Realm(REALM.ledger, "other")])
async def test_a_reference_of_another_realm_is_refused_whatever_overrides(elsewhere: Realm) -> None:
    reference = SessionReference(A, elsewhere, "treasure")
    with in_session(A):
        for call in (CallSessions(), CallSessions(Option(A, override=True))):
            assert isinstance(await caught(RESOLVER.open(reference, call)), SessionMismatch)


async def test_a_mismatch_tells_a_program_who_named_what_and_a_log_no_ids() -> None:
    with in_session(SessionName("secret-1", 1)):
        error = await caught(RESOLVER.resolve(CallSessions(references=[refer(SessionName("secret-2", 1))])))
    assert [one.source for one in error.candidates] == ["reference", "context"]
    assert "secret" not in repr(error) + str(error) + repr(refer(SessionName("secret-3", 1)))
    assert "of a" not in repr(refer(A)) + json.dumps(refer(A).to_json())


# 7. No leak between sessions.


async def test_a_reference_never_leaks_to_another_session_however_calls_interleave() -> None:
    sessions = [SessionName(f"s{number}", 1) for number in range(20)]
    references = [refer(one) for one in sessions]
    opened: list[str] = []

    async def one(session: SessionName) -> None:
        with in_session(session):
            for reference in references:
                await asyncio.sleep(0)
                try:
                    opened.append(f"{session.session_id}: {await RESOLVER.open(reference)}")
                except SessionMismatch:
                    continue

    await asyncio.gather(*map(one, sessions))
    assert sorted(opened) == sorted(f"{one.session_id}: of {one.session_id}" for one in sessions)


# With a ledger, what a call names has to be current there.


def handle_of(user: str) -> Any:
    return {"kind": "transport", "value": f"of {user}"}


async def start_by(client: LedgerClient) -> OwnedSession:
    user = new_user()
    handles: Any = [{**handle_of(user), "binds": "scope"}]
    return await client.start({"userId": user, "owner": DEV, "handles": handles, "lease": {"seconds": 60}})


@pytest.mark.parametrize("path", PATHS)
async def test_a_call_means_what_the_ledger_says_and_only_what_it_has_to_say_is_asked(
    service: Service, path: str
) -> None:
    way = FaultyWay()
    async with LedgerClient(service.url, transport=way) as ledger, LedgerClient(service.url) as other:
        resolver = SessionResolver(ledger)
        mine, theirs = await start_by(ledger), await start_by(other)

        async def ask(call: CallSessions, context: Any = None) -> tuple[Any, bool]:
            before = len(way.keys("/v1/resolve"))

            async def within() -> Any:
                try:
                    found = await PATHS[path](resolver, call)
                    return name(found), found.source
                except LedgerProblem as error:
                    return error.code, (error.current or {}).get("sessionId")
                except SessionMismatch as error:
                    return error.code

            if context is None:
                answer = await within()
            else:
                with in_session(context):
                    answer = await within()
            return answer, len(way.keys("/v1/resolve")) > before

        my_name, their_name = SessionName.of(mine), SessionName.of(theirs)
        my_handle, their_handle = (handle_of(one.view["scope"]["userId"]) for one in (mine, theirs))
        refer_to = lambda one: CallSessions(references=[resolver.refer(one, "target")])  # noqa: E731
        # What this process holds is known here.
        assert await ask(refer_to(mine), mine) == ((my_name, "reference"), False)
        assert await ask(CallSessions(Option(mine, override=True)), theirs) == ((my_name, "option"), False)
        assert await ask(refer_to(mine), theirs) == ("session-mismatch", False)
        # What another one does is not; nor is what a handle means.
        assert await ask(refer_to(theirs)) == ((their_name, "reference"), True)
        assert await ask(CallSessions(Option(their_handle)), theirs) == ((their_name, "option"), True)
        assert await ask(CallSessions(references=[my_handle]), theirs) == ("session-mismatch", True)
        override = CallSessions(Option(their_handle, override=True))
        assert await ask(override, mine) == ((their_name, "option"), True)
        ahead = SessionName(mine.session_id, 99)
        assert await ask(refer_to(ahead)) == (("future-epoch", mine.session_id), True)
        unbound: Any = {"kind": "transport", "value": "nobody"}
        assert await ask(CallSessions(Option(unbound)), mine) == ((my_name, "context"), True)
        assert await ask(CallSessions(Option(unbound))) == (("unknown-handle", None), True)
        # What is not current any more is refused, with what is.
        old = refer_to(theirs)
        next_one = await other.start({"userId": mine.view["scope"]["userId"], "owner": DEBUG})
        await theirs.rotate({"reason": "build"})
        await mine.signal.wait()
        assert await ask(CallSessions(), mine) == (("stale-session", next_one.session_id), True)
        assert await ask(old) == (("stale-session", theirs.session_id), True)


async def test_a_ledger_that_is_away_is_an_error_and_what_is_held_is_known_all_the_same(service: Service) -> None:
    async def away(_: Any) -> Any:
        raise OSError("away")

    way = FaultyWay()
    async with LedgerClient(service.url, transport=way, deadline=0.3) as ledger, LedgerClient(service.url) as other:
        resolver = SessionResolver(ledger)
        mine, theirs = await start_by(ledger), await start_by(other)
        way.plan("/v1/resolve", *[away] * 20)
        assert await resolver.open(resolver.refer(mine, "target")) == "target"
        assert isinstance(await caught(resolver.open(resolver.refer(theirs, "target"))), NoAnswer)
        many: Any = [{"kind": "transport", "value": str(number)} for number in range(17)]
        assert isinstance(await caught(resolver.resolve(CallSessions(references=many))), ValueError)
        assert isinstance(await caught(RESOLVER.resolve(CallSessions(references=many[:1]))), TypeError)
        upper: Any = SessionName(mine.session_id.upper(), mine.epoch)
        assert ledger.holds(upper)
        assert name(await resolver.resolve(CallSessions(Option(upper)))) == SessionName.of(mine)
