"""How an owner lost its session, as far as what was seen tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Union, cast

from ..errors import LedgerProblem
from ..generated.models import Owner, Session

LossReason = Literal[
    "superseded",
    "rotated",
    "released",
    "claimed",
    "ended",
    "lapsed",
    "expired",
    "invalid",
    "reset",
    "unknown-session",
    "future-epoch",
    "unknown-outcome",
]
"""Another start took its place; somebody else has rotated, released, claimed or ended it; its lease was over
(`lapsed`: it waits for its old owner, who may claim it; `expired`); the ledger does not know the session or its epoch,
for it was restored; or nobody could tell whether a rotation, release or end was obeyed."""

Verdict = Union[LossReason, Literal["ask"], None]
"""`ask`: it is lost, and its own record tells how. None: it is held, or what was seen is older than what is known."""


@dataclass(frozen=True)
class Loss:
    """The end of an ownership that its owner did not ask for."""

    why: LossReason
    session_id: str = field(repr=False)
    epoch: int
    """The epoch that counts no more."""
    current: Session | None = field(default=None, repr=False)
    """The scope's current session: who has it now. None when nobody has."""


class Held(NamedTuple):
    """What an owner believes in."""

    session_id: str
    epoch: int


class Seen(NamedTuple):
    """What the ledger says of the scope: its current session, or its last one when none is."""

    current: Session | None = None
    last: Session | None = None

    @property
    def known(self) -> Session | None:
        """Whichever there is."""
        return self.current or self.last


def loss_of(held: Held, seen: Seen) -> Verdict:
    """Whether what was seen means that the session is lost."""
    known = seen.known
    if known is None or known["epoch"] <= held.epoch:
        return None
    if known["sessionId"] != held.session_id:
        return "ask"
    if known["status"] == "ended":
        return cast("LossReason", known.get("endCause", "ended"))
    if known["status"] != "released":
        return "claimed"
    # What was given up may have an end as well, but not with its reservation.
    expires = known.get("expiresAt")
    return "lapsed" if expires is not None and expires == known.get("reservedUntil") else "released"


def loss_of_restored(held: Held, seen: Seen) -> Verdict:
    """What it means that this is all the ledger knows for good: it was restored."""
    why, known = loss_of(held, seen), seen.known
    is_same = known is not None and known["sessionId"] == held.session_id
    if why or (is_same and known is not None and known["epoch"] == held.epoch):
        return why
    return "future-epoch" if is_same else "unknown-session"


def loss_of_refusal(held: Held, problem: LedgerProblem) -> Verdict:
    """What a refused renewal means."""
    if problem.code == "unknown-session" or problem.code == "future-epoch":
        return problem.code
    if problem.code == "session-ended":
        return "ask"
    if problem.code == "not-owner":
        return "claimed"
    return loss_of(held, Seen(problem.current))


def is_foreign(mine: Owner, current: Session | None) -> bool:
    """Whether a session is plainly somebody else's."""
    owner = current.get("owner") if current else None
    if owner is None:
        return False
    return owner["environment"] != mine["environment"] or owner.get("instance") != mine.get("instance")
