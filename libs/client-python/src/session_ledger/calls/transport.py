"""Asks the ledger, again where that is safe."""

from __future__ import annotations

import asyncio
import email.utils
import os
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast
from uuid import uuid4

import httpx

from ..errors import ClientBusy, ClientForked, LedgerError, LedgerProblem, NoAnswer, UnexpectedAnswer
from ..generated.calls import ROUTES
from .answer import BodyLost, read_answer
from .clock import now
from .credentials import Credentials, Headers, Token
from .options import CallOptions
from .outcome import Asked, is_one_command
from .shapes import Shape, shape_of
from .waiting import backoff, timeout
from .wire import body_of, path_of, query_of

_MOST_ATTEMPTS = 20
_LEAST_ATTEMPT = 0.1
"""An attempt for which the deadline leaves less is not begun: it would only hide what the last one ran into."""
_MOST_RETRY_AFTER = 600.0
_AGAIN = {408, 429, 502, 503, 504}
_KEY = re.compile(r"[\x20-\x7e]{1,256}")


@dataclass(frozen=True)
class TransportOptions:
    """How a ledger is reached."""

    url: str
    token: Token | None = field(default=None, repr=False)
    headers: Headers | None = field(default=None, repr=False)
    deadline: float = 30.0
    attempt: float = 12.0
    max_calls: int = 1_000
    verify: ssl.SSLContext | bool = True
    transport: httpx.AsyncBaseTransport | None = None


@dataclass(frozen=True)
class Answered:
    """An answer and what is known about its call."""

    body: Any
    sent_at: float
    """When the first attempt was about to be sent, by `now()`: whatever the ledger did came later."""
    is_old: bool
    """The ledger repeats what it answered to this key in an earlier call: the effect may be old."""


@dataclass(frozen=True)
class _Attempt:
    method: str
    url: str
    content: bytes | None
    headers: Mapping[str, str]
    shape: Shape | None
    asked: Asked
    is_wait: bool


class _Failed(Exception):
    """An attempt has come to nothing: why, and how long the ledger asks to wait."""

    def __init__(self, cause: BaseException, *, sent: bool, retry_after: float = 0.0, status: int = 0) -> None:
        super().__init__("the attempt came to nothing")
        self.cause = cause
        self.sent = sent
        self.retry_after = retry_after
        self.status = status


class Transport:
    """One ledger over HTTP. A command carries one Idempotency-Key through all of its attempts.

    It is repeated when nobody answered, and after 408, 429, 502, 503 and 504.
    """

    def __init__(self, options: TransportOptions) -> None:
        url = httpx.URL(options.url)
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError(f"a ledger has an address of HTTP, not {options.url!r}")
        self.url = f"{url.scheme}://{url.netloc.decode()}{url.path.rstrip('/')}"
        self._options = options
        self._credentials = Credentials(options.token, options.headers)
        self._calls = 0
        self._pid = os.getpid()
        # Waits hold a connection each: beside the rest, every call would look through all of them.
        self._calling: httpx.AsyncBaseTransport | None = options.transport
        self._waiting: httpx.AsyncBaseTransport | None = options.transport

    def check_process(self) -> None:
        """Raises ClientForked in a child of the process that made this."""
        if os.getpid() != self._pid:
            raise ClientForked

    async def call(
        self, operation: str, request: Mapping[str, Any], how: CallOptions, may_repeat: bool | None = None
    ) -> Answered:
        """Any operation but the streams. `may_repeat`: an earlier call may have used the same key."""
        self.check_process()
        query = cast("Mapping[str, object]", request.get("query", {}))
        is_wait = operation == "currentSession" and query.get("wait") is not None
        if self._calls >= self._options.max_calls and not is_wait:
            raise ClientBusy(f"{self._calls} calls are under way")
        doubtful = "idempotency_key" in how if may_repeat is None else may_repeat
        attempt = self._attempt_of(operation, request, how, doubtful, is_wait)
        self._calls += 0 if is_wait else 1
        try:
            return await self._repeat(attempt, how)
        finally:
            self._calls -= 0 if is_wait else 1

    async def open(
        self, operation: str, query: Mapping[str, object], last_event_id: str | None = None
    ) -> httpx.Response:
        """Opens a stream: one attempt, whose time is for the head of the answer only. The caller closes it."""
        self.check_process()
        headers = {} if last_event_id is None else {"last-event-id": last_event_id}
        url = self.url + ROUTES[operation].path + query_of(query)
        async with timeout(self._options.attempt):
            shown = {**await self._credentials.headers(), **headers}
            response = await self._send(httpx.Request("GET", url, headers=shown), is_wait=True)
            kind = response.headers.get("content-type", "")
            if response.is_success and re.match(r"text/event-stream|application/x-ndjson", kind):
                return response
            try:
                await read_answer(response, None, Asked(None, False, False))
            finally:
                await response.aclose()
        what = f"content type {kind} in place of a stream"
        raise UnexpectedAnswer(response.status_code, what, outcome_unknown=False)

    async def close(self) -> None:
        """Closes what is connected. A child of the process leaves its parent's connections alone."""
        both, self._calling, self._waiting = {self._calling, self._waiting}, None, None
        if os.getpid() != self._pid:
            return
        for one in both:
            if one is not None:
                await one.aclose()

    async def _send(self, request: httpx.Request, *, is_wait: bool) -> httpx.Response:
        """By httpx's transport itself: its client would write the address into the log, and session ids stand there.

        Each attempt has a timeout of its own, over all of it, so there are none of httpx's.
        """
        way = self._waiting if is_wait else self._calling
        if way is None:
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
            way = httpx.AsyncHTTPTransport(verify=self._options.verify, limits=limits)
            if is_wait:
                self._waiting = way
            else:
                self._calling = way
        return await way.handle_async_request(request)

    def _attempt_of(
        self, operation: str, request: Mapping[str, Any], how: CallOptions, doubtful: bool, is_wait: bool
    ) -> _Attempt:
        route = ROUTES[operation]
        query = cast("Mapping[str, object]", request.get("query", {}))
        key = how.get("idempotency_key")
        if key is not None and not _KEY.fullmatch(key):
            raise ValueError("an idempotency key is 1 to 256 characters of ASCII")
        key = None if route.reads else key or str(uuid4())
        has_body = route.method in ("POST", "PATCH")
        headers = {"content-type": "application/json"} if has_body else {}
        if key is not None:
            headers["idempotency-key"] = key
        return _Attempt(
            method=route.method,
            url=self.url + path_of(route.path, request.get("params", {})) + query_of(query),
            content=body_of(request.get("body", {})) if has_body else None,
            headers=headers,
            shape=shape_of(operation, query),
            asked=Asked(key, is_one_command(operation), doubtful),
            is_wait=is_wait,
        )

    async def _repeat(self, attempt: _Attempt, how: CallOptions) -> Answered:
        sent_at = now()
        until = sent_at + how.get("deadline", self._options.deadline)
        most = how.get("attempt", self._options.attempt)
        attempts = 0
        while True:
            attempts += 1
            try:
                body, is_replayed = await self._once(attempt, max(0.001, min(most, until - now())))
                return Answered(body, sent_at, is_replayed and "idempotency_key" in how)
            except _Failed as failed:
                error, again = _failure_of(failed, attempts, attempt.asked)
                if error.outcome_unknown:
                    attempt = replace(attempt, asked=replace(attempt.asked, doubtful=True))
                pause = failed.retry_after + backoff(attempts)
                is_too_late = now() + pause + _LEAST_ATTEMPT >= until
                if not again or attempts >= _MOST_ATTEMPTS or is_too_late:
                    raise error from error.__cause__
            await asyncio.sleep(pause)

    async def _once(self, attempt: _Attempt, seconds: float) -> tuple[object, bool]:
        is_sent = False
        response: httpx.Response | None = None
        try:
            async with timeout(seconds):
                headers = {**await self._credentials.headers(), **attempt.headers}
                request = httpx.Request(attempt.method, attempt.url, content=attempt.content, headers=headers)
                is_sent = True
                response = await self._send(request, is_wait=attempt.is_wait)
                body = await read_answer(response, attempt.shape, attempt.asked)
                return body, response.headers.get("idempotency-replayed") == "true"
        except Exception as error:
            after, status = (0.0, 0) if response is None else (_retry_after(response), response.status_code)
            if isinstance(error, TimeoutError | asyncio.TimeoutError):
                error = TimeoutError(f"no answer within {seconds:.3g} s")
            raise _Failed(error, sent=is_sent, retry_after=after, status=status) from None
        finally:
            if response is not None:
                await response.aclose()


def _failure_of(failed: _Failed, attempts: int, asked: Asked) -> tuple[LedgerError, bool]:
    """What to raise, unless the call goes on, and whether another attempt may help."""
    cause = failed.cause
    unknown = asked.key is not None and (asked.doubtful or failed.sent)
    if isinstance(cause, BodyLost):
        lost = UnexpectedAnswer(failed.status, str(cause), outcome_unknown=unknown, idempotency_key=asked.key)
        lost.__cause__ = cause.__cause__
        return lost, True
    if isinstance(cause, LedgerProblem | UnexpectedAnswer):
        return cause, cause.status in _AGAIN
    none = NoAnswer(attempts, outcome_unknown=unknown, idempotency_key=asked.key)
    none.__cause__ = cause
    return none, True


def _retry_after(response: httpx.Response) -> float:
    """RFC 9110, section 10.2.3: seconds or a date. What cannot be read counts as none."""
    given = response.headers.get("retry-after", "")
    if re.fullmatch(r"[0-9]{1,9}", given):
        return min(float(given), _MOST_RETRY_AFTER)
    try:
        seconds = email.utils.parsedate_to_datetime(given).timestamp() - time.time()
    except (TypeError, ValueError):
        return 0.0
    return min(max(seconds, 0.0), _MOST_RETRY_AFTER)
