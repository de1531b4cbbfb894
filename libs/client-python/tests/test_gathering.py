"""Calls that are made together go in one request, and each is as it would be by itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from support.faults import FaultyWay, cut, lost, page, problem, stopped
from support.service import DEBUG, DEV, Service, new_user

from session_ledger import LedgerClient, LedgerProblem, NoAnswer, UnexpectedAnswer, sync
from session_ledger.calls.clock import now

ALONE = ("/v1/sessions", 1)


def sent(way: FaultyWay) -> list[tuple[str, int]]:
    """Where each request went, and how many calls went in it."""
    found: list[tuple[str, int]] = []
    for request in way.requests:
        body: Any = json.loads(request.content) if request.content else {}
        found.append((request.url.path, len(body.get("commands") or body.get("of") or [0])))
    return found


def start(ledger: LedgerClient, user: str | None = None, owner: Any = DEV, /, **how: Any) -> Awaitable[Any]:
    return ledger.call("startSession", {"body": {"userId": user or new_user(), "owner": owner}}, **how)


def together(*calls: Awaitable[Any]) -> Awaitable[list[Any]]:
    """What each came to, errors too."""
    return asyncio.gather(*calls, return_exceptions=True)


class Held:
    """A fault: what the ledger answers comes when it is let go."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self.let_go = asyncio.Event()

    async def __call__(self, send: Any) -> httpx.Response:
        response = await send()
        self.arrived.set()
        await self.let_go.wait()
        return response


async def test_commands_of_one_turn_go_in_one_request_and_each_gets_its_own_answer(service: Service) -> None:
    way = FaultyWay()
    async with LedgerClient(service.url, transport=way) as ledger:
        users = [new_user() for _ in range(64)]
        answers = await asyncio.gather(*(start(ledger, user) for user in users))
    assert sent(way) == [("/v1/commands", 64)]
    assert [one["session"]["scope"]["userId"] for one in answers] == users
    assert {one["outcome"] for one in answers} == {"started"}
    assert "status" not in answers[0]


async def test_commands_that_are_alone_go_as_they_always_did(service: Service) -> None:
    way = FaultyWay()
    async with LedgerClient(service.url, transport=way) as ledger:
        await start(ledger)
        await start(ledger)
    assert sent(way) == [ALONE, ALONE]


async def test_commands_made_while_four_requests_are_under_way_wait_and_go_together(service: Service) -> None:
    way = FaultyWay()
    held = [Held() for _ in range(4)]
    way.plan("/v1/sessions", *held)
    async with LedgerClient(service.url, transport=way) as ledger:
        calls: list[asyncio.Future[Any]] = []
        for one in held:
            calls.append(asyncio.ensure_future(start(ledger)))
            await one.arrived.wait()
        for _ in range(3):
            calls.append(asyncio.ensure_future(start(ledger)))
            await asyncio.sleep(0.01)
        assert len(way.requests) == 4
        held[2].let_go.set()
        await asyncio.gather(calls[2], *calls[4:])
        for one in held:
            one.let_go.set()
        await asyncio.gather(*calls)
    assert sent(way) == [ALONE] * 4 + [("/v1/commands", 3)]


async def test_a_call_that_is_given_up_in_any_moment_leaves_its_place_to_others(service: Service) -> None:
    async with LedgerClient(service.url) as ledger:
        for turns in range(6):
            for count in (1, 2):
                calls = [asyncio.ensure_future(start(ledger)) for _ in range(count)]
                for _ in range(turns):
                    await asyncio.sleep(0)
                for one in calls:
                    one.cancel()
                await together(*calls)
        # Had they kept their places, nothing would go any more.
        assert (await asyncio.wait_for(start(ledger), 10))["outcome"] == "started"


async def test_commands_are_no_more_than_500_in_a_request_and_none_is_left(service: Service) -> None:
    way = FaultyWay()
    async with LedgerClient(service.url, transport=way) as ledger:
        await asyncio.gather(*(start(ledger) for _ in range(900)))
    assert sent(way) == [("/v1/commands", 500), ("/v1/commands", 400)]


async def test_commands_that_are_large_go_in_several_requests(service: Service) -> None:
    way = FaultyWay()
    async with LedgerClient(service.url, transport=way) as ledger:
        bodies: list[Any] = [
            {"userId": new_user(), "owner": DEV, "attributes": {"text": "ü" * 2_000}} for _ in range(100)
        ]
        answers = await asyncio.gather(*(ledger.call("startSession", {"body": body}) for body in bodies))
    assert {one["outcome"] for one in answers} == {"started"}
    assert sum(count for _, count in sent(way)) == 100
    assert len(way.requests) == 2
    assert all(len(request.content) < 301_000 for request in way.requests)


async def test_commands_for_one_scope_keep_their_order_also_over_requests(service: Service) -> None:
    way, held, user = FaultyWay(), Held(), new_user()
    way.plan("/v1/commands", held)
    async with LedgerClient(service.url, transport=way) as ledger:
        first, beside = asyncio.ensure_future(start(ledger, user)), asyncio.ensure_future(start(ledger))
        await held.arrived.wait()
        # The first is under way: this one waits for it, others do not.
        second = asyncio.ensure_future(start(ledger, user, DEBUG))
        await start(ledger)
        held.let_go.set()
        one, _, two = await asyncio.gather(first, beside, second)
    assert [one["session"]["epoch"], two["session"]["epoch"]] == [1, 2]
    assert sent(way) == [("/v1/commands", 2), ALONE, ALONE]


async def test_commands_that_are_refused_have_their_own_error_and_spoil_nothing(service: Service) -> None:
    user = new_user()
    async with LedgerClient(service.url) as ledger:
        await start(ledger, user)
        reject: Any = {"userId": user, "owner": DEV, "onConflict": "reject"}
        wrong: Any = {"userId": "", "owner": DEV}
        good, refused, bad = await together(
            start(ledger),
            ledger.call("startSession", {"body": reject}),
            ledger.call("startSession", {"body": wrong}),
        )
    assert good["outcome"] == "started"
    assert isinstance(refused, LedgerProblem) and isinstance(bad, LedgerProblem)
    assert (refused.code, refused.status, refused.outcome_unknown) == ("session-active", 409, False)
    assert refused.current and refused.current["scope"]["userId"] == user
    assert (bad.code, bad.status) == ("invalid-request", 400)
    assert bad.detail and "body.userId" in bad.detail


async def test_a_call_for_which_the_whole_list_is_refused_spoils_nothing_for_the_others(service: Service) -> None:
    user, way = new_user(), FaultyWay()
    async with LedgerClient(service.url, transport=way) as ledger:
        body: Any = {"epoch": 1, "owner": DEV, "reason": "build"}
        long: Any = {"params": {"sessionId": "a" * 100}, "body": body}
        one, bad, two = await together(start(ledger, user), ledger.call("rotateSession", long), start(ledger, user))
        assert isinstance(bad, LedgerProblem) and bad.outcome_unknown is False
        assert [one["session"]["epoch"], two["session"]["epoch"]] == [1, 2]
        assert sent(way)[0] == ("/v1/commands", 3) and len(way.requests) == 4
        current, wrong = await together(ledger.current({"userId": user}), ledger.current({"userId": ""}))
        assert current["sessionId"] == two["session"]["sessionId"]
        assert isinstance(wrong, LedgerProblem) and wrong.code == "invalid-request"


@pytest.mark.parametrize("fault", [lost, cut])
async def test_commands_whose_answer_is_lost_are_asked_for_again_by_their_keys_and_obeyed_once(
    service: Service, fault: Any
) -> None:
    way = FaultyWay()
    way.plan("/v1/commands", fault)
    async with LedgerClient(service.url, transport=way) as ledger:
        answers = await asyncio.gather(start(ledger), start(ledger, idempotency_key="own " + new_user()))
    assert [one["session"]["epoch"] for one in answers] == [1, 1]
    # The pauses differ by chance, so they may come alone.
    assert sum(count for _, count in sent(way)) == 4


async def test_commands_can_be_given_up_one_by_one(service: Service) -> None:
    async with LedgerClient(service.url) as ledger:
        one, other = asyncio.ensure_future(start(ledger)), asyncio.ensure_future(start(ledger))
        await asyncio.sleep(0)
        one.cancel()
        gone, answer = await together(one, other)
    assert isinstance(gone, asyncio.CancelledError)
    assert answer["outcome"] == "started"


async def test_each_has_its_own_time_and_a_request_that_nobody_waits_for_ends(service: Service) -> None:
    ended = asyncio.Event()

    async def never_answers(_: Any) -> httpx.Response:
        try:
            await asyncio.sleep(3_600)
        finally:
            ended.set()
        raise AssertionError

    way = FaultyWay()
    way.plan("/v1/commands", never_answers)
    async with LedgerClient(service.url, transport=way) as ledger:
        late, later = (asyncio.ensure_future(start(ledger, deadline=seconds)) for seconds in (0.2, 0.5))
        error, *_ = await together(late)
        assert not later.done() and not ended.is_set()
        for each in (error, *await together(later)):
            assert isinstance(each, NoAnswer)
            assert each.outcome_unknown is True
        await asyncio.wait_for(ended.wait(), 10)


async def test_calls_that_were_not_sent_were_not_obeyed() -> None:
    async def never_comes() -> str:
        await asyncio.sleep(3_600)
        return ""

    way = FaultyWay()
    async with LedgerClient("http://127.0.0.1:9", transport=way, token=never_comes) as ledger:
        errors = await together(start(ledger, deadline=0.2), start(ledger, deadline=0.2))
    assert [(type(one), one.outcome_unknown) for one in errors] == [(NoAnswer, False)] * 2
    assert way.requests == []


@pytest.mark.parametrize("answer", [lambda: problem("not-found", 404), lambda: page(405)])
async def test_they_go_one_by_one_to_a_ledger_that_takes_no_lists(service: Service, answer: Any) -> None:
    way = FaultyWay()
    way.plan("/v1/commands", stopped(answer))
    async with LedgerClient(service.url, transport=way) as ledger:
        answers = await asyncio.gather(*(start(ledger) for _ in range(3)))
        assert [one["outcome"] for one in answers] == ["started"] * 3
        await asyncio.gather(start(ledger), start(ledger))
    assert sent(way) == [("/v1/commands", 3), *[ALONE] * 5]


async def test_a_ledger_that_took_no_lists_is_asked_again_after_a_minute(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    way = FaultyWay()
    way.plan("/v1/commands", stopped(lambda: problem("not-found", 404)))
    later = 0.0
    monkeypatch.setattr("session_ledger.calls.gathering.now", lambda: now() + later)
    async with LedgerClient(service.url, transport=way) as ledger:
        for seconds in (0, 59, 61):
            later = seconds
            await asyncio.gather(start(ledger), start(ledger))
    assert sent(way) == [("/v1/commands", 2), *[ALONE] * 4, ("/v1/commands", 2)]


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("text/html", "<p>log in</p>"),
        ("application/json", '{"answers":[{"status":201}]}'),
        ("application/json", '{"answers":['),
        ("application/json", '{"answers":[null,3]}'),
        ("application/json", '{"answers":[{"status":201},{"status":201}]}'),
        ("application/json", "[]"),
    ],
    ids=["a page", "too few answers", "half a body", "answers that are none", "empty answers", "no object"],
)
async def test_commands_that_get_no_list_of_answers_may_have_been_obeyed(kind: str, content: str) -> None:
    way = FaultyWay()
    answer = lambda: httpx.Response(200, headers={"content-type": kind}, content=content)  # noqa: E731
    way.plan("", *[stopped(answer)] * 50)
    async with LedgerClient("http://127.0.0.1:9", transport=way) as ledger:
        errors = await together(start(ledger, deadline=0.2), start(ledger, deadline=0.2))
    assert [(type(one), one.outcome_unknown) for one in errors] == [(UnexpectedAnswer, True)] * 2
    assert errors[0].idempotency_key != errors[1].idempotency_key


async def test_each_waits_as_long_as_its_own_answer_asks() -> None:
    busy = {"type": "/problems/overloaded", "title": "", "status": 503, "retryable": True, "retryAfter": 60}
    refused = {"type": "/problems/session-active", "title": "", "status": 409, "retryable": False}
    content = json.dumps({"answers": [busy, refused]})
    way = FaultyWay()
    headers = {"content-type": "application/json"}
    way.plan("/v1/commands", stopped(lambda: httpx.Response(200, headers=headers, content=content)))
    async with LedgerClient("http://127.0.0.1:9", transport=way) as ledger:
        one, other = await together(start(ledger, deadline=5), start(ledger))
    assert [(error.code, error.outcome_unknown) for error in (one, other)] == [
        ("overloaded", False),
        ("session-active", False),
    ]
    assert len(way.requests) == 1  # a wait that the deadline would cut is not begun


async def test_they_are_not_gathered_where_that_is_switched_off(service: Service) -> None:
    way = FaultyWay()
    async with LedgerClient(service.url, transport=way, gather=False) as ledger:
        await asyncio.gather(start(ledger), start(ledger))
        await asyncio.gather(*(ledger.current({"userId": new_user()}) for _ in range(2)))
    assert sent(way) == [ALONE, ALONE, ("/v1/current", 1), ("/v1/current", 1)]
    assert [one.method for one in way.requests[2:]] == ["GET", "GET"]


async def test_reads_of_one_turn_go_in_one_request_and_who_has_none_gets_none(service: Service) -> None:
    way, users = FaultyWay(), [new_user(), new_user()]
    async with LedgerClient(service.url, transport=way) as ledger:
        await asyncio.gather(*(start(ledger, user) for user in users))
        way.requests.clear()
        one, none, other, site = await asyncio.gather(
            ledger.current({"userId": users[0]}),
            ledger.current({"userId": new_user()}),
            ledger.current({"userId": users[1]}),
            ledger.current({"userId": users[1], "projectId": "site"}),
        )
    assert sent(way) == [("/v1/current", 4)]
    assert [one and one["scope"]["userId"], none, other and other["scope"]["userId"], site] == [
        users[0],
        None,
        users[1],
        None,
    ]


async def test_reads_that_say_more_than_a_scope_go_by_themselves(service: Service) -> None:
    way, user = FaultyWay(), new_user()
    async with LedgerClient(service.url, transport=way) as ledger:
        await start(ledger, user)
        way.requests.clear()
        query: Any = {"userId": user, "include": "lease"}
        await asyncio.gather(*(ledger.call("currentSession", {"query": query}) for _ in range(2)))
    assert [one.method for one in way.requests] == ["GET", "GET"]


def test_calls_of_threads_are_gathered_as_well(service: Service) -> None:
    way, users = FaultyWay(), [new_user() for _ in range(64)]
    with sync.LedgerClient(service.url, transport=way) as ledger, ThreadPoolExecutor(32) as threads:
        bodies: list[Any] = [{"userId": user, "owner": DEV} for user in users]
        joined = list(threads.map(ledger.join, bodies))
    assert [one["session"]["scope"]["userId"] for one in joined] == users
    assert sum(count for _, count in sent(way)) == 64
    assert len(way.requests) < 64
