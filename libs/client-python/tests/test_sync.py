"""The client for threads is the same client."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.service import DEBUG, DEV, Service, new_user, scope_of

import session_ledger
from session_ledger import Fence, FenceFull, Loss, NotHeld, SessionGuards, SessionName, fence_sql, is_problem, sync


def test_it_has_the_same_methods_with_the_same_arguments() -> None:
    import inspect

    for name in sync.__all__:
        one, other = getattr(session_ledger, name), getattr(sync, name)
        if not isinstance(one, type):
            continue
        names = {entry for entry in dir(one) if not entry.startswith("_")} - {"settled", "begin", "is_changing"}
        assert names - set(dir(other)) == set(), name
        for entry in names:
            if callable(getattr(one, entry)) and entry != "stream":
                mine = list(inspect.signature(getattr(one, entry)).parameters)
                assert mine == list(inspect.signature(getattr(other, entry)).parameters), f"{name}.{entry}"


def test_a_life_in_threads(service: Service) -> None:
    with sync.LedgerClient(service.url) as ledger, sync.LedgerClient(service.url) as other:
        user = new_user()
        with ledger.start({"userId": user, "owner": DEV, "lease": {"seconds": 5}}) as session:
            assert session.run(lambda guarded: guarded.epoch) == 1
            assert session.rotate({"reason": "build"})["outcome"] == "rotated"
            assert session.change_attributes({"a": 1})["outcome"] == "changed"
            assert ledger.guard(session.session_id, lambda guarded: guarded.epoch) == 2
            with pytest.raises(NotHeld, match="not-here"):
                other.guard(session.session_id, lambda guarded: guarded.epoch)
            current = ledger.current({"userId": user})
            assert current
            assert current == session.view
        assert session.state == "released"
        claimed = other.claim({"sessionId": session.session_id, "epoch": session.epoch, "owner": DEBUG})
        assert ledger.session(claimed.session_id)["status"] == "active"
        with pytest.raises(session_ledger.LedgerProblem) as caught:
            ledger.end(claimed.session_id, {"epoch": 1, "origin": DEV, "reason": "late"})
        assert is_problem(caught.value, "stale-epoch")
        claimed.end({"reason": "done"})
        assert ledger.current({"userId": user}) is None
        types = [event["type"].split(".")[1] for event in ledger.history({"userId": user})]
        assert types[0] == "SessionStarted"
        assert types[-1] == "SessionEnded"


def test_a_loss_is_told_to_a_listener_and_to_guarded_work_in_its_thread(service: Service) -> None:
    with sync.LedgerClient(service.url) as ledger, sync.LedgerClient(service.url) as other:
        mine = ledger.start({"userId": new_user(), "owner": DEV, "lease": {"seconds": 600}})
        heard: list[Loss] = []
        mine.on_lost(heard.append)
        with mine.guarded() as guarded:
            began = time.monotonic()
            other.start({"userId": scope_of(mine)["userId"], "owner": DEBUG})
            reason = guarded.signal.wait_blocking(5)
            assert isinstance(reason, NotHeld)
            assert time.monotonic() - began < 1
        assert mine.signal.wait_blocking(5)
        assert mine.loss
        assert (mine.loss.why, heard) == ("superseded", [mine.loss])
        with pytest.raises(NotHeld):
            mine.run(lambda _: "late")


def test_many_threads_share_a_client_and_a_session(service: Service) -> None:
    with sync.LedgerClient(service.url) as ledger, ThreadPoolExecutor(16) as pool:
        session = ledger.start({"userId": new_user(), "owner": DEV, "lease": {"seconds": 5}})
        epochs = list(pool.map(lambda _: session.run(lambda guarded: guarded.epoch), range(500)))
        assert set(epochs) == {1}
        answers = list(pool.map(lambda number: session.change_attributes({f"a{number % 20}": number}), range(40)))
        assert {answer["outcome"] for answer in answers} == {"changed"}
        joins = list(pool.map(lambda _: ledger.join({"userId": "of many", "owner": DEV}), range(50)))
        assert len({answer["session"]["sessionId"] for answer in joins}) == 1
        session.end({"reason": "done"})


def test_a_listener_that_would_wait_for_itself_is_told_so(service: Service) -> None:
    troubles: list[BaseException] = []
    with sync.LedgerClient(service.url, on_trouble=troubles.append) as ledger:
        mine = ledger.start({"userId": new_user(), "owner": DEV})
        mine.on_lost(lambda _: ledger.current(scope_of(mine)))
        ledger.start({"userId": scope_of(mine)["userId"], "owner": DEBUG})
        assert mine.signal.wait_blocking(5)
        until = time.monotonic() + 5
        while not troubles and time.monotonic() < until:
            time.sleep(0.01)
        assert "wait for itself" in str(troubles[0])


def test_the_lines_of_a_stream_come_as_they_are_written(service: Service) -> None:
    with sync.LedgerClient(service.url) as ledger:
        user = new_user()
        ledger.join({"userId": user, "owner": DEV})
        lines = ledger.stream("scopeStream", {"userId": user, "lastEventId": "0"})
        assert any("SessionStarted" in line for line in (next(lines) for _ in range(10)))
        lines.close()  # pyright: ignore


def test_an_automatic_session_is_started_once_by_all_threads() -> None:
    starts: list[int] = []

    def automatic() -> SessionName:
        starts.append(1)
        if len(starts) == 1:
            raise OSError("no ledger yet")
        time.sleep(0.05)
        return SessionName("own", 1)

    resolver = sync.SessionResolver(realm=session_ledger.Realm("here"), automatic=automatic)
    with pytest.raises(OSError, match="no ledger"):
        resolver.resolve()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: resolver.resolve().session_id, range(8)))
    assert (found, len(starts)) == (["own"] * 8, 2)


# What needs no ledger.


def test_a_fence_lets_no_lower_epoch_through() -> None:
    fence = Fence(most=2)
    assert [fence.accept("a", epoch) for epoch in (3, 2, 3, 4, 3)] == [True, False, True, True, False]
    for bad in (-1, 2**53, 1.0, True, "1"):
        assert fence.accept("b", bad) is False  # type: ignore
    assert fence.accept("b", 0)
    with pytest.raises(FenceFull, match="forget"):
        fence.accept("c", 1)
    fence.forget("b")
    assert fence.accept("c", 1)


def test_a_fence_lets_one_of_many_threads_win() -> None:
    fence = Fence()
    accepted: list[int] = []

    def write(epoch: int) -> None:
        if fence.accept("a", epoch):
            accepted.append(epoch)

    threads = [threading.Thread(target=write, args=(epoch,)) for epoch in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fence.accept("a", 198) is False
    assert 199 in accepted


def test_the_condition_of_a_statement() -> None:
    sql = fence_sql(3, 'epoch"; drop', "$2")
    assert sql.set == '"epoch""; drop" = $2::bigint'
    assert sql.where == 'coalesce("epoch""; drop", 0) <= $2::bigint'
    assert sql.value == 3
    for bad in (-1, 1.5, True, 2**53):
        with pytest.raises(ValueError, match="not an epoch"):
            fence_sql(bad, "epoch", "$1")  # type: ignore


def test_session_guards_reach_this_session_or_none() -> None:
    guards: SessionGuards[str] = SessionGuards(most=1)
    guards.add("ABC", "mine")
    assert guards.of("abc") == "mine"
    for bad in ("abc", "def"):
        with pytest.raises(ValueError, match="known"):
            guards.add(bad, "other")
    assert (guards.remove("Abc"), guards.remove("abc"), len(guards)) == ("mine", None, 0)
    with pytest.raises(NotHeld, match="not-here"):
        guards.of("abc")
