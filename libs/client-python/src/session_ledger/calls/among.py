"""Which calls may go with others, and as what they stand in the list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from .answer import Raw
from .gathering import Gathered, Gathering, Place
from .outcome import is_command
from .wire import body_of


@dataclass(frozen=True)
class Among:
    """With whom a call may go, and as what."""

    gathering: Gathering
    json: bytes
    order: str | None
    body_of: Callable[[Place], object]
    """Its answer, without what is said of a place in a list."""


AskMany = Callable[[str, bytes, Sequence[Gathered]], Awaitable[Raw]]
"""Makes the request for an operation, with this content, for these calls."""


class Gatherings:
    """What may be asked many times in one request."""

    def __init__(self, ask_many: AskMany) -> None:
        self._commands = Gathering(lambda calls: ask_many("sendCommands", _list_of("commands", calls), calls))
        self._reads = Gathering(lambda calls: ask_many("currentSessions", _list_of("of", calls), calls))

    def among(self, operation: str, request: Mapping[str, Any], content: bytes, key: str | None) -> Among | None:
        """None: it goes by itself. `content`: its body when it does."""
        if operation == "currentSession":
            scope = {name: value for name, value in request.get("query", {}).items() if value is not None}
            is_plain = scope.keys() <= {"userId", "projectId"}
            return Among(self._reads, body_of(scope), None, lambda place: place.get("session")) if is_plain else None
        if not is_command(operation):
            return None
        sent = {"operation": operation, "idempotencyKey": key}
        session_id = request.get("params", {}).get("sessionId")
        if session_id is None:
            body = cast("Mapping[str, object]", request.get("body", {}))
            order = repr((body.get("userId"), body.get("projectId", "default")))
        else:
            sent["sessionId"] = session_id
            order = str(session_id).lower()
        json = body_of(sent)[:-1] + b',"body":' + content + b"}"
        return Among(self._commands, json, order, _command_answer)


def _list_of(name: str, calls: Sequence[Gathered]) -> bytes:
    return b'{"%s":[%s]}' % (name.encode(), b",".join(one.json for one in calls))


def _command_answer(place: Place) -> object:
    return {name: value for name, value in place.items() if name not in ("status", "replayed")}
