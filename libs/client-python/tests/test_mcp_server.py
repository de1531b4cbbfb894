"""Scenario 2: a tool server that keeps nothing in its memory, over real MCP clients of both protocol styles."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from support.service import ROOT, Process, Service, new_user

from session_ledger import LedgerClient

MAIN = os.path.join(ROOT, "examples/mcp-server-python/main.py")
REPOSITORY = "/home/ada/site"
MODERN = "2026-07-28"


class ToolServer:
    def __init__(self, ledger: Service, deadline: str = "5") -> None:
        self._env: dict[str, str | None] = {"LEDGER_URL": ledger.url, "LEDGER_DEADLINE": deadline}
        self._port = "0"
        self.start()

    def start(self) -> None:
        self.process = Process([sys.executable, MAIN], self._env | {"PORT": self._port})
        self._port = self.process.wait_for(r"^MCP server on http://127\.0\.0\.1:(\d+)")[1]
        self.url = f"http://127.0.0.1:{self._port}/mcp"

    def kill(self) -> None:
        self.process.kill()

    def restart(self) -> None:
        self.kill()
        self.start()


@pytest.fixture(scope="module")
def ledger() -> Any:
    started = Service()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def server(ledger: Service) -> Any:
    started = ToolServer(ledger)
    yield started
    started.kill()


class Agent:
    """An MCP client, and the id that its connection was given."""

    def __init__(self, client: Client, ids: list[str]) -> None:
        self._client = client
        self._ids = ids

    @property
    def id(self) -> str | None:
        return self._ids[0] if self._ids else None

    async def call(self, tool: str, **arguments: Any) -> Any:
        result: Any = await self._client.call_tool(tool, arguments)
        return result.content[0].text if result.is_error else result.structured_content


@asynccontextmanager
async def connected(
    server: ToolServer, name: str, root: str | None = None, mode: str = "legacy"
) -> AsyncIterator[Agent]:
    """`legacy`: with protocol sessions, where the server gives a name; `2026-07-28`: the protocol has none."""
    from mcp_types import Implementation

    ids: list[str] = []

    async def keep(response: httpx2.Response) -> None:
        if "mcp-session-id" in response.headers:
            ids.append(response.headers["mcp-session-id"])

    headers = {} if root is None else {"x-repository-root": root}
    async with httpx2.AsyncClient(headers=headers, event_hooks={"response": [keep]}, timeout=30) as http:
        transport = streamable_http_client(server.url, http_client=http)
        info = Implementation(name=name, version="1")
        async with Client(transport, mode=mode, client_info=info) as client:
            yield Agent(client, ids)


async def events_of(service: Service, agent: str, root: str = REPOSITORY) -> list[str]:
    async with LedgerClient(service.url) as client:
        history = client.history({"userId": agent, "projectId": root})
        return [event["type"].split(".")[1] async for event in history]


async def test_restart(ledger: Service, server: ToolServer) -> None:
    """What was set is there after kill -9 of server and ledger, on the same connection and on a new one."""
    name = new_user()
    async with connected(server, name, REPOSITORY) as agent:
        assert agent.id
        assert await agent.call("get_project") == {"project": None}
        assert await agent.call("set_project", project="project_a") == {"project": "project_a"}
        server.kill()
        ledger.restart()
        server.start()
        assert await agent.call("get_project") == {"project": "project_a"}
        async with connected(server, name, REPOSITORY) as again:
            assert again.id != agent.id
            assert await again.call("get_project") == {"project": "project_a"}
    assert await events_of(ledger, name) == ["SessionStarted", "AttributesChanged"]


@pytest.mark.parametrize("mode", ["legacy", MODERN])
async def test_restart_without_protocol_sessions(ledger: Service, server: ToolServer, mode: str) -> None:
    name = new_user()
    who = {"agent": name, "repository": REPOSITORY}
    async with connected(server, "any client", mode=mode) as agent:
        assert agent.id is None
        await agent.call("set_project", project="project_b", **who)
        session = (await agent.call("open_session", **who))["session"]
    server.restart()
    async with connected(server, "another client", mode=mode) as agent:
        assert await agent.call("get_project", session=session) == {"project": "project_b"}
        assert await agent.call("get_project", **who) == {"project": "project_b"}
        assert "Say whose project" in await agent.call("get_project")
        assert "unknown-handle" in await agent.call("get_project", session="made up")
    assert await events_of(ledger, name) == ["SessionStarted", "AttributesChanged"]


async def test_isolation(server: ToolServer) -> None:
    """Two agents and two repositories each, 1,000 calls at once, of both styles: never each other's."""
    agents = [(name, root) for name in (new_user(), new_user()) for root in ("/a", "/a/")]

    async def work(number: int, name: str, root: str, mode: str) -> list[Any]:
        wrong: list[Any] = []
        given = root if mode == "legacy" else None
        async with connected(server, name, given, mode) as agent:
            for turn in range(94):
                who = {} if given and turn % 2 else {"agent": name, "repository": root}
                if turn % 3 == 0:
                    await agent.call("set_project", project=f"project {number}", **who)
                answer = await agent.call("get_project", **who)
                if answer != {"project": f"project {number}"}:
                    wrong.append(answer)
        return wrong

    jobs = [work(number, *one, mode) for number, one in enumerate(agents) for mode in ("legacy", MODERN)]
    assert [wrong for found in await asyncio.gather(*jobs) for wrong in found] == []
    async with connected(server, agents[0][0], agents[0][1]) as agent:
        foreign = await agent.call("get_project", agent=agents[2][0], repository="/a")
        assert "another session" in foreign


async def test_unstable_transport(ledger: Service, server: ToolServer) -> None:
    """A new transport id for every request: one session throughout."""
    name = new_user()
    ids: set[str | None] = set()
    for number in range(10):
        async with connected(server, name, REPOSITORY) as agent:
            await agent.call("set_project", project=f"project {number}")
            ids.add(agent.id)
        async with connected(server, name, REPOSITORY) as agent:
            assert await agent.call("get_project") == {"project": f"project {number}"}
            ids.add(agent.id)
    assert len(ids) == 20
    assert await events_of(ledger, name) == ["SessionStarted", *["AttributesChanged"] * 10]


async def test_race(ledger: Service) -> None:
    """200 first requests for one key at once, over two tool servers and two replicas: one session, 199 joins."""
    replica = Service(database=ledger.database)
    # All at once take a busy machine longer than an agent would wait.
    servers = [ToolServer(ledger, "60"), ToolServer(replica, "60")]
    try:
        name = new_user()
        who = {"agent": name, "repository": REPOSITORY}
        async with connected(servers[0], "a", mode=MODERN) as one, connected(servers[1], "b", mode=MODERN) as two:
            calls = [agent.call("open_session", **who) for _ in range(100) for agent in (one, two)]
            answers = await asyncio.gather(*calls)
            assert [one for one in answers if not isinstance(one, dict)] == []
            assert len({one["session"] for one in answers}) == 200
        assert await events_of(ledger, name) == ["SessionStarted"]
        async with LedgerClient(ledger.url) as first, LedgerClient(replica.url) as second:
            user = new_user()
            joins = [
                client.join({"userId": user, "owner": {"environment": "a"}})
                for _ in range(100)
                for client in (first, second)
            ]
            answers = await asyncio.gather(*joins)
            outcomes = [answer["outcome"] for answer in answers]
            assert (outcomes.count("started"), outcomes.count("joined")) == (1, 199)
            assert len({answer["session"]["sessionId"] for answer in answers}) == 1
    finally:
        for one_server in servers:
            one_server.kill()
        replica.stop()


async def test_a_connection_whose_session_is_over_has_to_connect_anew(ledger: Service, server: ToolServer) -> None:
    name = new_user()
    async with LedgerClient(ledger.url) as client, connected(server, name, REPOSITORY) as agent:
        current = await client.current({"userId": name, "projectId": REPOSITORY})
        assert current
        stop: Any = {"epoch": current["epoch"], "origin": {"environment": "mcp-server"}, "reason": "test"}
        await client.end(current["sessionId"], stop)
        with pytest.raises(MCPError):
            await agent.call("get_project")
    async with connected(server, name, REPOSITORY) as agent:
        assert await agent.call("get_project") == {"project": None}


async def test_the_ledger_is_down_and_the_tool_says_so(ledger: Service, server: ToolServer) -> None:
    name = new_user()
    async with connected(server, "any", mode=MODERN) as agent:
        who = {"agent": name, "repository": REPOSITORY}
        await agent.call("set_project", project="project_c", **who)
        ledger.kill()
        said = await agent.call("set_project", project="lost", **who)
        assert "Nothing was changed. The session ledger: no answer" in said
        ledger.start()
        assert await agent.call("get_project", **who) == {"project": "project_c"}
    output = "\n".join(server.process.lines)
    assert "Traceback" not in output


async def test_no_session_id_stands_in_what_the_server_prints(ledger: Service, server: ToolServer) -> None:
    name = new_user()
    async with connected(server, name, REPOSITORY) as agent, LedgerClient(ledger.url) as client:
        await agent.call("set_project", project="project_d")
        current = await client.current({"userId": name, "projectId": REPOSITORY})
        assert current
        printed = "\n".join(server.process.lines)
        assert current["sessionId"] not in printed
        assert str(agent.id) not in printed
