"""Who is asking: a token, from where it is kept."""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable
from typing import Union

from ..errors import CredentialError

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


def _checked(token: str, name: str = "the token") -> str:
    """A token that a header can carry. The error does not show it."""
    text = token.strip()
    if not text:
        raise CredentialError(f"{name} is empty")
    if re.search(r"[\r\n]", text):
        raise CredentialError(f"{name} holds a line break: a token is one line")
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise CredentialError(f"{name} holds a blank or a character that no header can carry")
    return text


def _from_environment() -> Token | None:
    """LEDGER_TOKEN, or what LEDGER_TOKEN_FILE names: read anew each time, so that it can be replaced."""
    token = os.environ.get("LEDGER_TOKEN")
    if token:
        return lambda: _checked(token, "LEDGER_TOKEN")
    file = os.environ.get("LEDGER_TOKEN_FILE")
    return _TokenFile(file) if file else None


class _TokenFile:
    """What LEDGER_TOKEN_FILE names. Once it was read it may be missing for a moment, in which calls try again."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._is_known = False

    def __call__(self) -> str:
        try:
            with open(self._file, encoding="utf-8") as opened:
                text = _checked(opened.read(), "the token in the file that LEDGER_TOKEN_FILE names")
        except (OSError, UnicodeDecodeError, CredentialError) as error:
            what = _why(self._file, error)
            raise (ValueError(what) if self._is_known else CredentialError(what)) from None
        self._is_known = True
        return text


def _why(file: str, error: OSError | UnicodeDecodeError | CredentialError) -> str:
    if isinstance(error, CredentialError):
        return str(error)
    reason = error.strerror if isinstance(error, OSError) else "it is no text"
    return f"LEDGER_TOKEN_FILE names {file}, which cannot be read: {reason}"
