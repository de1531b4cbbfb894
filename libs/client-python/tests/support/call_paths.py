"""The ways on which a call reaches a resolver: with asyncio, and in threads."""

from __future__ import annotations

import asyncio
import contextvars
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import wraps
from typing import Any

from session_ledger import CallSessions, Resolved, SessionReference

Path = Callable[[Any, CallSessions], Awaitable[Resolved]]
ThreadPath = Callable[[Any, CallSessions], Resolved]


async def _direct(resolver: Any, call: CallSessions) -> Resolved:
    return await resolver.resolve(call)


async def _after_an_await(resolver: Any, call: CallSessions) -> Resolved:
    await asyncio.sleep(0)
    return await resolver.resolve(call)


async def _method(resolver: Any, call: CallSessions) -> Resolved:
    class Service:
        async def invoke(self) -> Resolved:
            return await resolver.resolve(call)

    return await Service().invoke()


async def _constructor(resolver: Any, call: CallSessions) -> Resolved:
    class Service:
        def __init__(self) -> None:
            self.answer = asyncio.ensure_future(resolver.resolve(call))

    return await Service().answer


async def _property(resolver: Any, call: CallSessions) -> Resolved:
    class Service:
        @property
        def field(self) -> Awaitable[Resolved]:
            return resolver.resolve(call)

    return await Service().field


async def _task(resolver: Any, call: CallSessions) -> Resolved:
    return await asyncio.create_task(resolver.resolve(call))


async def _timer(resolver: Any, call: CallSessions) -> Resolved:
    started: asyncio.Future[asyncio.Task[Resolved]] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(
        0.001, lambda: started.set_result(asyncio.ensure_future(resolver.resolve(call)))
    )
    return await (await started)


async def _callback(resolver: Any, call: CallSessions) -> Resolved:
    started: asyncio.Future[asyncio.Task[Resolved]] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(lambda: started.set_result(asyncio.ensure_future(resolver.resolve(call))))
    return await (await started)


async def _gathered(resolver: Any, call: CallSessions) -> Resolved:
    return (await asyncio.gather(*(resolver.resolve(call) for _ in range(3))))[2]


async def _generator(resolver: Any, call: CallSessions) -> Resolved:
    async def calls() -> AsyncIterator[Resolved]:
        yield await resolver.resolve(call)

    return await anext(calls())


async def _context_manager(resolver: Any, call: CallSessions) -> Resolved:
    @asynccontextmanager
    async def block() -> AsyncIterator[Resolved]:
        yield await resolver.resolve(call)

    async with block() as found:
        return found


async def _decorated(resolver: Any, call: CallSessions) -> Resolved:
    def decorator(function: Any) -> Any:
        @wraps(function)
        async def wrapper() -> Any:
            return await function()

        return wrapper

    @decorator
    async def called() -> Resolved:
        return await resolver.resolve(call)

    return await called()


def from_elsewhere(call: CallSessions) -> CallSessions:
    """Its references as they come from another runtime."""
    references = [
        SessionReference.parse(json.loads(json.dumps(one.to_json()))) if isinstance(one, SessionReference) else one
        for one in call.references
    ]
    return CallSessions(call.option, references)


async def _reference_from_elsewhere(resolver: Any, call: CallSessions) -> Resolved:
    return await resolver.resolve(from_elsewhere(call))


PATHS: dict[str, Path] = {
    "a function": _direct,
    "a method": _method,
    "a constructor": _constructor,
    "a property": _property,
    "after an await": _after_an_await,
    "a task": _task,
    "a timer": _timer,
    "a callback": _callback,
    "many at once": _gathered,
    "a generator": _generator,
    "a context manager": _context_manager,
    "a decorated function": _decorated,
    "a reference from another runtime": _reference_from_elsewhere,
}


def _in_thread(resolver: Any, call: CallSessions) -> Resolved:
    found: list[Any] = []

    def work() -> None:
        try:
            found.append(resolver.resolve(call))
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(work,))
    thread.start()
    thread.join()
    if isinstance(found[0], Exception):
        raise found[0]
    return found[0]


def _in_a_pool(resolver: Any, call: CallSessions) -> Resolved:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(contextvars.copy_context().run, resolver.resolve, call).result()


def _to_thread(resolver: Any, call: CallSessions) -> Resolved:
    async def work() -> Resolved:
        return await asyncio.to_thread(resolver.resolve, call)

    return asyncio.run(work())


def _generator_of_threads(resolver: Any, call: CallSessions) -> Resolved:
    return next(resolver.resolve(one) for one in [call])


def _context_manager_of_threads(resolver: Any, call: CallSessions) -> Resolved:
    @contextmanager
    def block() -> Any:
        yield resolver.resolve(call)

    with block() as found:
        return found


def _property_of_threads(resolver: Any, call: CallSessions) -> Resolved:
    class Service:
        @property
        def field(self) -> Resolved:
            return resolver.resolve(call)

    return Service().field


def _constructor_of_threads(resolver: Any, call: CallSessions) -> Resolved:
    class Service:
        def __init__(self) -> None:
            self.answer = resolver.resolve(call)

    return Service().answer


def _writing_a_field(resolver: Any, call: CallSessions) -> Resolved:
    class Service:
        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, resolver.resolve(call))

    service: Any = Service()
    service.field = 1
    return service.field


THREAD_PATHS: dict[str, ThreadPath] = {
    "a function": lambda resolver, call: resolver.resolve(call),
    "a constructor": _constructor_of_threads,
    "a property": _property_of_threads,
    "writing a field": _writing_a_field,
    "a generator": _generator_of_threads,
    "a context manager": _context_manager_of_threads,
    "a thread with its context": _in_thread,
    "a pool of threads": _in_a_pool,
    "asyncio.to_thread": _to_thread,
    "a reference from another runtime": lambda resolver, call: resolver.resolve(from_elsewhere(call)),
}
