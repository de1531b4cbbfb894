"""Keeping up with all sessions: nothing is missed, nothing comes twice, and a stop is loud."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import httpx
import pytest
from support.faults import FaultyWay, page, problem, stopped
from support.kafka import delete_first, delete_topic, produce
from support.service import DEV, Service, new_user

from session_ledger import (
    CurrentReplica,
    FollowedEvent,
    FollowedTo,
    Follower,
    FollowerStopped,
    Gap,
    LedgerClient,
    LedgerError,
    Reading,
    ReplicaFull,
    Stalled,
    sync,
)
from session_ledger.follow.event import BadEvent, parse_event
from session_ledger.follow.source import vector_of
from session_ledger.kafka import KafkaSource


class Following:
    """A follower that keeps what it tells."""

    def __init__(self, ledger: LedgerClient, **options: Any) -> None:
        self.events: list[FollowedEvent] = []
        self.troubles: list[BaseException] = []
        self.stops: list[FollowerStopped] = []
        given: dict[str, Any] = {
            "start": "beginning",
            "on_events": lambda events, _: self.events.extend(events),
            "on_stopped": self.stops.append,
            "on_trouble": self.troubles.append,
            **options,
        }
        self.follower = Follower(ledger, **given)

    async def __aenter__(self) -> Following:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.follower.stop()

    def by_partition(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for event in self.events:
            found.setdefault(event.partition, []).append(event.sequence)
        return found

    def assert_dense(self, starts: dict[int, int] | None = None) -> None:
        for partition, sequences in self.by_partition().items():
            first = (starts or {}).get(partition, 0) + 1
            assert sequences == list(range(first, first + len(sequences)))


async def until(holds: Any, within: float = 20.0) -> None:
    end = time.monotonic() + within
    while not holds():
        assert time.monotonic() < end, "it did not become so"
        await asyncio.sleep(0.01)


async def write(ledger: LedgerClient, count: int) -> list[Any]:
    calls = [ledger.call("startSession", {"body": {"userId": new_user(), "owner": DEV}}) for _ in range(count)]
    return [answer["position"] for answer in await asyncio.gather(*calls)]


async def heads_of(ledger: LedgerClient) -> list[int]:
    return (await ledger.call("stats", {"query": {"limit": 1}}))["ledger"]["heads"]


async def reach(one: Following, ledger: LedgerClient) -> list[int]:
    heads = await heads_of(ledger)
    await until(lambda: one.follower.positions and all(one.follower.positions[p] >= h for p, h in enumerate(heads)))
    return heads


def source_of(kind: str, service: Service) -> Any:
    return KafkaSource({"bootstrap.servers": service.brokers}, service.topic) if kind == "kafka" else None


sources = pytest.mark.parametrize("kind", ["feed", "kafka"])


@sources
async def test_every_event_comes_once_and_in_order_from_any_position(service: Service, kind: str) -> None:
    async with LedgerClient(service.url) as ledger:
        await write(ledger, 40)
        async with Following(ledger, source=source_of(kind, service)) as one:
            await reach(one, ledger)
            await write(ledger, 40)
            heads = await reach(one, ledger)
            one.assert_dense()
            assert sum(map(len, one.by_partition().values())) == sum(heads)
            assert (one.follower.counts.gaps, one.troubles, one.stops) == (0, [], [])
            stored, ledger_id = one.follower.positions, one.follower.ledger_id
        await write(ledger, 40)
        options: Any = {"start": stored, "ledger_id": ledger_id, "source": source_of(kind, service)}
        async with Following(ledger, **options) as two:
            later = await reach(two, ledger)
            two.assert_dense(stored)
            assert len(two.events) == sum(later) - sum(heads)
        async with Following(ledger, start="present", source=source_of(kind, service)) as three:
            await until(lambda: three.follower.positions)
            [position] = await write(ledger, 1)
            await until(lambda: three.events)
            [event] = three.events
            assert (event.partition, event.sequence) == (position["partition"], position["sequence"])
            assert event.session
            assert (event.type, event.session["status"]) == ("SessionStarted", "active")


class Chosen:
    """A source that gives what a test gives it, then waits."""

    def __init__(self, *batches: Sequence[FollowedEvent] | Exception) -> None:
        self.batches = list(batches)
        self.reads = 0

    async def check(self, positions: Sequence[int]) -> None: ...

    async def read(self, reading: Reading) -> None:
        self.reads += 1
        while self.batches:
            batch = self.batches.pop(0)
            if isinstance(batch, Exception):
                raise batch
            await reading.take(batch)
        await asyncio.sleep(3_600)


async def events_of(ledger: LedgerClient, partition: int) -> list[FollowedEvent]:
    query: Any = {"partition": partition, "after": 0, "limit": 500}
    page_of = await ledger.call("feed", {"query": query})
    return [parse_event(json.dumps(one)) for one in page_of["events"]]


async def busiest(ledger: LedgerClient) -> int:
    """A partition with at least 6 events."""
    while max(await heads_of(ledger)) < 6:
        await write(ledger, 10)
    heads = await heads_of(ledger)
    return heads.index(max(heads))


async def test_what_comes_again_is_dropped_and_what_is_missing_is_read_from_the_feed(service: Service) -> None:
    async with LedgerClient(service.url) as ledger:
        partition = await busiest(ledger)
        events = await events_of(ledger, partition)
        source = Chosen(events[:2], events[1:2], [events[4], events[4]], events[:3])
        async with Following(ledger, source=source) as one:
            await until(lambda: one.follower.positions.get(partition) == 5)
            one.assert_dense()
            await until(lambda: one.follower.counts.repeated == 5)
            assert (one.follower.counts.gaps, one.follower.counts.healed) == (1, 2)
            [gap] = [trouble for trouble in one.troubles if isinstance(trouble, Gap)]
            assert (gap.partition, gap.after, gap.found) == (partition, 2, 5)


async def test_a_source_that_hangs_is_read_from_the_feed_and_opened_anew(service: Service) -> None:
    async with LedgerClient(service.url) as ledger:
        await write(ledger, 20)
        source = Chosen()
        async with Following(ledger, source=source, look_seconds=0.2) as one:
            await reach(one, ledger)
            one.assert_dense()
            assert any(isinstance(trouble, Stalled) for trouble in one.troubles)
            await until(lambda: source.reads > 1)


async def test_a_connection_that_breaks_is_opened_anew(service: Service) -> None:
    way = FaultyWay()
    way.plan("/v1/feed/stream", stopped(lambda: page(502)), stopped(lambda: problem("closing", 503)))
    async with LedgerClient(service.url, transport=way) as ledger:
        await write(ledger, 5)
        async with Following(ledger) as one:
            await reach(one, ledger)
            one.assert_dense()
            assert one.follower.counts.connections == 3
            assert len(one.troubles) == 2


async def test_a_ledger_that_is_killed_is_followed_on_when_it_is_back(own_service: Service) -> None:
    async with LedgerClient(own_service.url) as ledger:
        await write(ledger, 5)
        async with Following(ledger, look_seconds=0.5) as one:
            await reach(one, ledger)
            own_service.kill()
            await asyncio.sleep(0.5)
            own_service.start()
            await write(ledger, 5)
            await reach(one, ledger)
            one.assert_dense()
            assert one.troubles
            assert one.stops == []


# The handler.


async def test_a_handler_that_raises_gets_the_same_events_again_and_then_it_stops(service: Service) -> None:
    async with LedgerClient(service.url) as ledger:
        await write(ledger, 1)
        calls: list[list[int]] = []

        async def flaky(events: Sequence[FollowedEvent], to: FollowedTo) -> None:
            calls.append([one.sequence for one in events])
            if len(calls) < 3:
                raise ValueError("not yet")

        async with Following(ledger, on_events=flaky, max_batch=1) as one:
            await until(lambda: one.follower.counts.handled > 0)
            assert calls[0] == calls[1] == calls[2]
            assert [type(trouble) for trouble in one.troubles] == [ValueError, ValueError]

        def always(events: Sequence[FollowedEvent], to: FollowedTo) -> None:
            raise ValueError("never")

        one = Following(ledger, on_events=always, retries=2)
        why = await asyncio.wait_for(one.follower.done(), 10)
        assert why is not None
        assert (why.code, one.stops, type(why.__cause__)) == ("handler-failed", [why], ValueError)
        assert one.follower.counts.handled == 0


async def test_a_handler_that_does_not_return_stops_it_and_one_that_has_begun_may_end(service: Service) -> None:
    async with LedgerClient(service.url) as ledger:
        await write(ledger, 1)

        async def stuck(events: Sequence[FollowedEvent], to: FollowedTo) -> None:
            await asyncio.sleep(3_600)

        one = Following(ledger, on_events=stuck, handler_seconds=0.2)
        why = await asyncio.wait_for(one.follower.done(), 10)
        assert why
        assert why.code == "handler-stuck"

        begun, done = asyncio.Event(), []

        async def slow(events: Sequence[FollowedEvent], to: FollowedTo) -> None:
            begun.set()
            await asyncio.sleep(0.3)
            done.append(to)

        two = Following(ledger, on_events=slow)
        await begun.wait()
        await two.follower.stop()
        [to] = done  # and no second call began
        assert two.follower.positions[to.partition] == to.sequence
        assert two.stops == []


# Stops that are loud.


async def stop_of(one: Following) -> FollowerStopped:
    why = await asyncio.wait_for(one.follower.done(), 20)
    assert why
    assert one.stops == [why]
    return why


async def test_a_credential_that_may_not_know_of_all_events_is_told_so() -> None:
    way = FaultyWay()
    answer = json.dumps({"sync": {"inSync": 0, "outOfSync": 0, "unknown": 0, "consumers": [], "list": []}})
    headers = {"content-type": "application/json"}
    way.plan("/v1/stats", *[stopped(lambda: httpx.Response(200, headers=headers, content=answer))] * 20)
    async with LedgerClient("http://127.0.0.1:9", transport=way) as ledger, Following(ledger) as one:
        await until(lambda: one.troubles)
        assert isinstance(one.troubles[0], PermissionError) and "audit" in str(one.troubles[0])


async def test_it_stops_for_another_ledger_and_for_positions_that_the_ledger_has_not(
    service: Service, own_service: Service
) -> None:
    async with LedgerClient(service.url) as ledger, LedgerClient(own_service.url) as other:
        await write(ledger, 5)
        async with Following(ledger) as one:
            await reach(one, ledger)
            stored, ledger_id = one.follower.positions, one.follower.ledger_id
        assert (await stop_of(Following(other, start=stored, ledger_id=ledger_id))).code == "another-ledger"
        assert (await stop_of(Following(ledger, start={3: 10**9}))).code == "position-ahead"
        assert (await stop_of(Following(ledger, start={99: 1}))).code == "partitions-changed"
        restored = f"{ledger_id}#7"
        assert (await stop_of(Following(ledger, ledger_id=restored))).code == "restored"


async def test_it_stops_for_what_is_no_event_many_times_in_a_row(service: Service) -> None:
    bad = [BadEvent("no event")] * 10
    async with LedgerClient(service.url) as ledger:
        one = Following(ledger, source=Chosen(*bad))
        assert (await stop_of(one)).code == "bad-events"


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[]", '{"partition":0}', '{"partition":-1,"sequence":"1","source":"s"}'],
)
def test_this_is_no_event(text: str) -> None:
    with pytest.raises(BadEvent):
        parse_event(text)


def test_positions_are_an_id_of_the_stream() -> None:
    assert vector_of([0, 35, 36, 10_000], None) == "0.z.10.7ps"
    assert vector_of([1], 2) == "1-r2"


# Kafka's own troubles.


async def test_kafka_lacks_events_has_others_twice_and_some_of_somebody_else() -> None:
    service = Service(kafka=True)
    try:
        async with LedgerClient(service.url) as ledger:
            partition = await busiest(ledger)
            events = await events_of(ledger, partition)
            options: Any = {"source": source_of("kafka", service)}
            async with Following(ledger, **options) as one:
                await reach(one, ledger)  # all of it is in Kafka
            delete_first(service.brokers, service.topic, partition, 3)
            produce(service.brokers, service.topic, partition, [events[-1].document])
            produce(service.brokers, service.topic, partition, ["of somebody else"], ours=False)
            async with Following(ledger, source=source_of("kafka", service)) as two:
                await reach(two, ledger)
                two.assert_dense()
                await until(lambda: two.follower.counts.repeated >= 1)
                assert two.follower.counts.gaps == 1
                assert two.follower.counts.healed >= 3
                assert two.stops == []
                stored, ledger_id = two.follower.positions, two.follower.ledger_id
            delete_topic(service.brokers, service.topic)
            await asyncio.sleep(1)
            produce(service.brokers, service.topic, 0, ["of another topic"], ours=False)
            options = {"start": stored, "ledger_id": ledger_id, "source": source_of("kafka", service)}
            three = Following(ledger, **options)
            assert (await stop_of(three)).code in ("topic-recreated", "partitions-changed")
    finally:
        service.stop()


async def test_while_kafka_has_nothing_events_come_from_the_feed(service: Service) -> None:
    async with LedgerClient(service.url) as ledger:
        await write(ledger, 10)
        nobody = KafkaSource({"bootstrap.servers": "127.0.0.1:9"}, service.topic)

        async def unchecked(positions: Sequence[int]) -> None: ...

        nobody.check = unchecked
        async with Following(ledger, source=nobody, look_seconds=0.3) as one:
            await reach(one, ledger)
            one.assert_dense()
            assert one.follower.counts.healed > 0


# In memory.


async def test_a_replica_has_what_is_current_and_waits_for_a_position(service: Service) -> None:
    async with LedgerClient(service.url) as ledger:
        user = new_user()
        await write(ledger, 20)
        async with CurrentReplica(ledger, look_seconds=0.2) as replica:
            answer = await ledger.call("startSession", {"body": {"userId": user, "owner": DEV}})
            await replica.reached(answer["position"])
            session = replica.current({"userId": user})
            assert session
            assert session["sessionId"] == answer["session"]["sessionId"]
            assert "attributes" not in session
            stop: Any = {"epoch": 1, "origin": DEV, "reason": "done"}
            ended = await ledger.end(session["sessionId"], stop)
            await replica.reached(ended["position"])
            assert replica.current({"userId": user}) is None
            await until(lambda: replica.staleness < 0.5)
            ahead: Any = {"partition": 0, "sequence": 10**9}
            with pytest.raises(TimeoutError):
                await replica.reached(ahead, within=0.05)
        with pytest.raises(ReplicaFull):
            await CurrentReplica(ledger, most=3).open()


async def test_a_replica_follows_no_other_ledger_that_answers_once_its_snapshot_is_read(
    service: Service, own_service: Service
) -> None:
    class Switched(httpx.AsyncHTTPTransport):
        is_read = False

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if self.is_read:
                request.url = request.url.copy_with(port=httpx.URL(own_service.url).port)
            self.is_read = self.is_read or request.url.path == "/v1/snapshot"
            return await super().handle_async_request(request)

    async with (
        LedgerClient(service.url, transport=Switched()) as ledger,
        CurrentReplica(ledger, look_seconds=0.1) as replica,
    ):
        await until(lambda: replica.staleness == float("inf"))
        with pytest.raises(FollowerStopped, match="another-ledger"):
            replica.current({"userId": "ada"})


async def test_a_replica_that_is_full_stops_and_does_not_miss_somebody_silently(own_service: Service) -> None:
    stops: list[BaseException] = []
    async with (
        LedgerClient(own_service.url) as ledger,
        CurrentReplica(ledger, most=3, on_stopped=stops.append) as replica,
    ):
        positions = await write(ledger, 4)
        for position in positions:
            with suppress(ReplicaFull):
                await replica.reached(position)
        with pytest.raises(ReplicaFull):
            replica.current({"userId": "ada"})
        assert [type(one) for one in stops] == [ReplicaFull]
        assert replica.staleness == float("inf")


async def test_a_snapshot_that_breaks_off_is_no_replica(service: Service) -> None:
    half = httpx.Response(
        200,
        headers={"content-type": "application/x-ndjson"},
        content='{"position":{"partition":0,"sequence":1}}\n{"session',
    )
    way = FaultyWay()
    way.plan("/v1/snapshot", stopped(lambda: half), stopped(lambda: page(200)))
    async with LedgerClient(service.url, transport=way) as ledger:
        with pytest.raises(ConnectionError, match="broke off"):
            await CurrentReplica(ledger).open()
        with pytest.raises(LedgerError, match="unexpected answer"):
            await CurrentReplica(ledger).open()


# In threads.


@sources
def test_followers_and_replicas_of_threads(service: Service, kind: str) -> None:
    seen: list[FollowedEvent] = []
    threads: set[int] = set()
    came = threading.Event()
    user = new_user()

    def handle(events: Sequence[FollowedEvent], to: FollowedTo) -> None:
        threads.add(threading.get_ident())
        seen.extend(events)
        if any(one.session and one.session["scope"]["userId"] == user for one in events):
            came.set()

    with sync.LedgerClient(service.url) as ledger, sync.CurrentReplica(ledger) as replica:
        follower = sync.Follower(
            ledger, start="present", on_events=handle, on_stopped=lambda _: None, source=source_of(kind, service)
        )
        with follower:
            end = time.monotonic() + 10
            while not follower.positions and time.monotonic() < end:
                time.sleep(0.01)
            answer = ledger.join({"userId": user, "owner": DEV})
            assert came.wait(20)
            assert len(threads) == 1
            assert threads != {threading.get_ident()}
            replica.reached(answer["position"])
            assert replica.current({"userId": user})
        assert follower.done() is None
