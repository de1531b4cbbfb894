"""How far a ledger was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ..client import LedgerClient


class Heads(NamedTuple):
    """The last sequence of each partition that whoever answered knew of: another replica may know of more."""

    ledger_id: str | None
    """`/ledgers/<id>`, as in its events; None when it does not tell."""
    heads: Sequence[int]
    restores: int | None
    """How often what a restore had lost was given up; None when it does not tell."""


async def read_heads(ledger: LedgerClient) -> Heads:
    """Asks the ledger. Raises PermissionError for a credential that may not know of all tenants."""
    figures = (await ledger.call("stats", {"query": {"limit": 1}})).get("ledger")
    if figures is None:
        raise PermissionError("whoever follows all events needs a credential with the permission audit")
    found: dict[str, Any] = {**figures}
    return Heads(found.get("source"), found["heads"], found.get("restores"))


def with_restores(ledger_id: str | None, restores: int | None) -> str | None:
    """What a follower stores of whose events it has: `/ledgers/<id>`, and how often its past had changed by then."""
    return f"{ledger_id}#{restores}" if ledger_id is not None and restores else ledger_id
