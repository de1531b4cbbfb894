"""What an answer says."""

from __future__ import annotations

import email.utils
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import httpx

from ..errors import LedgerProblem, UnexpectedAnswer, code_of
from ..generated.models import Problem
from .outcome import Asked, may_be_obeyed, may_be_passed_on
from .shapes import PROBLEM, Shape, fits
from .wire import parsed

_MOST_BYTES = 32 << 20
"""More than any answer of the ledger: a thousand refused renewals, each with a session, are about 6 MiB."""
_MOST_RETRY_AFTER = 600.0
_QUOTED = 120
"""How much of a page that is not ours an error quotes."""


class BodyLost(Exception):
    """The body was cut: whoever asked may ask again."""


@dataclass(frozen=True)
class Raw:
    """What stands in an answer, before anybody has looked whose it is."""

    status: int
    kind: str
    """Its content type without parameters; `none` where the answer does not say."""
    text: bytes | None
    """None: more than any answer."""


async def read_whole(response: httpx.Response) -> Raw:
    """Reads an answer to its end. Raises BodyLost."""
    status = response.status_code
    kind = response.headers.get("content-type", "none").split(";", 1)[0].strip()
    return Raw(status, kind, b"" if status == 304 else await _read(response))


def read_answer(raw: Raw, shape: Shape | None, asked: Asked) -> object:
    """The JSON of an answer, None for 304.

    Raises LedgerProblem for a problem, UnexpectedAnswer for what is not the ledger's, and BodyLost.
    """
    status, kind, text = raw.status, raw.kind, raw.text
    if status == 304:
        return None
    if text is None:
        raise _unexpected(status, f"over {_MOST_BYTES} bytes", asked)
    if not re.fullmatch(r"application/(problem\+)?json", kind):
        raise _unexpected(status, f"content type {kind}, {_quoted(text)}", asked)
    try:
        body: object = parsed(text)
    except (ValueError, RecursionError) as error:
        if _is_good(status):
            raise BodyLost(f"JSON that ends too early, or is none: {_quoted(text)}") from error
        body = None
    return judged(status, body, shape, asked, lambda: text)


def judged(status: int, body: object, shape: Shape | None, asked: Asked, text: Callable[[], bytes]) -> object:
    """The same of what was parsed already; `text` is what an error quotes."""
    if _is_good(status) and fits(body, shape):
        return body
    if not _is_good(status) and fits(body, PROBLEM):
        problem = cast("Problem", body)
        unknown = may_be_obeyed(asked, code_of(problem["type"]), status)
        raise LedgerProblem(problem, outcome_unknown=unknown, idempotency_key=asked.key)
    raise _unexpected(status, f"JSON that is not the ledger's, {_quoted(text())}", asked)


def _is_good(status: int) -> bool:
    return 200 <= status < 300


def _unexpected(status: int, what: str, asked: Asked) -> UnexpectedAnswer:
    unknown = may_be_passed_on(asked, status)
    return UnexpectedAnswer(status, what, outcome_unknown=unknown, idempotency_key=asked.key)


async def _read(response: httpx.Response) -> bytes | None:
    """The body; None when it is more than any answer. Raises BodyLost."""
    parts: list[bytes] = []
    size = 0
    try:
        async for part in response.aiter_bytes():
            size += len(part)
            if size > _MOST_BYTES:
                return None
            parts.append(part)
    except (httpx.TransportError, httpx.DecodingError) as error:
        raise BodyLost("the answer broke off") from error
    return b"".join(parts)


def _quoted(text: bytes) -> str:
    if not text:
        return "empty"
    start = re.sub(r"\s+", " ", text[: 4 * _QUOTED].decode(errors="replace")[:_QUOTED])
    return f"beginning with {json.dumps(start, ensure_ascii=False)}"


def retry_after(response: httpx.Response) -> float:
    """RFC 9110, section 10.2.3: seconds or a date. What cannot be read counts as none."""
    return seconds_in(response.headers.get("retry-after", ""))


def seconds_in(given: str) -> float:
    """What a Retry-After says."""
    if re.fullmatch(r"[0-9]{1,9}", given):
        return min(float(given), _MOST_RETRY_AFTER)
    try:
        seconds = email.utils.parsedate_to_datetime(given).timestamp() - time.time()
    except (TypeError, ValueError):
        return 0.0
    return min(max(seconds, 0.0), _MOST_RETRY_AFTER)
