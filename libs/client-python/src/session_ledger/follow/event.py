"""An event as a follower hands it on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from ..calls.wire import parsed
from ..generated.calls import EVENT_TYPES
from ..generated.models import LedgerEvent, SessionInEvent

_KNOWN = {f"session-ledger.{name}.v1": name for name in EVENT_TYPES}


class BadEvent(Exception):
    """What came is no event of a ledger."""


@dataclass(slots=True)
class FollowedEvent:
    """One event, and where it stands."""

    partition: int
    sequence: int
    """1, 2, 3 … within its partition."""
    type: str
    """`unknown`: of a newer ledger. `document["type"]` has its whole name."""
    session: SessionInEvent | None = field(repr=False)
    """The session as it is afterwards; None for StopIgnored."""
    previous: SessionInEvent | None = field(repr=False)
    """For SessionRotated: the session that was rotated."""
    document: LedgerEvent = field(repr=False)
    """The event as it stands in the log."""


def parse_event(text: str | bytes) -> FollowedEvent:
    """Raises BadEvent for what is no event; one of an unknown type is one."""
    try:
        return to_event(parsed(text))
    except (ValueError, RecursionError) as error:
        raise BadEvent("an event is no JSON") from error


def to_event(document: Any) -> FollowedEvent:
    """The same, for an event that is parsed already."""
    if not isinstance(document, Mapping):
        raise BadEvent("an event has no place in a log")
    shown = cast("Mapping[str, Any]", document)
    partition, sequence, source = shown.get("partition"), shown.get("sequence"), shown.get("source")
    number = int(sequence) if isinstance(sequence, str) and sequence.isascii() and sequence.isdigit() else 0
    is_place = isinstance(partition, int) and not isinstance(partition, bool) and partition >= 0
    if not is_place or not 0 < number < 2**53 or not isinstance(source, str):
        raise BadEvent("an event has no place in a log")
    given: Any = shown.get("data")
    data = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    return FollowedEvent(
        cast("int", partition),
        number,
        _KNOWN.get(str(shown.get("type")), "unknown"),
        # Also of an unknown type: whatever happened, an event carries the session as it is afterwards.
        _session(data.get("session")),
        _session(data.get("previous")),
        cast("LedgerEvent", document),
    )


def _session(value: Any) -> SessionInEvent | None:
    if not isinstance(value, dict):
        return None
    shown = cast("dict[str, Any]", value)
    scope: Any = shown.get("scope")
    is_session = (
        isinstance(shown.get("sessionId"), str)
        and isinstance(shown.get("status"), str)
        and isinstance(scope, dict)
        and isinstance(cast("dict[str, Any]", scope).get("userId"), str)
    )
    return cast("SessionInEvent", value) if is_session else None
