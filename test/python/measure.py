"""What the Python client costs beside what it stands on: `npm run test:python -- --measure`.

Each figure and its floor are measured in turns, on the same service, and shown as medians; events from the first one on.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "libs/client-python/tests"))

import httpx  # noqa: E402
from confluent_kafka import Consumer, TopicPartition  # noqa: E402
from support.service import DEBUG, DEV, Service, new_user  # noqa: E402

from session_ledger import Follower, LedgerClient, sync  # noqa: E402
from session_ledger.kafka import KafkaSource  # noqa: E402

TURNS, CALLS, EVENTS = 7, 200, 10_000


def median_of(times: list[float]) -> float:
    return statistics.median(times)


def show(what: str, ours: float, floor: float, unit: str) -> None:
    print(f"{what:<42} {ours:>10.0f} {unit:<9} bare {floor:>10.0f}   ratio {ours / floor:.2f}", flush=True)


async def calls(service: Service) -> None:
    user = new_user()
    address = f"{service.url}/v1/current?userId={user}"
    ours, bare, sync_ours, sync_bare = [], [], [], []

    async def timed(work: Callable[[], Awaitable[Any]], into: list[float]) -> None:
        for _ in range(CALLS):
            began = time.perf_counter()
            await work()
            into.append(time.perf_counter() - began)

    def timed_here(work: Callable[[], Any], into: list[float]) -> None:
        for _ in range(CALLS):
            began = time.perf_counter()
            work()
            into.append(time.perf_counter() - began)

    async with LedgerClient(service.url) as ledger, httpx.AsyncClient() as client:
        await ledger.join({"userId": user, "owner": DEV})

        async def plain() -> Any:
            return (await client.get(address)).json()

        for _ in range(TURNS):
            await timed(plain, bare)
            await timed(lambda: ledger.current({"userId": user}), ours)
    with sync.LedgerClient(service.url) as threads, httpx.Client() as plain_client:
        for _ in range(TURNS):
            timed_here(lambda: plain_client.get(address).json(), sync_bare)
            timed_here(lambda: threads.current({"userId": user}), sync_ours)
    show("a call, asyncio, beside httpx.AsyncClient", median_of(ours) * 1e6, median_of(bare) * 1e6, "us")
    show("a call, threads, beside httpx.Client", median_of(sync_ours) * 1e6, median_of(sync_bare) * 1e6, "us")


async def write(service: Service) -> list[int]:
    async with LedgerClient(service.url) as ledger:
        users = [new_user() for _ in range(200)]

        async def work(number: int) -> None:
            for turn in range(EVENTS // 2 // 50):
                user = users[(number * 4 + turn) % len(users)]
                await ledger.call("startSession", {"body": {"userId": user, "owner": DEV}})

        await asyncio.gather(*map(work, range(50)))
        return (await ledger.call("stats", {"query": {"limit": 1}}))["ledger"]["heads"]


async def followed(service: Service, heads: list[int], source: Any) -> float:
    done = asyncio.Event()
    left = sum(heads)
    began = 0.0

    def on_events(events: Any, _: Any) -> None:
        nonlocal left, began
        began = began or time.perf_counter()
        left -= len(events)
        if left <= 0:
            done.set()

    async with LedgerClient(service.url) as ledger:
        async with Follower(ledger, source=source, start="beginning", on_events=on_events, on_stopped=print):
            await done.wait()
            return sum(heads) / (time.perf_counter() - began)


async def bare_stream(service: Service, heads: list[int]) -> float:
    left = sum(heads)
    headers = {"last-event-id": ".".join("0" * len(heads))}
    began = 0.0
    async with (
        httpx.AsyncClient(timeout=None) as client,  # noqa: S113
        client.stream("GET", f"{service.url}/v1/feed/stream", headers=headers) as response,
    ):
        async for line in response.aiter_lines():
            if line.startswith("data:"):
                began = began or time.perf_counter()
                json.loads(line[5:])
                left -= 1
                if left <= 0:
                    break
    return sum(heads) / (time.perf_counter() - began)


def bare_kafka(service: Service, heads: list[int]) -> float:
    left = sum(heads)
    began = 0.0
    consumer: Any = Consumer({"bootstrap.servers": service.brokers, "group.id": new_user()})
    consumer.assign([TopicPartition(service.topic, partition, 0) for partition in range(len(heads))])
    while left > 0:
        for message in consumer.consume(2_000, 0.1):
            began = began or time.perf_counter()
            json.loads(message.value())
            left -= 1
    rate = sum(heads) / (time.perf_counter() - began)
    consumer.close()
    return rate


async def follows(service: Service) -> None:
    heads = await write(service)
    kafka = {"bootstrap.servers": service.brokers}
    bare_kafka(service, heads)  # once all of it is there
    rates: dict[str, list[float]] = {name: [] for name in ("stream", "bare stream", "kafka", "bare kafka")}
    for _ in range(5):
        rates["bare stream"].append(await bare_stream(service, heads))
        rates["stream"].append(await followed(service, heads, None))
        rates["bare kafka"].append(bare_kafka(service, heads))
        rates["kafka"].append(await followed(service, heads, KafkaSource(kafka, service.topic)))
    middle = {name: median_of(found) for name, found in rates.items()}
    show("a follower of the stream", middle["stream"], middle["bare stream"], "events/s")
    show("a follower of Kafka", middle["kafka"], middle["bare kafka"], "events/s")


async def losses(service: Service) -> None:
    times: list[float] = []
    async with LedgerClient(service.url) as ledger, LedgerClient(service.url) as other:
        for _ in range(300):
            user = new_user()
            mine = await ledger.start({"userId": user, "owner": DEV, "lease": {"seconds": 600}})
            heard: list[float] = []
            mine.on_lost(lambda _, heard=heard: heard.append(time.perf_counter()))
            next_one = await other.start({"userId": user, "owner": DEBUG})
            answered = time.perf_counter()
            await mine.signal.wait()
            times.append(max(0.0, heard[0] - answered))
            await next_one.end({"reason": "done"})
    times.sort()
    half, most = times[len(times) // 2] * 1e3, times[int(len(times) * 0.99)] * 1e3
    print(f"{'from the answer to a supersede to lost':<42} p50 {half:.1f} ms, p99 {most:.1f} ms", flush=True)


def main() -> None:
    service = Service(kafka=True)
    try:
        chosen = {measure.__name__: measure for measure in (calls, losses, follows)}
        for measure in [chosen[name] for name in sys.argv[1:]] or chosen.values():
            asyncio.run(measure(service))
    finally:
        service.stop()


if __name__ == "__main__":
    main()
