"""Whatever goes wrong between this client and the ledger."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .generated.calls import PROBLEMS

if TYPE_CHECKING:
    from typing import TypeGuard

    from .generated.models import Problem, Session


class LedgerError(Exception):
    """A call came to nothing."""

    outcome_unknown: bool
    """Whether the command may have been obeyed all the same: nobody answered, or nobody knew."""
    idempotency_key: str | None
    """Asking again with it is obeyed at most once. None for reads."""

    def __init__(self, message: str, *, outcome_unknown: bool, idempotency_key: str | None = None) -> None:
        super().__init__(message)
        self.outcome_unknown = outcome_unknown
        self.idempotency_key = idempotency_key


class LedgerProblem(LedgerError):
    """The ledger answered with a problem (RFC 9457).

    Sessions stand in properties alone, so that no log prints their ids by itself.
    """

    code: str
    """Which problem; one that this version does not know is `unknown-problem`, and `type` has its name."""
    status: int
    type: str
    retryable: bool
    """Whether the same request may succeed later."""
    detail: str | None
    until: str | None
    """For `reserved`: when it is over, by the ledger's clock."""

    def __init__(self, problem: Problem, *, outcome_unknown: bool, idempotency_key: str | None = None) -> None:
        self.code = code_of(problem["type"])
        self.status = problem["status"]
        self.type = problem["type"]
        self.retryable = problem["retryable"]
        self.detail = problem.get("detail")
        self.until = problem.get("until")
        self._problem = problem
        message = f"{self.code}: {self.detail or problem['title']}"
        super().__init__(message, outcome_unknown=outcome_unknown, idempotency_key=idempotency_key)

    @property
    def current(self) -> Session | None:
        """The current session of the scope, where there is one."""
        return self._problem.get("current")

    @property
    def last(self) -> Session | None:
        """For `no-current-session`: the last one."""
        return self._problem.get("last")

    @property
    def archived(self) -> dict[str, Any] | None:
        """For `archived`, of the feed: where it begins, and the files in which what is before is to be read."""
        problem = self._problem
        if "partition" not in problem or "firstSequence" not in problem:
            return None
        return {
            "partition": problem["partition"],
            "firstSequence": problem["firstSequence"],
            "files": problem.get("files", []),
        }


class UnexpectedAnswer(LedgerError):
    """Something answered, and it does not speak the ledger's language: a proxy's page, half a body, other JSON."""

    def __init__(self, status: int, what: str, *, outcome_unknown: bool, idempotency_key: str | None = None) -> None:
        message = f"unexpected answer with status {status}: {what}"
        super().__init__(message, outcome_unknown=outcome_unknown, idempotency_key=idempotency_key)
        self.status = status


class NoAnswer(LedgerError):
    """Nobody answered before the deadline: `__cause__` is what the last attempt ran into."""

    def __init__(self, attempts: int, *, outcome_unknown: bool, idempotency_key: str | None = None) -> None:
        times = "one attempt" if attempts == 1 else f"{attempts} attempts"
        message = f"no answer from the ledger after {times}"
        super().__init__(message, outcome_unknown=outcome_unknown, idempotency_key=idempotency_key)
        self.attempts = attempts


class ClientBusy(LedgerError):
    """This client has as much to do as it may: the call was not sent."""

    def __init__(self, what: str) -> None:
        super().__init__(what, outcome_unknown=False)


class CredentialError(LedgerError):
    """The token holds what no header can carry, or its file cannot be read.

    It is not tried again, and nothing of the token stands in it.
    """

    def __init__(self, what: str, *, outcome_unknown: bool = False, idempotency_key: str | None = None) -> None:
        super().__init__(what, outcome_unknown=outcome_unknown, idempotency_key=idempotency_key)


class ClientForked(LedgerError):
    """The process was forked: the client, and what it holds, is its parent's. Make one here."""

    def __init__(self) -> None:
        super().__init__("the client belongs to the parent process: make one after the fork", outcome_unknown=False)


def is_problem(error: BaseException | None, *codes: str) -> TypeGuard[LedgerProblem]:
    """Whether an error is a problem of the ledger with one of these codes; any problem, when none is named."""
    return isinstance(error, LedgerProblem) and (not codes or error.code in codes)


def code_of(type: str) -> str:
    """The code of a problem's `type`."""
    found = re.fullmatch(r"/problems/([a-z-]+)", type)
    return found[1] if found and found[1] in PROBLEMS else "unknown-problem"
