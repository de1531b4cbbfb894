"""Calls what the user gave to be called."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

OnTrouble = Callable[[BaseException], object]
"""Hears what went wrong where nobody awaits it."""


def tell(listener: Callable[[T], object], what: T, on_trouble: OnTrouble) -> None:
    """One that raises disturbs neither whoever tells nor the others: its error is told to `on_trouble`."""
    try:
        listener(what)
    except (Exception, asyncio.CancelledError) as error:
        on_trouble(error)


def harmless(on_trouble: OnTrouble) -> OnTrouble:
    """The same, and what it raises itself goes no further: nobody is left to hear of it."""
    return lambda error: tell(on_trouble, error, lambda _: None)
