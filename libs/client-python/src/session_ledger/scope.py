"""How scopes are named and spread over partitions."""

from __future__ import annotations

from typing import TypedDict
from urllib.parse import quote


class ScopeName(TypedDict, total=False):
    """A user, and one of the user's projects: `default` when left out."""

    userId: str
    projectId: str


def scope_key(user_id: str, project_id: str = "default", tenant: str = "default") -> str:
    """`tenant/userId/projectId`: names a scope, and is the key of its records in Kafka.

    What RFC 3986 calls unreserved stays, every other byte of the UTF-8 form becomes `%XX`. Nothing is normalised: what
    looks alike may be two ids. Raises ValueError for half of a surrogate pair.
    """
    return "/".join(quote(part, safe="") for part in (tenant, user_id, project_id))


def partition_of(key: str, partitions: int = 16) -> int:
    """The partition of a scope, as Kafka's default partitioner gives it for its key."""
    return (_murmur2(key.encode("ascii")) & 0x7FFFFFFF) % partitions


def _murmur2(data: bytes) -> int:
    """MurmurHash2 as Kafka's Java client computes it (org.apache.kafka.common.utils.Utils), unsigned."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = 0x9747B28C ^ len(data)
    whole = len(data) & ~3
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at : at + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = h * m & mask ^ k
    if whole < len(data):
        h = (h ^ int.from_bytes(data[whole:], "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15
