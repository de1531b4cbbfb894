"""By what an answer is known for the ledger's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Union, cast

from ..generated.calls import ROUTES

Shape = Union[str, Mapping[str, "Shape"]]
"""What an answer has to have: the names of members, and of what type they are."""

_SESSION: Shape = {
    "sessionId": "string",
    "scope": {"userId": "string", "projectId": "string"},
    "status": "string",
    "epoch": "number",
    "revision": "number",
}
_SESSIONS: Shape = {"sessions": "array"}

# What every version gives, and callers cannot do without. Whatever else an answer has, or lacks, is an older or a
# newer ledger's right: so these are not made from the schemas, which are this version's.
_SHAPES: dict[str, Shape] = {
    "AccessKey": {"keyId": "string"},
    "BulkJob": {"jobId": "string", "state": "string"},
    "CallerView": {"principal": "string", "tenant": "string", "permissions": "array"},
    "ChainPage": _SESSIONS,
    "CheckpointList": {"checkpoints": "array"},
    "CommandAnswer": {
        "outcome": "string",
        "session": _SESSION,
        "position": {"partition": "number", "sequence": "number"},
    },
    "CurrentList": _SESSIONS,
    "CurrentPage": _SESSIONS,
    "ErasedAnswer": {"outcome": "string"},
    "EventPage": {"events": "array"},
    "JobPage": {"jobs": "array"},
    "KeyPage": {"keys": "array"},
    "ManyAnswers": {"answers": "array"},
    "ManyCurrent": {"answers": "array"},
    "NewKey": {"secret": "string", "key": {"keyId": "string"}},
    "ProblemPage": {"type": "string"},
    "Renewed": {"outcome": "string", "sessionId": "string", "until": "string"},
    "RenewedMany": {"results": "array"},
    "ReportsTaken": {"taken": "number"},
    "ReportsWithdrawn": {"withdrawn": "number"},
    "Resolved": {"session": _SESSION},
    "ScopeUsage": {},
    "Session": _SESSION,
    "SessionPage": _SESSIONS,
    "SessionWithRefusals": _SESSION,
    "Stats": {"sync": {"inSync": "number"}},
    "TransitionPage": {"transitions": "array"},
}

PROBLEM: Shape = {"type": "string", "title": "string", "status": "number", "retryable": "boolean"}

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "array": (list,),
    "boolean": (bool,),
}


def shape_of(operation: str, query: Mapping[str, object]) -> Shape | None:
    """Of the operation's answer; streams have none."""
    name = ROUTES[operation].answer
    if name is None:
        return None
    # Of an answer that is new here nothing is known but that it is an object.
    return _SHAPES.get("CurrentPage" if name == "Session" and query.get("all") is True else name, {})


def fits(value: object, shape: Shape | None) -> bool:
    """Whether a value has the members of a shape."""
    if shape is None:
        return True
    if isinstance(shape, str):
        return isinstance(value, _TYPES[shape]) and (shape == "boolean" or not isinstance(value, bool))
    if not isinstance(value, dict):
        return False
    members = cast("dict[str, object]", value)
    return all(name in members and fits(members[name], inner) for name, inner in shape.items())
