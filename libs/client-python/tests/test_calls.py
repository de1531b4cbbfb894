"""One call: what is sent again, what is said of its outcome, and what cannot be sent."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.faults import FaultyWay, cut, lost, never, page, problem, replaced, stopped, unsent
from support.service import DEBUG, DEV, Service, new_user

from session_ledger import (
    ClientBusy,
    CredentialError,
    LedgerClient,
    LedgerError,
    LedgerProblem,
    NoAnswer,
    UnexpectedAnswer,
    is_problem,
)

# What a call may end with, and whether that, by itself, leaves open what became of the command.
CLOSED = [
    ("invalid-request", 400),
    ("operate-required", 403),
    ("not-found", 404),
    ("request-timeout", 408),
    ("body-too-large", 413),
    ("overloaded", 429),
    ("headers-too-large", 431),
    ("overloaded", 503),
    ("timeout", 503),
    ("unavailable", 503),
    ("closing", 503),
    ("from-the-future", 409),
]
OPEN = [("internal", 500), ("unknown-outcome", 503), ("from-the-future", 503)]
ENDS: list[tuple[str, Any, bool]] = [
    *((f"{status} {code}", lambda c=code, s=status: problem(c, s), False) for code, status in CLOSED),
    *((f"{status} {code}", lambda c=code, s=status: problem(c, s), True) for code, status in OPEN),
    *((f"a page with {status}", lambda s=status: page(s), False) for status in (401, 403, 404, 409, 413, 429)),
    *((f"a page with {status}", lambda s=status: page(s), True) for status in (200, 302, 408, 500, 501, 502, 503, 504)),
]
ends = pytest.mark.parametrize(("what", "end", "is_open"), ENDS, ids=[what for what, _, _ in ENDS])


async def caught(work: Any) -> Any:
    with pytest.raises(Exception) as error:  # noqa: PT011
        await work
    return error.value


class Rotation:
    """A session of its own, and a rotation of it on a way that has faults."""

    def __init__(self, url: str, *faults: Any) -> None:
        self.url = url
        self.way = FaultyWay()
        self.way.plan("/rotate", *faults)

    async def __aenter__(self) -> Rotation:
        self.user = new_user()
        self.plain = LedgerClient(self.url)
        self.client = LedgerClient(self.url, transport=self.way, deadline=2, attempt=0.5)
        answer = await self.plain.call("startSession", {"body": {"userId": self.user, "owner": DEV}})
        self.session_id = answer["session"]["sessionId"]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.plain.close()
        await self.client.close()

    async def rotate(self, **how: Any) -> Any:
        body: Any = {"epoch": 1, "owner": DEV, "reason": "build"}
        return await self.client.call("rotateSession", {"params": {"sessionId": self.session_id}, "body": body}, **how)

    async def epoch(self) -> int | None:
        """Once it is 2, however long a busy machine takes for that."""
        for _ in range(500):
            current = await self.plain.current({"userId": self.user})
            if current and current["epoch"] == 2:
                return 2
            await asyncio.sleep(0.02)
        return None


@ends
async def test_an_end_says_whether_the_command_may_have_been_obeyed(
    service: Service, what: str, end: Any, is_open: bool
) -> None:
    async with Rotation(service.url, stopped(end)) as one:
        error = await caught(one.rotate())
        assert (error.outcome_unknown, len(one.way.keys("/rotate"))) == (is_open, 1)
        assert error.idempotency_key == one.way.keys("/rotate")[0]


@ends
async def test_after_an_attempt_that_was_obeyed_and_lost_it_may_have_been(
    service: Service, what: str, end: Any, is_open: bool
) -> None:
    async with Rotation(service.url, lost, stopped(end)) as one:
        error = await caught(one.rotate())
        keys = one.way.keys("/rotate")
        assert (error.outcome_unknown, len(keys), len(set(keys)), await one.epoch()) == (True, 2, 1, 2)


@ends
async def test_after_a_call_with_the_same_key_it_may_have_been(
    service: Service, what: str, end: Any, is_open: bool
) -> None:
    async with Rotation(service.url, lost, stopped(end)) as one:
        first = await caught(one.rotate(deadline=0.1))
        key = first.idempotency_key
        second = await caught(one.rotate(idempotency_key=key))
        assert (first.outcome_unknown, second.outcome_unknown, await one.epoch()) == (True, True, 2)
        again = await one.rotate(idempotency_key=key)
        assert (again["outcome"], again["session"]["epoch"]) == ("rotated", 2)


@pytest.mark.parametrize("end", [cut, never, replaced(lambda: problem("unknown-outcome", 503)), lost])
async def test_half_an_answer_a_late_one_a_replaced_one_and_none_leave_it_open(service: Service, end: Any) -> None:
    async with Rotation(service.url, end) as one:
        error = await caught(one.rotate(deadline=0.1))  # too little for a second attempt
        assert (error.outcome_unknown, await one.epoch()) == (True, 2)


async def test_what_the_ledger_has_decided_was_not_obeyed_whatever_came_before(service: Service) -> None:
    for before in ([], [unsent], [unsent, unsent]):
        async with Rotation(service.url, *before) as one:
            await one.plain.call("startSession", {"body": {"userId": one.user, "owner": DEBUG}})
            error = await caught(one.rotate())
            assert (error.code, error.outcome_unknown) == ("stale-session", False)


async def test_a_command_whose_answers_are_lost_is_repeated_with_its_key_and_obeyed_once(service: Service) -> None:
    way = FaultyWay()
    way.plan("/v1/sessions", lost, cut)
    async with LedgerClient(service.url, transport=way) as ledger:
        user = new_user()
        answer = await ledger.call("startSession", {"body": {"userId": user, "owner": DEV}})
        assert answer["session"]["epoch"] == 1
        keys = way.keys("/v1/sessions")
        assert (len(keys), len(set(keys))) == (3, 1)
        current = await ledger.current({"userId": user})
        assert current and current["sessionId"] == answer["session"]["sessionId"]
        assert way.requests[-1].headers.get("idempotency-key") is None  # a read has none


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
async def test_it_waits_as_long_as_retry_after_asks(service: Service, status: int) -> None:
    way = FaultyWay()
    way.plan("/v1/sessions", stopped(lambda: problem("overloaded", status, 1)))
    async with LedgerClient(service.url, transport=way) as ledger:
        began = time.monotonic()
        await ledger.join({"userId": new_user(), "owner": DEV})
        assert time.monotonic() - began >= 1
        way.plan("/v1/sessions", stopped(lambda: problem("overloaded", status, 60)))
        began = time.monotonic()
        error = await caught(ledger.join({"userId": new_user(), "owner": DEV}, deadline=5))
        assert time.monotonic() - began < 1  # a wait that the deadline would cut is not begun
        assert error.status == status


async def test_a_ledger_that_is_down_is_no_answer_within_the_deadline() -> None:
    async with LedgerClient("http://127.0.0.1:9", deadline=0.5, attempt=0.2) as ledger:
        began = time.monotonic()
        error = await caught(ledger.current({"userId": "ada"}))
        assert isinstance(error, NoAnswer)
        assert error.attempts > 1
        assert isinstance(error.__cause__, httpx.ConnectError)
        assert time.monotonic() - began < 1
        assert error.outcome_unknown is False


async def test_a_ledger_that_drips_its_answer_is_late(service: Service) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n")
        try:
            for _ in range(100):
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            pass
        writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with LedgerClient(f"http://127.0.0.1:{port}", deadline=0.6, attempt=0.2) as ledger:
        began = time.monotonic()
        error = await caught(ledger.current({"userId": "ada"}))
        assert isinstance(error, NoAnswer)
        assert time.monotonic() - began < 1
    server.close()


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("text/html", "<h1>Welcome</h1>"),
        ("application/json", '{"sessionId":'),
        ("application/json", '{"hello":"world"}'),
        ("application/json", "NaN"),
        ("application/json", "[" * 100_000),
        ("application/json", '"' + "x" * (33 << 20) + '"'),
    ],
    ids=["a page", "half a body", "other JSON", "no JSON", "deep JSON", "too much"],
)
async def test_what_is_no_answer_of_a_ledger_is_unexpected(kind: str, content: str) -> None:
    way = FaultyWay()
    answer = lambda: httpx.Response(200, headers={"content-type": kind}, content=content)  # noqa: E731
    way.plan("", *[stopped(answer)] * 20)
    async with LedgerClient("http://127.0.0.1:9", transport=way, deadline=0.3) as ledger:
        error = await caught(ledger.current({"userId": "ada"}))
        assert isinstance(error, UnexpectedAnswer)
        assert len(str(error)) < 400


async def test_a_read_has_no_outcome_and_more_than_one_command_may_be_done_in_part() -> None:
    way = FaultyWay()
    way.plan("", *[stopped(lambda: problem("unavailable", 503))] * 5)
    async with LedgerClient("http://127.0.0.1:9", transport=way) as ledger:
        params: Any = {"sessionId": "01920000-0000-7003-8000-000000000000"}
        calls: list[Any] = [
            ledger.current({"userId": "ada"}),
            ledger.call("eraseDetails", {"query": {"userId": "ada"}}),
            ledger.call("renewLease", {"params": params, "body": {"epoch": 1}}),
            ledger.call("touchSession", {"params": params, "body": {}}),
            ledger.call("recordUsage", {"params": params, "body": {"usageId": "a"}}),  # pyright: ignore
        ]
        assert [(await caught(one)).outcome_unknown for one in calls] == [False, True, True, True, False]


async def test_more_calls_than_it_may_make_are_refused_before_they_are_sent() -> None:
    way = FaultyWay()

    async def slow(send: Any) -> httpx.Response:
        await asyncio.sleep(0.3)
        return problem("no-current-session", 404)

    way.plan("", slow, slow, slow)
    async with LedgerClient("http://127.0.0.1:9", transport=way, max_calls=2, gather=False) as ledger:
        calls = [ledger.current({"userId": "ada"}) for _ in range(3)]
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert results[:2] == [None, None]
        assert isinstance(results[2], ClientBusy)
        assert len(way.requests) == 2


async def test_an_address_with_a_path_is_a_ledger_behind_a_gateway() -> None:
    way = FaultyWay()
    way.plan("", stopped(lambda: page(404)))
    async with LedgerClient("http://ledger.test/team/ledger/", transport=way) as ledger:
        await caught(ledger.current({"userId": "a b&c/d", "projectId": "ü"}))
        path = "/team/ledger/v1/current?userId=a%20b%26c%2Fd&projectId=%C3%BC"
        assert way.requests[0].url.raw_path.decode() == path
    for bad in ("ftp://ledger", "ledger", ""):
        with pytest.raises(ValueError, match="address"):
            LedgerClient(bad)


async def test_history_comes_in_order_over_pages(service: Service) -> None:
    user = new_user()
    async with LedgerClient(service.url) as ledger:
        for _ in range(3):
            await ledger.call("startSession", {"body": {"userId": user, "owner": DEV}})
        types = [event["type"].split(".")[1] async for event in ledger.history({"userId": user})]
        next_one = ["SessionSuperseded", "SessionStarted"]
        assert types == ["SessionStarted", *next_one, *next_one]


async def test_a_cancelled_call_ends_at_once_and_leaves_the_client_usable(service: Service) -> None:
    async with LedgerClient(service.url, max_calls=1) as ledger:
        query: Any = {"userId": new_user(), "wait": 30, "after": 0}
        wait = asyncio.ensure_future(ledger.call("currentSession", {"query": query}, attempt=40, deadline=40))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        wait.cancel()
        assert isinstance(await asyncio.gather(wait, return_exceptions=True), list)
        assert time.monotonic() - began < 0.5
        assert await ledger.current({"userId": "nobody"}) is None


# What cannot be sent as it is meant.


async def test_a_datetime_has_to_have_a_time_zone(service: Service) -> None:
    user = new_user()
    async with LedgerClient(service.url) as ledger:
        await ledger.call("startSession", {"body": {"userId": user, "owner": DEV}})
        moment = datetime.now(timezone.utc) + timedelta(seconds=0)
        for aware in (moment, moment.astimezone(timezone(timedelta(hours=5, minutes=30)))):
            query: Any = {"userId": user, "asOf": aware}
            found: Any = await ledger.call("currentSession", {"query": query})
            assert found["scope"]["userId"] == user
        naive: Any = {"userId": user, "asOf": datetime(2026, 1, 1)}
        error = await caught(ledger.call("currentSession", {"query": naive}))
        assert isinstance(error, ValueError)
        assert "time zone" in str(error)
        body: Any = {"userId": user, "owner": DEV, "attributes": {"at": datetime(2026, 1, 1)}}
        assert isinstance(await caught(ledger.start(body)), ValueError)
        body["attributes"] = {"at": moment, "cost": Decimal("0.10")}
        session = await ledger.start(body)
        expected = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        assert session.view["attributes"] == {"at": expected, "cost": "0.10"}


@pytest.mark.parametrize("bad", ["\ud83d", "a\udc00b"])
async def test_half_of_a_surrogate_pair_is_refused_before_anything_is_sent(bad: str) -> None:
    way = FaultyWay()
    async with LedgerClient("http://127.0.0.1:9", transport=way) as ledger:
        attributes: Any = {"a": bad}
        for call in (
            ledger.current({"userId": bad}),
            ledger.start({"userId": bad, "owner": DEV}),
            ledger.start({"userId": "ada", "owner": DEV, "attributes": attributes}),
            ledger.session(bad),
        ):
            error = await caught(call)
            assert isinstance(error, ValueError)
            assert "surrogate" in str(error)
        assert way.requests == []


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), object(), {1, 2}, b"bytes"])
async def test_what_json_has_no_form_for_is_refused_before_anything_is_sent(bad: Any) -> None:
    way = FaultyWay()
    async with LedgerClient("http://127.0.0.1:9", transport=way) as ledger:
        error = await caught(ledger.start({"userId": "ada", "owner": DEV, "attributes": {"a": bad}}))
        assert isinstance(error, ValueError | TypeError)
        assert way.requests == []


async def test_odd_unicode_comes_back_as_it_was(service: Service) -> None:
    async with LedgerClient(service.url) as ledger:
        for name in ("e\u0301 é", "😀👩‍👩‍👧", "\u202eabc", "a/b?c#d&e=f%2F+", "\ufeff\u2028", "𝒳"):
            user = f"{name} {new_user()}"
            session = await ledger.start({"userId": user, "owner": DEV, "attributes": {name: name}})
            assert session.view["scope"]["userId"] == user
            assert session.view["attributes"] == {name: name}
            current = await ledger.current({"userId": user})
            assert current and current["sessionId"] == session.session_id
            await session.end({"reason": "done"})


@pytest.mark.parametrize("key", ["", "ü", "a\n", "x" * 257])
async def test_a_key_has_to_fit_a_header(key: str) -> None:
    async with LedgerClient("http://127.0.0.1:9") as ledger:
        assert isinstance(await caught(ledger.join({"userId": "ada", "owner": DEV}, idempotency_key=key)), ValueError)


# Who is asking.


async def test_a_token_is_sent_as_bearer_and_shown_to_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("of-a-file\n")
    count = iter(range(10))

    async def provider() -> str:
        return f"number-{next(count)}"

    async def sent(token: Any) -> list[str | None]:
        way = FaultyWay()
        way.plan(
            "", stopped(lambda: problem("overloaded", 503, 0)), stopped(lambda: problem("no-current-session", 404))
        )
        async with LedgerClient("http://127.0.0.1:9", transport=way, token=token) as ledger:
            await ledger.current({"userId": "ada"})
            assert "secret" not in repr(ledger) + repr(vars(ledger)) + repr(vars(ledger._transport))  # pyright: ignore
        return [one.headers.get("authorization") for one in way.requests]

    assert await sent(None) == [None, None]
    assert await sent("secret-one") == ["Bearer secret-one"] * 2
    assert await sent(provider) == ["Bearer number-0", "Bearer number-1"]  # anew for each attempt
    assert await sent(lambda: "of-a-function") == ["Bearer of-a-function"] * 2
    monkeypatch.setenv("LEDGER_TOKEN_FILE", os.fspath(file))
    assert await sent(None) == ["Bearer of-a-file"] * 2
    monkeypatch.setenv("LEDGER_TOKEN", "of-the-environment")
    assert await sent(None) == ["Bearer of-the-environment"] * 2


async def test_a_token_that_cannot_be_had_is_an_attempt_that_was_not_sent() -> None:
    async def never_comes() -> str:
        await asyncio.sleep(3_600)
        return ""

    def fails() -> str:
        raise OSError("no token just now")

    for token in (never_comes, fails):
        way = FaultyWay()
        async with LedgerClient("http://127.0.0.1:9", transport=way, token=token, deadline=0.4, attempt=0.1) as ledger:
            error = await caught(ledger.join({"userId": "ada", "owner": DEV}))
            assert isinstance(error, NoAnswer)
            assert (error.outcome_unknown, way.requests) == (False, [])
            assert "secret" not in str(error) + repr(error) + repr(error.__cause__)


async def test_a_token_that_no_header_can_carry_is_an_error_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def refused(token: Any) -> str:
        way = FaultyWay()
        async with LedgerClient("http://127.0.0.1:9", transport=way, token=token) as ledger:
            error = await caught(ledger.join({"userId": "ada", "owner": DEV}))
        assert isinstance(error, CredentialError)
        assert (error.outcome_unknown, way.requests) == (False, [])
        assert "secret" not in str(error) + repr(error) + repr(error.__cause__)
        return str(error)

    assert await refused("secret\nline") == "the token holds a line break: a token is one line"
    assert await refused(lambda: "secret\u00fc") == "the token holds a blank or a character that no header can carry"
    assert await refused("") == "the token is empty"
    file = tmp_path / "token"
    monkeypatch.setenv("LEDGER_TOKEN_FILE", os.fspath(file))
    assert (await refused(None)).startswith("LEDGER_TOKEN_FILE names ")
    file.write_text("secret\nline")
    assert "LEDGER_TOKEN_FILE names holds a line break" in await refused(None)
    monkeypatch.setenv("LEDGER_TOKEN", "secret\nline")
    assert await refused(None) == "LEDGER_TOKEN holds a line break: a token is one line"


async def test_a_file_that_was_read_may_be_missing_for_a_moment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("first")
    monkeypatch.setenv("LEDGER_TOKEN_FILE", os.fspath(file))
    way = FaultyWay()
    way.plan("", stopped(lambda: problem("no-current-session", 404)))
    async with LedgerClient("http://127.0.0.1:9", transport=way, deadline=0.4) as ledger:
        await ledger.current({"userId": "ada"})
        file.unlink()
        assert isinstance(await caught(ledger.current({"userId": "ada"})), NoAnswer)


async def test_headers_are_asked_for_before_each_attempt(service: Service) -> None:
    way = FaultyWay()
    asked: list[int] = []

    def headers() -> dict[str, str]:
        asked.append(1)
        if len(asked) == 1:
            raise OSError("not yet")
        return {"x-number": str(len(asked))}

    async with LedgerClient(service.url, transport=way, headers=headers) as ledger:
        await ledger.join({"userId": new_user(), "owner": DEV})
        assert [one.headers["x-number"] for one in way.requests] == ["2"]


async def test_problems_are_told_apart_by_code() -> None:
    error: LedgerError = LedgerProblem(
        {"type": "/problems/from-the-future", "title": "New", "status": 409, "retryable": False}, outcome_unknown=False
    )
    assert is_problem(error)
    assert error.code == "unknown-problem"
    assert not is_problem(error, "stale-session")
    assert str(error) == "unknown-problem: New"
    assert not is_problem(ValueError())
