"""JSON, addresses and queries as the ledger takes them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, NoReturn, cast
from urllib.parse import quote
from uuid import UUID


def body_of(value: object) -> bytes:
    """JSON in UTF-8. Raises ValueError or TypeError for what cannot be sent as it is meant."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
        _check_names(value)
        return text.encode()
    except UnicodeEncodeError as error:
        raise _surrogate() from error


def query_of(query: Mapping[str, object]) -> str:
    """The query with its question mark; nothing for what is None."""
    given = [f"{name}={escaped(value)}" for name, value in query.items() if value is not None]
    return f"?{'&'.join(given)}" if given else ""


def path_of(path: str, params: Mapping[str, object]) -> str:
    """A path with its parameters in place of `{name}`."""
    return re.sub(r"\{(\w+)\}", lambda found: _part(found[1], params[found[1]]), path)


def _part(name: str, value: object) -> str:
    part = "" if value is None else escaped(value)
    if part in ("", ".", ".."):  # another path, to whoever reads it
        raise ValueError(f"{name} is {value!r}, which is no part of a path")
    return part


def _check_names(value: object) -> None:
    """JSON would write other names as texts without a word."""
    if isinstance(value, Mapping):
        for name, member in cast("Mapping[object, object]", value).items():
            if not isinstance(name, str):
                raise TypeError(f"a name in JSON is a text, not a {type(name).__name__}")
            _check_names(member)
    elif isinstance(value, list | tuple):
        for one in cast("list[object]", value):
            _check_names(one)


def escaped(value: object) -> str:
    """A value as a part of an address."""
    text = str(value).lower() if isinstance(value, bool) else str(_plain(value) if _is_special(value) else value)
    try:
        return quote(text, safe="")
    except UnicodeEncodeError as error:
        raise _surrogate() from error


def parsed(text: str | bytes) -> Any:
    """What JSON stands for. Raises ValueError; also for NaN and the like, which Python would take."""
    return _decoder.decode(text if isinstance(text, str) else text.decode())


def _is_special(value: object) -> bool:
    return isinstance(value, datetime | Decimal | UUID)


def _plain(value: object) -> object:
    """What JSON has no form of its own for."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a datetime without a time zone could be any moment: give it one")
        return value.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, object]", value))
    raise TypeError(f"a {type(value).__name__} cannot be sent as JSON")


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


_decoder = json.JSONDecoder(parse_constant=_no_number)  # made once: that takes as long as an event takes to read


def _surrogate() -> ValueError:
    return ValueError("a text holds half of a surrogate pair, which is no Unicode: it cannot be sent")
