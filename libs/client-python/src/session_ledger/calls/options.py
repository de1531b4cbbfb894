"""How a call is made."""

from __future__ import annotations

from typing import TypedDict


class CallOptions(TypedDict, total=False):
    """Keyword arguments of everything that asks the ledger."""

    deadline: float
    """Seconds for the whole call with its repetitions; 30 unless the client says otherwise."""
    attempt: float
    """Seconds for one attempt; 12 unless the client says otherwise: a ledger that lives answers within 10."""
    idempotency_key: str
    """For a command: made by the client, once a call, when left out. Give the old one to ask again after a failure."""
