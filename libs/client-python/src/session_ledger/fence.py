"""Stands before what sessions write to."""

from __future__ import annotations

import threading
from dataclasses import dataclass

_MOST_EPOCH = 2**53 - 1


class FenceFull(Exception):
    """A fence knows as many resources as it may: it cannot forget one by itself without letting old epochs in."""


class Fence:
    """Lets an epoch through unless a higher one was there before, in the memory of the process that does the writing.

    Epochs belong to one scope, so a resource has to, too. May be asked in any thread.
    """

    def __init__(self, *, most: int = 100_000) -> None:
        """`most`: resources; the next one is refused with FenceFull."""
        self._highest: dict[str, int] = {}
        self._most = most
        self._lock = threading.Lock()

    def accept(self, resource: str, epoch: int) -> bool:
        """Whether a write under this epoch may be done. Once true, no lower epoch is accepted for this resource."""
        if not _is_epoch(epoch):
            return False
        with self._lock:
            highest = self._highest.get(resource)
            if highest is None and len(self._highest) >= self._most:
                raise FenceFull(f"{self._most} resources are known: forget those that no old session can reach")
            if highest is not None and epoch < highest:
                return False
            self._highest[resource] = epoch
            return True

    def forget(self, resource: str) -> None:
        """Forgets a resource that is gone."""
        with self._lock:
            self._highest.pop(resource, None)


@dataclass(frozen=True)
class FenceSql:
    """The parts of a statement that fences a row."""

    set: str
    """For `set`: the row remembers the epoch."""
    where: str
    """For `where`: the row has seen no higher epoch."""
    value: int
    """The parameter's value."""


def fence_sql(epoch: int, column: str, parameter: str) -> FenceSql:
    """The same in the user's own table, for any client of Postgres.

    An UPDATE with `set` and `where` in one statement changes the row, or changes none when a higher epoch was there
    (look at the number of rows). Under READ COMMITTED Postgres compares once more after waiting for the row's lock, so
    two at once cannot both win wrongly.

    `column`: a bigint, null while the row was never written under an epoch. `parameter`: as the statement names it,
    such as `$2` (asyncpg) or `%(epoch)s` (psycopg).
    """
    if not _is_epoch(epoch):
        raise ValueError(f"{epoch} is not an epoch")
    if not parameter:
        raise ValueError("the parameter has no name")
    name = '"' + column.replace('"', '""') + '"'
    return FenceSql(f"{name} = {parameter}::bigint", f"coalesce({name}, 0) <= {parameter}::bigint", epoch)


def _is_epoch(epoch: object) -> bool:
    return isinstance(epoch, int) and not isinstance(epoch, bool) and 0 <= epoch <= _MOST_EPOCH
