"""Scenario 3, across languages: a reference goes over a real socket to the TypeScript client, and back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from support.service import DEV, Process, Service, new_user

from session_ledger import (
    LedgerClient,
    LedgerProblem,
    Realm,
    SessionMismatch,
    SessionReference,
    SessionResolver,
    in_session,
)

REALM = Realm("the bridge's ledger 😀")


class Bridge:
    """The other runtime, and this one's resolver."""

    def __init__(self, ledger: LedgerClient, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.ledger = ledger
        self.resolver = SessionResolver(ledger, realm=REALM)
        self._reader = reader
        self._writer = writer

    async def ask(self, **question: Any) -> Any:
        self._writer.write(json.dumps(question).encode() + b"\n")
        return json.loads(await self._reader.readline())


@asynccontextmanager
async def bridge(service: Service) -> AsyncIterator[Bridge]:
    other = Process(["node", "test/support/processes/bridge.js", service.url, REALM.ledger])
    reader, writer = await asyncio.open_connection("127.0.0.1", int(other.wait_for(r"bridge on (\d+)")[1]))
    try:
        async with LedgerClient(service.url) as ledger:
            yield Bridge(ledger, reader, writer)
    finally:
        writer.close()
        other.kill()


async def caught(work: Any) -> Any:
    with pytest.raises(Exception) as error:  # noqa: PT011
        await work
    return error.value


async def test_a_reference_of_typescript_is_opened_in_python_and_refused_in_another_session(service: Service) -> None:
    async with bridge(service) as one:
        sent = (await one.ask(refer="theirs"))["reference"]
        reference = SessionReference.parse(sent, "opened")
        assert await one.resolver.open(reference) == "opened"
        with in_session(reference.session):
            assert await one.resolver.open(reference) == "opened"
        mine = await one.ledger.start({"userId": new_user(), "owner": DEV})
        with in_session(mine):
            assert isinstance(await caught(one.resolver.open(reference)), SessionMismatch)
        elsewhere = SessionReference.parse({**sent, "realm": {"ledger": "another", "tenant": "default"}}, "opened")
        assert isinstance(await caught(one.resolver.open(elsewhere)), SessionMismatch)
        # And back: what comes home is opened at home.
        home = json.loads(json.dumps(reference.to_json()))
        assert home == sent
        assert await one.ask(open=home) == {"target": "theirs"}
        await one.ask(rotate=True)
        stale = await caught(one.resolver.open(reference))
        assert isinstance(stale, LedgerProblem)
        assert stale.code == "stale-session"


async def test_a_reference_of_python_is_opened_in_typescript_and_refused_in_another_session(service: Service) -> None:
    async with bridge(service) as one:
        mine = await one.ledger.start({"userId": new_user(), "owner": DEV})
        reference = one.resolver.refer(mine, "mine").to_json()
        assert await one.ask(open=reference) == {"target": "theirs"}
        own = {"sessionId": mine.session_id, "epoch": mine.epoch}
        assert await one.ask(open=reference, **{"in": own}) == {"target": "theirs"}
        upper = {**reference, "session": {**reference["session"], "sessionId": mine.session_id.upper()}}
        assert await one.ask(open=upper, **{"in": own}) == {"target": "theirs"}
        other = await one.ledger.start({"userId": new_user(), "owner": DEV})
        foreign = {"sessionId": other.session_id, "epoch": other.epoch}
        assert await one.ask(open=reference, **{"in": foreign}) == {"error": "session-mismatch"}
        older = {"sessionId": mine.session_id, "epoch": mine.epoch + 1}
        assert await one.ask(open=reference, **{"in": older}) == {"error": "session-mismatch"}
        await mine.rotate({"reason": "build"})
        assert await one.ask(open=reference) == {"error": "stale-session"}
        await mine.end({"reason": "done"})
        assert await one.ask(open=one.resolver.refer(mine, "mine").to_json()) == {"error": "session-ended"}
        assert "not a reference" in (await one.ask(open={"session": {}}))["error"]


async def test_references_never_leak_however_calls_interleave_on_both_sides(service: Service) -> None:
    async with bridge(service) as one:
        sessions = [await one.ledger.start({"userId": new_user(), "owner": DEV}) for _ in range(6)]
        for mine in sessions:
            for other in sessions:
                context = {"sessionId": other.session_id, "epoch": other.epoch}
                said = await one.ask(open=one.resolver.refer(mine, "x").to_json(), **{"in": context})
                assert said == ({"target": "theirs"} if mine is other else {"error": "session-mismatch"})
