"""An MCP server over streamable HTTP that keeps nothing in its memory. See README.md.

LEDGER_URL  http://127.0.0.1:4600 unless set      PORT  4701 unless set      LEDGER_DEADLINE  5 (seconds)
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import uuid4

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field
from sessions import AgentSessions, transport
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from session_ledger import LedgerClient, LedgerError, SessionMismatch, in_session, is_problem

# An agent waits for its tool: rather an error after 5 s than an answer after 30.
ledger = LedgerClient(
    os.environ.get("LEDGER_URL", "http://127.0.0.1:4600"), deadline=float(os.environ.get("LEDGER_DEADLINE", "5"))
)
sessions = AgentSessions(ledger)
mcp = MCPServer("projects", version="1.0.0")

Session = Annotated[str | None, Field(max_length=64, description="What open_session gave")]
Agent = Annotated[str | None, Field(max_length=256, description="Your name, together with repository")]
Repository = Annotated[str | None, Field(max_length=256, description="The root of your repository, with agent")]


@asynccontextmanager
async def explained(*, changes: bool = False) -> AsyncIterator[None]:
    """Says in the error what the agent needs to know: whether anything was changed."""
    try:
        yield
    except SessionMismatch:
        raise ToolError("This connection belongs to another session than the one that the call names.") from None
    except LookupError:
        raise ToolError("Say whose project: pass `session`, or `agent` and `repository`.") from None
    except LedgerError as error:
        is_unknown = changes and error.outcome_unknown
        effect = "It may have been done: look before you repeat it" if is_unknown else "Nothing was changed"
        raise ToolError(f"{effect}. The session ledger: {error}") from None


@mcp.tool()
async def set_project(
    project: Annotated[str, Field(max_length=1_000)],
    session: Session = None,
    agent: Agent = None,
    repository: Repository = None,
) -> dict[str, Any]:
    """Bind a project to your session."""
    async with explained():
        meant = await sessions.meant(session, agent, repository)
    async with explained(changes=True):
        await sessions.set_project(meant, project)
    return {"project": project}


@mcp.tool()
async def get_project(session: Session = None, agent: Agent = None, repository: Repository = None) -> dict[str, Any]:
    """The project that is bound to your session."""
    async with explained():
        return {"project": await sessions.get_project(await sessions.meant(session, agent, repository))}


@mcp.tool()
async def open_session(
    agent: Annotated[str, Field(max_length=256)], repository: Annotated[str, Field(max_length=256)]
) -> dict[str, Any]:
    """Get a handle for your session, to pass as `session` from anywhere."""
    value = str(uuid4())
    async with explained():
        await sessions.join(agent, repository, {"kind": "mcp-handle", "value": value})
    return {"session": value}


class Connections:
    """Before the SDK: what a connection is called, for clients of the protocol that has such names.

    The name is a handle in the ledger, so that any process knows it. Every request has a server of its own.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        request = Request(scope, receive)
        if request.method != "POST":
            return await refused(405, "This server only answers POST.")(scope, receive, send)
        body = await request.body()
        replayed = replay(body)
        name = request.headers.get("mcp-session-id")
        try:
            if name is not None:
                await sessions.find(transport(name))
                with in_session(transport(name)):
                    return await self._app(scope, replayed, send)
            client = client_of(body)
            repository = request.headers.get("x-repository-root")
            if client is None or repository is None:
                return await self._app(scope, replayed, send)
            given = str(uuid4())
            await sessions.join(client, repository, transport(given))
        except LedgerError as error:
            # With 404 the protocol makes the client connect anew.
            is_gone = is_problem(error, "unknown-handle", "session-ended")
            what = "Nobody knows this Mcp-Session-Id any more: connect anew." if is_gone else f"No session: {error}."
            return await refused(404 if is_gone else 503, what)(scope, receive, send)

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":  # only now: the ledger knows it
                message["headers"] = [*message["headers"], (b"mcp-session-id", given.encode())]
            await send(message)

        await self._app(scope, replayed, named)


def client_of(body: bytes) -> str | None:
    """Who begins a connection; None when the request does not."""
    try:
        shown = json.loads(body)
        return str(shown["params"]["clientInfo"]["name"]) if shown["method"] == "initialize" else None
    except (ValueError, KeyError, TypeError):
        return None


def replay(body: bytes) -> Receive:
    """Hands the SDK what was read before it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


def refused(status: int, message: str) -> Response:
    """An error of the protocol."""
    return JSONResponse({"jsonrpc": "2.0", "id": None, "error": {"code": -32_000, "message": message}}, status)


def main() -> None:
    """Serves until it is told to stop."""
    app = mcp.streamable_http_app(stateless_http=True, json_response=True)
    app.add_middleware(Connections)
    listening = socket.create_server(("127.0.0.1", int(os.environ.get("PORT", "4701"))))
    print(f"MCP server on http://127.0.0.1:{listening.getsockname()[1]}/mcp", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run([listening])


if __name__ == "__main__":
    main()
