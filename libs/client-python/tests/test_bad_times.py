"""What processes do to a session that they own: stop, fork, block, cancel, set the clock, end."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import sys
import time
from typing import Any

import httpx
import pytest
from support.faults import FaultyWay, never, page, problem, stopped
from support.service import DEBUG, DEV, Process, Service, new_user, scope_of

from session_ledger import ClientForked, LedgerClient, NoAnswer, NotHeld, Realm, SessionResolver, sync
from session_ledger.calls import clock

LEASE: Any = {"seconds": 1, "graceSeconds": 60}


async def caught(work: Any) -> Any:
    with pytest.raises(BaseException) as error:  # noqa: PT011
        await work
    return error.value


async def loss_of(session: Any) -> str:
    await asyncio.wait_for(session.signal.wait(), 10)
    return session.loss.why


def python(code: str, *args: str) -> Process:
    return Process([sys.executable, "-u", "-c", code, *args])


# The clock.


def test_what_the_wall_clock_gains_counts_as_sleep_and_what_it_loses_counts_for_nothing() -> None:
    times = {"steady": 100.0, "wall": 1_000.0}
    steady = clock.SteadyClock(lambda: times["steady"], lambda: times["wall"])

    def later(steady_by: float, wall_by: float) -> float:
        times["steady"] += steady_by
        times["wall"] += wall_by
        return steady.now()

    assert steady.now() == 100
    assert later(1, 1) == 101
    assert later(1, 61) == 162  # the machine slept for a minute, or somebody set the clock
    assert later(1, -3_000) == 163
    assert later(1, 1) == 164
    assert later(0, 3_000) == 3_164  # set right again: nobody can tell that from sleep


async def test_a_lease_runs_out_while_the_ledger_is_away_whatever_the_wall_clock_says(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: Any) -> Any:
        raise OSError("away")

    way = FaultyWay()
    async with LedgerClient(service.url, transport=way) as ledger:
        session = await ledger.start({"userId": new_user(), "owner": DEV, "lease": LEASE})
        way.plan("", *[away] * 10_000)
        monkeypatch.setattr(time, "time", lambda: 0.0)
        began = time.monotonic()
        async with session.guarded() as guarded:
            assert (await asyncio.wait_for(guarded.signal.wait(), 5)).why == "lease-over"  # pyright: ignore
        assert 0.5 < time.monotonic() - began <= 1.05
        assert (await caught(session.run(lambda _: "late"))).why == "lease-over"
        assert session.state == "held"  # until the ledger says so, it may still be saved
        await asyncio.sleep(2)
        way.plans.clear()
        assert await loss_of(session) == "lapsed"


@pytest.mark.parametrize(
    "answer",
    [stopped(lambda: page(200)), stopped(lambda: problem("overloaded", 503)), never],
    ids=["a page", "a problem", "nothing"],
)
async def test_no_lease_is_started_anew_by_anything_but_a_renewal(service: Service, answer: Any) -> None:
    way = FaultyWay()
    way.plan("/v1/leases/renew", *[answer] * 1_000)
    async with LedgerClient(service.url, transport=way, max_watches=0) as ledger:
        session = await ledger.start({"userId": new_user(), "owner": DEV, "lease": LEASE})
        if answer is not never:  # else the ledger has renewed it, and nobody here knows
            await asyncio.sleep(1.2)
        while session.left > 0:
            await asyncio.sleep(0.02)
        assert (await caught(session.run(lambda _: "late"))).why == "lease-over"


# Processes that stop, and loops that are blocked.

OWNER = """
import sys, time
from session_ledger import NotHeld
from session_ledger.sync import LedgerClient
with LedgerClient(sys.argv[1]) as ledger:
    session = ledger.start({"userId": sys.argv[2], "owner": {"environment": "cloud-dev"}, "lease": {"seconds": 2}})
    print("held", flush=True)
    while True:
        began = time.time()
        try:
            with session.guarded():
                print("began", began, flush=True)
        except NotHeld as error:
            print("refused", error.why, flush=True)
            if error.why != "lease-over":
                break
        time.sleep(0.01)
"""


@pytest.mark.parametrize("seconds", [pytest.param(5, id="5 s"), pytest.param(60, id="60 s")])
async def test_a_process_that_was_stopped_begins_nothing_under_the_lease_it_had(
    own_service: Service, seconds: int
) -> None:
    if seconds == 60 and not os.environ.get("TEST_SOAK"):
        pytest.skip("takes a minute: TEST_SOAK=1")
    user = new_user()
    owner = python(OWNER, own_service.url, user)
    owner.wait_for("^held$")
    owner.wait_for("^began")
    os.kill(owner.child.pid, signal.SIGSTOP)
    at = time.time()
    await asyncio.sleep(seconds)
    async with LedgerClient(own_service.url) as ledger:
        current = await ledger.current({"userId": user})
        assert current and current["status"] == "released"
        next_one = await ledger.start({"userId": user, "owner": DEBUG})
        os.kill(owner.child.pid, signal.SIGCONT)
        woken = time.time()
        assert owner.child.wait(20) == 0
        late = [line for line in owner.lines if line.startswith("began") and float(line.split()[1]) >= woken]
        assert late == []
        assert [line for line in owner.lines if line == "refused lost"]
        assert at < woken
        assert next_one.state == "held"


async def test_a_loop_that_was_blocked_begins_nothing_before_its_lease_is_renewed(service: Service) -> None:
    async with LedgerClient(service.url) as ledger:
        session = await ledger.start({"userId": new_user(), "owner": DEV, "lease": LEASE})
        time.sleep(1.5)
        assert (await caught(session.run(lambda _: "late"))).why == "lease-over"
        assert await loss_of(session) == "lapsed"


def test_a_session_of_threads_is_renewed_while_its_thread_is_busy(service: Service) -> None:
    with sync.LedgerClient(service.url) as ledger:
        with ledger.start({"userId": new_user(), "owner": DEV, "lease": LEASE}) as session:
            until = time.monotonic() + 2.5
            while time.monotonic() < until:
                sum(range(1_000))
            assert session.run(lambda guarded: guarded.epoch) == 1
        assert session.state == "released"


# Forks.


def test_a_fork_never_shares_a_session_unseen(service: Service) -> None:
    with sync.LedgerClient(service.url) as ledger:
        session = ledger.start({"userId": new_user(), "owner": DEV, "lease": LEASE})
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            said: list[str] = []
            for work in (
                lambda: session.run(lambda _: "shared"),
                lambda: session.rotate({"reason": "build"}),
                lambda: session.release(),
                lambda: ledger.current(scope_of(session)),
                lambda: ledger.holds(session) and "held",
            ):
                try:
                    said.append(str(work()))
                except (NotHeld, ClientForked) as error:
                    said.append(type(error).__name__)
            try:
                with session:  # its end releases nothing of the parent's
                    pass
                with sync.LedgerClient(service.url) as own:  # one of its own works
                    said.append(str(own.start({"userId": new_user(), "owner": DEV}).epoch))
            except BaseException as error:
                said.append(repr(error))
            os.write(writing, ",".join(said).encode())
            os._exit(0)
        os.close(writing)
        said_by_child = os.read(reading, 1_000).decode()
        os.waitpid(child, 0)
        assert said_by_child == "NotHeld,ClientForked,ClientForked,ClientForked,False,1"
        time.sleep(1.5)  # and the parent's goes on
        assert session.run(lambda guarded: guarded.epoch) == 1
        session.end({"reason": "done"})


async def test_nor_does_one_of_a_loop(service: Service) -> None:
    async with LedgerClient(service.url) as ledger:
        session = await ledger.start({"userId": new_user(), "owner": DEV})
        child = os.fork()
        if child == 0:
            code = 1
            try:
                session._tenure.gate.begin()  # pyright: ignore
            except NotHeld as error:
                code = 0 if error.why == "forked" else 2
            os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert session.state == "held"


# Cancelled tasks.


@pytest.mark.parametrize("path", ["rotate", "release", "end"])
async def test_a_command_that_is_cancelled_once_it_was_sent_is_lost_and_before_that_held(
    service: Service, path: str
) -> None:
    way = FaultyWay()
    async with LedgerClient(service.url, transport=way) as ledger:
        session = await ledger.start({"userId": new_user(), "owner": DEV})
        ask: dict[str, Any] = {
            "rotate": lambda: session.rotate({"reason": "build"}),
            "release": lambda: session.release(),
            "end": lambda: session.end({"reason": "done"}),
        }
        gone = asyncio.Event()

        async def late(send: Any) -> Any:
            response = await send()
            await gone.wait()
            return response

        way.plan("/attributes", late)
        change = asyncio.ensure_future(session.change_attributes({"a": 1}))
        waiting = asyncio.ensure_future(ask[path]())
        await asyncio.sleep(0.05)
        waiting.cancel()
        assert isinstance(await caught(waiting), asyncio.CancelledError)
        gone.set()
        await change
        assert (session.state, way.keys(f"/{path}")) == ("held", [])

        way.plan(f"/{path}", never)
        sent = asyncio.ensure_future(ask[path]())
        while not way.keys(f"/{path}"):
            await asyncio.sleep(0.005)
        sent.cancel()
        assert isinstance(await caught(sent), asyncio.CancelledError)
        assert session.loss
        assert (session.state, session.loss.why) == ("lost", "unknown-outcome")
        assert (await caught(session.run(lambda _: "late"))).why == "lost"


async def test_guarded_work_that_is_cancelled_leaves_the_session_as_it_is(service: Service) -> None:
    async with LedgerClient(service.url) as ledger:
        session = await ledger.start({"userId": new_user(), "owner": DEV, "lease": LEASE})
        work = asyncio.ensure_future(session.run(lambda _: asyncio.sleep(60)))
        await asyncio.sleep(0.05)
        work.cancel()
        assert isinstance(await caught(work), asyncio.CancelledError)
        assert await session.run(lambda guarded: guarded.epoch) == 1


async def test_a_release_whose_answer_never_comes_is_unknown(service: Service) -> None:
    way = FaultyWay()
    async with LedgerClient(service.url, transport=way) as ledger:
        session = await ledger.start({"userId": new_user(), "owner": DEV, "lease": {"seconds": 60}})
        way.plan("/release", *[never] * 10)
        error = await caught(session.release(deadline=0.3))
        assert isinstance(error, NoAnswer)
        assert error.outcome_unknown
        assert await loss_of(session) == "unknown-outcome"


# Ctrl-C, and the end of a process.

WAITS = """
import sys
from session_ledger.sync import LedgerClient
with LedgerClient(sys.argv[1]) as ledger:
    session = ledger.start({"userId": sys.argv[2], "owner": {"environment": "cloud-dev"}, "lease": {"seconds": 600}})
    with session:
        print("held", flush=True)
        try:
            query = {"userId": "nobody", "wait": 30, "after": 0}
            ledger.call("currentSession", {"query": query}, attempt=40, deadline=40)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
            raise
"""

WAITS_IN_A_LOOP = """
import asyncio, sys
from session_ledger import LedgerClient
async def main():
    async with LedgerClient(sys.argv[1]) as ledger:
        body = {"userId": sys.argv[2], "owner": {"environment": "cloud-dev"}, "lease": {"seconds": 600}}
        async with await ledger.start(body) as session:
            print("held", flush=True)
            try:
                await asyncio.sleep(60)
            finally:
                print("interrupted", flush=True)
asyncio.run(main())
"""


@pytest.mark.parametrize("code", [WAITS, WAITS_IN_A_LOOP], ids=["threads", "asyncio"])
async def test_ctrl_c_ends_a_wait_and_releases_what_is_held(service: Service, code: str) -> None:
    user = new_user()
    owner = python(code, service.url, user)
    owner.wait_for("^held$")
    await asyncio.sleep(0.3)
    owner.child.send_signal(signal.SIGINT)
    owner.wait_for("^interrupted$")
    assert owner.child.wait(10) != 0
    assert "KeyboardInterrupt" in "\n".join(owner.lines)
    async with LedgerClient(service.url) as ledger:
        current = await ledger.current({"userId": user})
        assert current and current["status"] == "released"


async def test_a_process_ends_although_it_holds_a_session(service: Service) -> None:
    code = WAITS.split("    with session")[0].replace("with LedgerClient(sys.argv[1]) as ledger:", "if True:")
    code = code.replace("if True:", "ledger = LedgerClient(sys.argv[1])\nif True:")
    owner = python(code, service.url, new_user())
    assert owner.child.wait(15) == 0
    assert owner.lines == []


async def test_no_session_id_stands_in_an_error_or_in_what_is_printed(service: Service) -> None:
    async with LedgerClient(service.url) as ledger:
        session = await ledger.start({"userId": new_user(), "owner": DEV})
        session_id = session.session_id
        shown: list[str] = [repr(session), repr(ledger)]
        async with session.guarded() as guarded:
            shown.append(repr(guarded))
        await ledger.start({"userId": scope_of(session)["userId"], "owner": DEBUG})
        await loss_of(session)
        shown += [repr(session.loss), str(await caught(session.run(lambda _: 1)))]
        shown.append(repr(await caught(session.rotate({"reason": "build"}))))
        assert all(session_id not in one for one in shown)


async def test_no_session_id_stands_in_what_is_logged(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    user = new_user()
    async with LedgerClient(service.url) as ledger:
        session = await ledger.start({"userId": user, "owner": DEV})
        await session.change_attributes({"a": 1})
        await ledger.session(session.session_id)
        await ledger.current({"userId": user})
        await session.end({"reason": "done"})
        assert session.session_id not in caplog.text
        assert user not in caplog.text


async def test_a_child_of_the_process_holds_nothing_of_its_parents_in_asyncio(service: Service) -> None:
    async with LedgerClient(service.url) as ledger:
        session = await ledger.start({"userId": new_user(), "owner": DEV, "lease": {"seconds": 60}})
        resolver = SessionResolver(realm=Realm("here"), automatic=lambda: asyncio.sleep(0, session))
        assert (await resolver.resolve()).session_id == session.session_id
        child = os.fork()
        if child == 0:
            told = (ledger.holds(session), ledger.held, session.state, session.left)
            os._exit(0 if told == (False, [], "forked", -math.inf) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert (ledger.holds(session), session.state) == (True, "held")


KEPT_HANDLER = """
import asyncio, os, signal, sys
from session_ledger import LedgerClient, release_on_signal
async def main():
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    signal.signal(signal.SIGTERM, lambda *_: loop.call_soon_threadsafe(told.set))
    before = signal.getsignal(signal.SIGTERM)
    ledger = LedgerClient(sys.argv[1])
    release_on_signal(ledger)()
    assert signal.getsignal(signal.SIGTERM) is before
    release_on_signal(ledger)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(told.wait(), 5)
    print("told", flush=True)
asyncio.run(main())
"""


def test_a_handler_that_the_program_had_before_hears_the_signal_after_the_release(service: Service) -> None:
    python(KEPT_HANDLER, service.url).wait_for("^told$")


TERMINATED = """
import sys, time
from session_ledger.sync import LedgerClient, release_on_signal
ledger = LedgerClient(sys.argv[1])
ledger.start({"userId": sys.argv[2], "owner": {"environment": "cloud-dev"}})
release_on_signal(ledger)
print("held", flush=True)
time.sleep(60)
"""

TERMINATED_IN_A_LOOP = """
import asyncio, sys
from session_ledger import LedgerClient, release_on_signal
async def main():
    ledger = LedgerClient(sys.argv[1])
    await ledger.start({"userId": sys.argv[2], "owner": {"environment": "cloud-dev"}})
    release_on_signal(ledger)
    print("held", flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


@pytest.mark.parametrize("code", [TERMINATED, TERMINATED_IN_A_LOOP], ids=["threads", "asyncio"])
async def test_sigterm_releases_what_is_held_and_then_ends_the_process(service: Service, code: str) -> None:
    user = new_user()
    owner = python(code, service.url, user)
    owner.wait_for("^held$")
    owner.child.terminate()
    assert owner.child.wait(10) == -signal.SIGTERM
    async with LedgerClient(service.url) as ledger:
        current = await ledger.current({"userId": user})
        assert current and current["status"] == "released"


@pytest.mark.parametrize(
    "results", ["[]", "[null]", '[{"sessionId":"another"}]', '["a"]', '[{"sessionId":"$","problem":{}}]']
)
async def test_an_answer_to_renewals_that_makes_no_sense_renews_nothing_and_is_asked_again(
    service: Service, results: str
) -> None:
    way = FaultyWay()
    async with LedgerClient(service.url, transport=way, max_watches=0) as ledger:
        session = await ledger.start({"userId": new_user(), "owner": DEV, "lease": {"seconds": 2}})
        text = f'{{"results":{results.replace("$", session.session_id)}}}'
        answer = lambda: httpx.Response(200, headers={"content-type": "application/json"}, content=text)  # noqa: E731
        way.plan("/v1/leases/renew", stopped(answer))
        while len(way.keys("/v1/leases/renew")) < 2:
            await asyncio.sleep(0.01)
        await asyncio.sleep(1.5)
        assert await session.run(lambda guarded: guarded.epoch) == 1
