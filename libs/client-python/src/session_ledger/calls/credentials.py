"""Who is asking: a token, from where it is kept."""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable
from typing import Union

Token = Union[str, Callable[[], Union[str, Awaitable[str]]]]
"""A token, or what gives one: asked for before each attempt, so that it may be a new one."""
Headers = Callable[[], Union[Mapping[str, str], Awaitable[Mapping[str, str]]]]
"""Headers for a request. Asked for before each attempt, within its time."""


class Credentials:
    """What every request carries. Nothing of it stands in a message or a printed form."""

    def __init__(self, token: Token | None, headers: Headers | None) -> None:
        self._token = token if token is not None else _from_environment()
        self._headers = headers

    async def headers(self) -> dict[str, str]:
        """The headers for one attempt. Raises whatever the user's functions raise."""
        shown: dict[str, str] = {}
        if self._headers is not None:
            given = self._headers()
            shown.update(await given if isawaitable(given) else given)
        if self._token is not None:
            token = self._token if isinstance(self._token, str) else self._token()
            shown["authorization"] = f"Bearer {_checked(token if isinstance(token, str) else await token)}"
        return shown


def _checked(token: str) -> str:
    """A token that a header can carry. The error does not show it."""
    text = token.strip()
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise ValueError("the token is empty, or holds what no header can carry")
    return text


def _from_environment() -> Token | None:
    """LEDGER_TOKEN, or what LEDGER_TOKEN_FILE names: read anew each time, so that it can be replaced."""
    token = os.environ.get("LEDGER_TOKEN")
    if token:
        return token
    file = os.environ.get("LEDGER_TOKEN_FILE")
    return (lambda: _read(file)) if file else None


def _read(file: str) -> str:
    with open(file, encoding="utf-8") as opened:
        return opened.read()
