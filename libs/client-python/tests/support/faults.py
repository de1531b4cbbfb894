"""A way to the ledger on which requests have the faults that were planned for them, in that order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

Send = Callable[[], Awaitable[httpx.Response]]
Fault = Callable[[Send], Awaitable[httpx.Response]]


_obeyed: set[Any] = set()


async def obeyed(send: Send) -> httpx.Response:
    """The ledger hears of it and answers, whoever still waits for that."""
    task = asyncio.ensure_future(send())
    _obeyed.add(task)
    task.add_done_callback(_obeyed.discard)
    response = await asyncio.shield(task)
    await response.aread()
    return response


async def unsent(send: Send) -> httpx.Response:
    """The ledger never hears of it."""
    raise httpx.ConnectError("nobody is there")


async def lost(send: Send) -> httpx.Response:
    """The ledger answers, and the connection breaks before anything of that has come."""
    await obeyed(send)
    raise httpx.ReadError("the connection broke")


async def cut(send: Send) -> httpx.Response:
    """The ledger answers, and the connection breaks in the middle of that."""
    response = await obeyed(send)
    whole = response.content

    async def half() -> Any:
        yield whole[: len(whole) // 2]
        raise httpx.ReadError("the connection broke")

    headers = {"content-type": response.headers["content-type"]}
    return httpx.Response(response.status_code, headers=headers, content=half())


async def never(send: Send) -> httpx.Response:
    """The ledger answers, and nobody hears it."""
    await obeyed(send)
    await asyncio.sleep(3_600)
    raise AssertionError


def replaced(by: Callable[[], httpx.Response]) -> Fault:
    """The ledger answers, and something on the way back answers instead."""

    async def fault(send: Send) -> httpx.Response:
        await obeyed(send)
        return by()

    return fault


def stopped(by: Callable[[], httpx.Response]) -> Fault:
    """Something on the way there answers."""

    async def fault(send: Send) -> httpx.Response:
        return by()

    return fault


def problem(code: str, status: int, retry_after: int = 600) -> httpx.Response:
    """A problem, by whoever wants to."""
    body = {"type": f"/problems/{code}", "title": code, "status": status, "retryable": True}
    headers = {"content-type": "application/problem+json", "retry-after": str(retry_after)}
    return httpx.Response(status, headers=headers, content=json.dumps(body))


def page(status: int, retry_after: int = 600) -> httpx.Response:
    """What something says that is no ledger."""
    headers = {"content-type": "text/html", "retry-after": str(retry_after)}
    return httpx.Response(status, headers=headers, content="<h1>No</h1>")


class FaultyWay(httpx.AsyncBaseTransport):
    """In place of httpx's own transport."""

    def __init__(self) -> None:
        self._way = httpx.AsyncHTTPTransport()
        self.plans: list[tuple[str, Fault]] = []
        self.requests: list[httpx.Request] = []

    def plan(self, path: str, *faults: Fault) -> None:
        self.plans += [(path, fault) for fault in faults]

    def keys(self, path: str) -> list[str | None]:
        return [one.headers.get("idempotency-key") for one in self.requests if one.url.path.endswith(path)]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        for index, (path, fault) in enumerate(self.plans):
            if request.url.path.endswith(path):
                del self.plans[index]
                return await fault(lambda: self._way.handle_async_request(request))
        return await self._way.handle_async_request(request)

    async def aclose(self) -> None:
        await self._way.aclose()
