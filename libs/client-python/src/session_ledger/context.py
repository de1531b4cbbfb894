"""The session of the call that is being made."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from .generated.models import Handle
from .reference import NamesSession

_context: ContextVar[NamesSession | Handle | None] = ContextVar("session_ledger", default=None)


@contextmanager
def in_session(session: NamesSession | Handle) -> Generator[None, None, None]:
    """Makes a session the context of the block: for everything that it calls and awaits, and the tasks it starts.

    Threads have it when they are given it: by `asyncio.to_thread`, or `contextvars.copy_context().run`.
    """
    token = _context.set(session)
    try:
        yield
    finally:
        _context.reset(token)


def current_context() -> NamesSession | Handle | None:
    """The session of the call that is being made; None outside of `in_session`. For a resolver's `context`."""
    return _context.get()
