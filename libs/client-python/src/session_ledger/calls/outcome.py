"""Whether a request may have been obeyed that came to nothing."""

from __future__ import annotations

from dataclasses import dataclass

from ..generated.calls import PROBLEMS, ROUTES


@dataclass(frozen=True)
class Asked:
    """What is known of a request when something answers it, or nobody does."""

    key: str | None
    """Of a request that changes something; reads have none."""
    is_one: bool
    """See `is_one_command`."""
    doubtful: bool
    """It may have been obeyed already: an earlier attempt stayed without an answer, or the key was used before."""


_NOT_BEGUN = {"overloaded", "timeout", "unavailable", "closing"}
"""With these the ledger answers in place of beginning with a command, or has undone it."""


def is_command(operation: str) -> bool:
    """Whether the operation may be sent as one of many."""
    return ROUTES[operation].answer == "CommandAnswer"


def is_one_command(operation: str) -> bool:
    """Whether it is obeyed as a whole or not at all, and answered again under the same key.

    Of a lease that was only renewed no receipt tells.
    """
    return is_command(operation) and operation != "touchSession"


def may_be_obeyed(asked: Asked, code: str, status: int) -> bool:
    """For a problem of the ledger.

    "No" is only said of what has left no trace: a problem of the way there, such as 408 or 429, tells nothing of an
    attempt before it.
    """
    if asked.key is None:
        return False
    if not asked.is_one:
        return asked.doubtful or status >= 500
    return not _is_decided(code) if asked.doubtful else status >= 500 and code not in _NOT_BEGUN


def may_be_passed_on(asked: Asked, status: int) -> bool:
    """For what is no answer of the ledger. Nobody passes a request on and then says that it is a bad one."""
    return asked.key is not None and (asked.doubtful or status < 400 or status >= 500 or status == 408)


def _is_decided(code: str) -> bool:
    """Whether the ledger has looked for what it did under the key, found nothing, and refused."""
    kind = PROBLEMS.get(code)
    return kind is not None and code != "not-found" and kind.status in (404, 409, 422)
