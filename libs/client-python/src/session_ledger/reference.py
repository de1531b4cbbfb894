"""A session as it is named elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, cast

Target = TypeVar("Target")

_MOST_EPOCH = 2**53 - 1


class NamesSession(Protocol):
    """Whatever names a session: an owned session, too, which is then named as it is at present."""

    @property
    def session_id(self) -> str:
        """The session's id."""
        ...

    @property
    def epoch(self) -> int:
        """With it an old name is told from the present one."""
        ...


class SessionName(NamedTuple):
    """A session and its epoch. Ids are UUIDs, which some runtimes write in upper case: here they are in lower case."""

    session_id: str
    epoch: int

    @staticmethod
    def of(one: NamesSession) -> SessionName:
        """The same name however it was written."""
        return SessionName(one.session_id.lower(), one.epoch)


@dataclass(frozen=True)
class Realm:
    """Where sessions mean something: one ledger and, within it, one tenant."""

    ledger: str
    """The ledger's address or id: whatever all of your processes call it."""
    tenant: str = "default"


def target_of(reference: SessionReference[Target]) -> Target:
    """For the resolver, which opens a reference only in its own session."""
    return reference._target  # pyright: ignore[reportPrivateUsage]


@dataclass(frozen=True, eq=False)
class SessionReference(Generic[Target]):
    """Something that belongs to a session, on its way through code that knows nothing of sessions.

    Its JSON, which every other runtime's client reads, has all of it but the target. It names a session, it authorises
    nobody.
    """

    session: SessionName = field(repr=False)
    realm: Realm
    _target: Target = field(repr=False)

    @staticmethod
    def parse(value: object, target: Any = None) -> SessionReference[Any]:
        """A reference from the JSON of another process. Raises ValueError for what is none."""
        shown = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
        session: Any = shown.get("session")
        realm: Any = shown.get("realm")
        if not isinstance(session, dict) or not isinstance(realm, dict):
            raise ValueError("this is not a reference to a session")
        session_id: Any = cast("Any", session).get("sessionId")
        epoch: Any = cast("Any", session).get("epoch")
        ledger, tenant = cast("Any", realm).get("ledger"), cast("Any", realm).get("tenant")
        if isinstance(epoch, float) and epoch.is_integer():
            epoch = int(epoch)  # 3.0 is 3 in JSON
        is_epoch = isinstance(epoch, int) and not isinstance(epoch, bool) and abs(epoch) <= _MOST_EPOCH
        if not is_epoch or not all(isinstance(one, str) for one in (session_id, ledger, tenant)):
            raise ValueError("this is not a reference to a session")
        return SessionReference(SessionName(session_id.lower(), cast("int", epoch)), Realm(ledger, tenant), target)

    def to_json(self) -> dict[str, dict[str, Any]]:
        """What `json.dumps` takes."""
        return {
            "session": {"sessionId": self.session.session_id, "epoch": self.session.epoch},
            "realm": {"ledger": self.realm.ledger, "tenant": self.realm.tenant},
        }
