"""The sessions of agents. All of it is in the ledger: a server may die, or be one of many."""

from __future__ import annotations

from typing import Any

from session_ledger import CallSessions, LedgerClient, Option, Resolved, SessionName, SessionResolver, models

OWNER: models.Owner = {"environment": "mcp-server"}
# A day without use, and the session is over.
LEASE: models.Lease = {"seconds": 86_400, "renewOn": "use", "onLapse": "end"}


def transport(value: str) -> models.Handle:
    """The id of an MCP connection."""
    return {"kind": "mcp-transport", "value": value}


def handle(value: str) -> models.Handle:
    """A name that was given out to be passed around."""
    return {"kind": "mcp-handle", "value": value}


class AgentSessions:
    """An agent and the root of its repository are the scope of a session; the project is kept with it."""

    def __init__(self, ledger: LedgerClient) -> None:
        self._ledger = ledger
        # The context is what the connection is bound to: see main.py.
        self._resolver = SessionResolver(ledger)

    async def join(self, agent: str, repository: str, name: models.Handle | None = None) -> SessionName:
        """The agent's session, made if there is none. When it is answered, `name` means it, too."""
        handles: Any = [{**name, "binds": "scope"}] if name else []
        answer = await self._ledger.join(
            {"userId": agent, "projectId": repository, "owner": OWNER, "lease": LEASE, "handles": handles}
        )
        return SessionName(answer["session"]["sessionId"], answer["session"]["epoch"])

    async def find(self, name: models.Handle) -> Resolved:
        """The session that a handle means. Raises `unknown-handle`, or `session-ended` when it was unused too long."""
        return await self._resolver.resolve(CallSessions(Option(name, override=True)))

    async def meant(self, session: str | None, agent: str | None, repository: str | None) -> Resolved:
        """The session that a call names, and its connection is bound to. Raises SessionMismatch when they disagree."""
        option: Option | None = None
        if session:
            option = Option(handle(session))
        elif agent and repository:
            option = Option(await self.join(agent, repository))
        return await self._resolver.resolve(CallSessions(option))

    async def set_project(self, session: Resolved, project: str) -> None:
        """Keeps the project with the session."""
        body: models.AttributesBody = {"epoch": session.epoch, "attributes": {"project": project}}
        await self._ledger.call("changeAttributes", {"params": {"sessionId": session.session_id}, "body": body})

    async def get_project(self, session: Resolved) -> str | None:
        """None when none was set."""
        request: models.TouchSessionRequest = {"params": {"sessionId": session.session_id}, "body": {}}
        touched = await self._ledger.call("touchSession", request)
        attributes = touched["session"]["attributes"]
        return None if attributes == "erased" else attributes.get("project")
