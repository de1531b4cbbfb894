# Generated from /openapi.json by `npm run generate`. Do not edit.
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict, Union


if TYPE_CHECKING:
    from typing_extensions import NotRequired, TypeAlias


class Owner(TypedDict):
    """Who runs the session."""
    environment: str
    """1 to 256 characters, valid Unicode, no control characters."""
    instance: NotRequired[str]
    """1 to 256 characters, valid Unicode, no control characters."""


class Lease(TypedDict):
    """How long ownership lasts without a sign of life."""
    seconds: int
    """A whole number from 1 to 2592000 (30 days)."""
    graceSeconds: NotRequired[int]
    """How long the session waits for its old owner after a lapse; 60 when left out."""
    renewOn: NotRequired[Literal['heartbeat', 'use']]
    """heartbeat when left out; use makes it an idle time-out."""
    onLapse: NotRequired[Literal['release', 'end']]
    """release when left out."""


class NewHandle(TypedDict):
    """An outside name and what it is bound to."""
    kind: str
    """a-z, 0-9, _ . and -, at most 64: the kind of name, such as mcp-transport; stored in clear."""
    value: str
    """1 to 1024 characters, valid Unicode, no control characters; kept as a keyed hash only."""
    binds: Literal['scope', 'session']
    """scope: routing to whatever is current (32 a scope, the oldest is dropped); session: stays with the session until a later one of the scope brings it (8 a session)."""


class Policy(TypedDict):
    """What holds for the chain: one of these at least."""
    maxChainLength: NotRequired[int]
    """A whole number from 1 to 100000: only a reset leads on from there."""
    adviseAt: NotRequired[int]
    """From which chain length a reset is advised: from 1 to maxChainLength, which it is when left out."""
    endReleasedAfterSeconds: NotRequired[int]
    """A whole number from 1 to 2592000 (30 days): a released session expires this long after the release, or after its reservation; never when left out."""


class StartBody(TypedDict):
    userId: str
    """1 to 256 characters, valid Unicode, no control characters."""
    projectId: NotRequired[str]
    """1 to 256 characters, valid Unicode, no control characters."""
    owner: Owner
    onConflict: NotRequired[Literal['supersede', 'reject', 'join']]
    """supersede when left out."""
    expectedEpoch: NotRequired[int]
    """Fencing token: rises at every change of the current session or of its owner, and at its end."""
    phase: NotRequired[Literal['starting', 'active']]
    """active when left out."""
    lease: NotRequired[Lease]
    handles: NotRequired[list[NewHandle]]
    """at most 8, each once."""
    attributes: NotRequired[dict[str, Any]]
    """Facts kept with the session, erasable: at most 4 KiB as JSON, nested at most 8 deep."""
    policy: NotRequired[Policy]
    fromCheckpoint: NotRequired[str]
    """1 to 128 characters, no control characters; stays in the log, so no personal data."""


class Scope(TypedDict):
    """A user and a project; a scope has at most one current session."""
    userId: str
    """1 to 256 characters, valid Unicode, no control characters."""
    projectId: str
    """1 to 256 characters, valid Unicode, no control characters."""


class ShownLease(TypedDict):
    """How long ownership lasts without a sign of life."""
    seconds: int
    """A whole number from 1 to 2592000 (30 days)."""
    graceSeconds: NotRequired[int]
    """How long the session waits for its old owner after a lapse; 60 when left out."""
    renewOn: NotRequired[Literal['heartbeat', 'use']]
    """heartbeat when left out; use makes it an idle time-out."""
    onLapse: NotRequired[Literal['release', 'end']]
    """release when left out."""
    expiresAt: NotRequired[str]
    """When it ends unless renewed; only with `include=lease`, and in the list of all current sessions."""


class UsageTotals(TypedDict):
    """Usage sums of a session, a chain or a scope."""
    operations: int
    """How many reports."""
    inputTokens: int
    """Sum of all reports."""
    outputTokens: int
    """Sum of all reports."""
    cachedTokens: int
    """Sum of all reports."""
    durationMs: int
    """Sum of all reports."""
    cost: dict[str, str]
    """Exact sums by currency, which are never added to each other."""


class SessionHandlesItem(TypedDict):
    kind: str
    """a-z, 0-9, _ . and -, at most 64: the kind of name, such as mcp-transport; stored in clear."""
    hash: str


class SessionInvalid(TypedDict):
    at: str
    """UTC, milliseconds."""
    reason: str


class Session(TypedDict):
    """One session; ids are never reused, ended sessions never return."""
    sessionId: str
    """UUID of one session instance."""
    scope: Scope
    status: Literal['starting', 'active', 'released', 'ending', 'ended']
    epoch: int
    """Fencing token: rises at every change of the current session or of its owner, and at its end."""
    revision: int
    owner: NotRequired[Owner]
    previousOwner: NotRequired[Owner]
    reservedFor: NotRequired[Owner]
    reservedUntil: NotRequired[str]
    """UTC, milliseconds."""
    reservedSeconds: NotRequired[int]
    """The length of the reservation; absent if a lapse made it."""
    expiresAt: NotRequired[str]
    """UTC, milliseconds."""
    lease: NotRequired[ShownLease]
    drainUntil: NotRequired[str]
    """UTC, milliseconds."""
    principal: str
    parentId: NotRequired[str]
    """UUID of one session instance."""
    rootId: str
    """UUID of one session instance."""
    chainLength: int
    policy: NotRequired[Policy]
    resetAdvised: NotRequired[Literal[True]]
    """Rotate with reason "reset" soon."""
    previousRootId: NotRequired[str]
    """UUID of one session instance."""
    recoveredFrom: NotRequired[str]
    """UUID of one session instance."""
    fromCheckpoint: NotRequired[str]
    reason: NotRequired[str]
    versionId: NotRequired[str]
    handles: NotRequired[list[SessionHandlesItem]]
    """Outside names that are bound to it; `hash` is of their keyed hash and a salt of the scope, which can be erased."""
    attributesDigest: NotRequired[str]
    """SHA-256 over a salt and the attributes."""
    attributes: Union[dict[str, Any], Literal['erased']]
    startedAt: str
    """UTC, milliseconds."""
    endedAt: NotRequired[str]
    """UTC, milliseconds."""
    endCause: NotRequired[Literal['ended', 'superseded', 'rotated', 'expired', 'invalid', 'reset']]
    endReason: NotRequired[str]
    endedBy: NotRequired[Owner]
    successorId: NotRequired[str]
    """UUID of one session instance."""
    successorHandle: NotRequired[str]
    """`hash` of the handle in its rotation."""
    usage: NotRequired[UsageTotals]
    invalid: NotRequired[SessionInvalid]


class Position(TypedDict):
    """A place in the log."""
    partition: int
    sequence: int


class CommandAnswerDroppedItem(TypedDict):
    kind: str
    """a-z, 0-9, _ . and -, at most 64: the kind of name, such as mcp-transport; stored in clear."""
    boundAt: NotRequired[str]
    """UTC, milliseconds."""


class CommandAnswer(TypedDict):
    outcome: str
    session: Session
    current: NotRequired[Union[Session, None]]
    """The current session, if `session` is not or is no longer it. In a repeated answer null says that none is current any more."""
    ignored: NotRequired[list[Literal['attributes', 'fromCheckpoint', 'lease', 'phase', 'policy']]]
    """What the start requested and did not get, because it joined or claimed a session."""
    dropped: NotRequired[list[CommandAnswerDroppedItem]]
    """Handles that the scope lost to new ones, since it keeps 32: when each was bound last, the oldest first. Not in an answer that is repeated by its key."""
    retryAfter: NotRequired[int]
    """For reported: seconds to wait before a retry."""
    position: Position


class ProblemFilesItem(TypedDict):
    file: str
    first: int
    last: int


class Problem(TypedDict):
    """RFC 9457. `current` is the current session; if there is none, `last` is the previous one."""
    type: str
    """/problems/<code>."""
    title: str
    status: int
    detail: NotRequired[str]
    retryable: bool
    """Whether the same request may succeed later."""
    current: NotRequired[Session]
    last: NotRequired[Session]
    until: NotRequired[str]
    """UTC, milliseconds."""
    retryAfter: NotRequired[int]
    """Seconds to wait before a retry; for one of many commands, in place of the header."""
    handle: NotRequired[str]
    """For handle-taken: the kind of the handle."""
    candidate: NotRequired[int]
    """For resolve: index, from 0, of the candidate at fault."""
    partition: NotRequired[int]
    """For archived events."""
    firstSequence: NotRequired[int]
    """The first sequence of the partition that is not archived."""
    firstVersion: NotRequired[int]
    """The first version of the scope that is not archived."""
    files: NotRequired[list[ProblemFilesItem]]
    """The archives to read first, in order, with the sequences that they contain."""


class PlacedSessionHandlesItem(TypedDict):
    kind: str
    """a-z, 0-9, _ . and -, at most 64: the kind of name, such as mcp-transport; stored in clear."""
    hash: str


class PlacedSessionInvalid(TypedDict):
    at: str
    """UTC, milliseconds."""
    reason: str


class PlacedSession(TypedDict):
    """A session, and the event that last changed it."""
    sessionId: str
    """UUID of one session instance."""
    scope: Scope
    status: Literal['starting', 'active', 'released', 'ending', 'ended']
    epoch: int
    """Fencing token: rises at every change of the current session or of its owner, and at its end."""
    revision: int
    owner: NotRequired[Owner]
    previousOwner: NotRequired[Owner]
    reservedFor: NotRequired[Owner]
    reservedUntil: NotRequired[str]
    """UTC, milliseconds."""
    reservedSeconds: NotRequired[int]
    """The length of the reservation; absent if a lapse made it."""
    expiresAt: NotRequired[str]
    """UTC, milliseconds."""
    lease: NotRequired[ShownLease]
    drainUntil: NotRequired[str]
    """UTC, milliseconds."""
    principal: str
    parentId: NotRequired[str]
    """UUID of one session instance."""
    rootId: str
    """UUID of one session instance."""
    chainLength: int
    policy: NotRequired[Policy]
    resetAdvised: NotRequired[Literal[True]]
    """Rotate with reason "reset" soon."""
    previousRootId: NotRequired[str]
    """UUID of one session instance."""
    recoveredFrom: NotRequired[str]
    """UUID of one session instance."""
    fromCheckpoint: NotRequired[str]
    reason: NotRequired[str]
    versionId: NotRequired[str]
    handles: NotRequired[list[PlacedSessionHandlesItem]]
    """Outside names that are bound to it; `hash` is of their keyed hash and a salt of the scope, which can be erased."""
    attributesDigest: NotRequired[str]
    """SHA-256 over a salt and the attributes."""
    attributes: Union[dict[str, Any], Literal['erased']]
    startedAt: str
    """UTC, milliseconds."""
    endedAt: NotRequired[str]
    """UTC, milliseconds."""
    endCause: NotRequired[Literal['ended', 'superseded', 'rotated', 'expired', 'invalid', 'reset']]
    endReason: NotRequired[str]
    endedBy: NotRequired[Owner]
    successorId: NotRequired[str]
    """UUID of one session instance."""
    successorHandle: NotRequired[str]
    """`hash` of the handle in its rotation."""
    usage: NotRequired[UsageTotals]
    invalid: NotRequired[PlacedSessionInvalid]
    position: Position


class SessionPage(TypedDict):
    sessions: list[PlacedSession]
    next: NotRequired[str]
    """Pass as `after` for the next page; absent in the last one."""


class ActivateBody(TypedDict):
    epoch: int
    """Fencing token: rises at every change of the current session or of its owner, and at its end."""
    owner: NotRequired[Owner]


class Handle(TypedDict):
    """An outside name."""
    kind: str
    """a-z, 0-9, _ . and -, at most 64: the kind of name, such as mcp-transport; stored in clear."""
    value: str
    """1 to 1024 characters, valid Unicode, no control characters; kept as a keyed hash only."""


class Money(TypedDict):
    """An exact amount of money, in one currency."""
    amount: Union[str, float]
    """A decimal, such as "0.0125" or 1.5e-7: no sign, up to 18 digits before the point and 30 after it. It is answered as text, without exponent."""
    currency: str
    """ISO 4217: three capital letters."""


class Usage(TypedDict):
    """What one operation used: at least one of these."""
    inputTokens: NotRequired[int]
    """A whole number from 0 to 2^53-1."""
    outputTokens: NotRequired[int]
    """A whole number from 0 to 2^53-1."""
    cachedTokens: NotRequired[int]
    """Of the input, those from a cache: a whole number from 0 to 2^53-1."""
    durationMs: NotRequired[int]
    """Milliseconds: a whole number from 0 to 2^53-1."""
    cost: NotRequired[Money]
    model: NotRequired[str]
    """1 to 128 characters, valid Unicode, no control characters."""


class RotateBody(TypedDict):
    epoch: int
    """Fencing token: rises at every change of the current session or of its owner, and at its end."""
    owner: NotRequired[Owner]
    reason: str
    """a-z, 0-9, _ . and -: build, metadata_generation, compact, chat_plan, resume, reset, or one of your own."""
    versionId: NotRequired[str]
    """1 to 256 characters, valid Unicode, no control characters."""
    successorHandle: NotRequired[Handle]
    handles: NotRequired[list[NewHandle]]
    """at most 8, each once."""
    usage: NotRequired[Usage]


class ReleaseBody(TypedDict):
    epoch: int
    """Fencing token: rises at every change of the current session or of its owner, and at its end."""
    owner: NotRequired[Owner]
    to: NotRequired[Owner]
    reservedSeconds: NotRequired[int]
    """How long only `to` may claim; 60 when left out."""
    force: NotRequired[bool]


class ClaimBody(TypedDict):
    epoch: int
    """Fencing token: rises at every change of the current session or of its owner, and at its end."""
    owner: Owner
    lease: NotRequired[Lease]
    force: NotRequired[bool]


class EndBody(TypedDict):
    epoch: int
    """Fencing token: rises at every change of the current session or of its owner, and at its end."""
    origin: Owner
    reason: str
    """1 to 64 characters; stays in the log, so no personal data."""
    drainSeconds: NotRequired[int]
    """The session ends when the owner confirms it by the same request without this, or after this many seconds."""
    force: NotRequired[bool]


TouchBody: TypeAlias = "dict[str, Any]"


class AttributesBody(TypedDict):
    epoch: int
    """Fencing token: rises at every change of the current session or of its owner, and at its end."""
    owner: NotRequired[Owner]
    attributes: dict[str, Any]
    """A JSON merge patch (RFC 7396)."""


class HandlesBody(TypedDict):
    epoch: int
    """Fencing token: rises at every change of the current session or of its owner, and at its end."""
    owner: NotRequired[Owner]
    bind: NotRequired[list[NewHandle]]
    """at most 8, each once."""
    unbind: NotRequired[list[Handle]]
    """at most 8, each once."""


class UsageBody(TypedDict):
    usage: Usage


class CheckpointBody(TypedDict):
    label: str
    """1 to 128 characters, no control characters; stays in the log, so no personal data."""


class InvalidBody(TypedDict):
    epoch: int
    """Fencing token: rises at every change of the current session or of its owner, and at its end."""
    owner: NotRequired[Owner]
    certainty: Literal['definite', 'transient']
    """definite: the session can never be continued; transient: it may recover."""
    reason: str
    """1 to 64 characters; stays in the log, so no personal data."""
    fallback: NotRequired[Literal['latest-valid', 'start-fresh']]
    """latest-valid when left out."""


class SentCommand(TypedDict):
    operation: str
    """One of startSession, activateSession, rotateSession, releaseOwnership, claimOwnership, endSession, touchSession, changeAttributes, changeHandles, recordUsage, markCheckpoint, reportInvalid."""
    sessionId: NotRequired[str]
    """For every operation except startSession."""
    body: NotRequired[dict[str, Any]]
    """The body of the single operation."""
    idempotencyKey: NotRequired[str]
    """1 to 256 characters; each command has its own."""


class CommandsBody(TypedDict):
    commands: list[SentCommand]
    """from 1 to 500."""


class OneAnswerDroppedItem(TypedDict):
    kind: str
    """a-z, 0-9, _ . and -, at most 64: the kind of name, such as mcp-transport; stored in clear."""
    boundAt: NotRequired[str]
    """UTC, milliseconds."""


class OneAnswer(TypedDict):
    outcome: str
    session: Session
    current: NotRequired[Union[Session, None]]
    """The current session, if `session` is not or is no longer it. In a repeated answer null says that none is current any more."""
    ignored: NotRequired[list[Literal['attributes', 'fromCheckpoint', 'lease', 'phase', 'policy']]]
    """What the start requested and did not get, because it joined or claimed a session."""
    dropped: NotRequired[list[OneAnswerDroppedItem]]
    """Handles that the scope lost to new ones, since it keeps 32: when each was bound last, the oldest first. Not in an answer that is repeated by its key."""
    retryAfter: NotRequired[int]
    """For reported: seconds to wait before a retry."""
    position: Position
    status: int
    """The status of the single operation."""
    replayed: NotRequired[Literal[True]]
    """This is the earlier answer for the same key."""


class ManyAnswers(TypedDict):
    answers: list[Union[OneAnswer, Problem]]
    """One per command, in the order of the commands."""


class CurrentBodyOfItem(TypedDict):
    userId: str
    """1 to 256 characters, valid Unicode, no control characters."""
    projectId: NotRequired[str]
    """1 to 256 characters, valid Unicode, no control characters."""


class CurrentBodyOfItem1(TypedDict):
    sessionId: str
    """a UUID, in upper or lower case."""


class CurrentBody(TypedDict):
    of: list[Union[CurrentBodyOfItem, CurrentBodyOfItem1, Handle]]
    """from 1 to 500: scopes, or sessions or handles whose scope is meant."""


class ManyCurrentAnswersItem(TypedDict):
    status: int
    """The status of the single operation."""
    session: Session


class ManyCurrent(TypedDict):
    answers: list[Union[ManyCurrentAnswersItem, Problem]]
    """One per element, in the order of the request."""


class CurrentPage(TypedDict):
    sessions: list[Session]
    next: NotRequired[str]
    """For the next page; absent in the last one."""


class RenewBody(TypedDict):
    epoch: int
    """Fencing token: rises at every change of the current session or of its owner, and at its end."""


class Renewed(TypedDict):
    outcome: Literal['renewed']
    sessionId: str
    """UUID of one session instance."""
    until: str
    """UTC, milliseconds."""


class RenewManyBodyItem(TypedDict):
    sessionId: str
    """a UUID, in upper or lower case."""
    epoch: int
    """Fencing token: rises at every change of the current session or of its owner, and at its end."""


RenewManyBody: TypeAlias = "list[RenewManyBodyItem]"
"""from 1 to 1,000 leases, each session once."""


class NotRenewed(TypedDict):
    sessionId: str
    """UUID of one session instance."""
    problem: Problem


class RenewedMany(TypedDict):
    results: list[Union[Renewed, NotRenewed]]


class Refusal(TypedDict):
    origin: NotRequired[Owner]
    epoch: NotRequired[int]
    """Fencing token: rises at every change of the current session or of its owner, and at its end."""
    why: str
    """How the session had ended, or what did not match."""
    count: int
    """How often it was received."""
    position: Position
    at: NotRequired[str]
    """UTC, milliseconds."""
    archived: NotRequired[Literal[True]]
    """The event at `position` is archived; only it has origin, epoch and at."""


class SessionWithRefusalsHandlesItem(TypedDict):
    kind: str
    """a-z, 0-9, _ . and -, at most 64: the kind of name, such as mcp-transport; stored in clear."""
    hash: str


class SessionWithRefusalsInvalid(TypedDict):
    at: str
    """UTC, milliseconds."""
    reason: str


class SessionWithRefusals(TypedDict):
    sessionId: str
    """UUID of one session instance."""
    scope: Scope
    status: Literal['starting', 'active', 'released', 'ending', 'ended']
    epoch: int
    """Fencing token: rises at every change of the current session or of its owner, and at its end."""
    revision: int
    owner: NotRequired[Owner]
    previousOwner: NotRequired[Owner]
    reservedFor: NotRequired[Owner]
    reservedUntil: NotRequired[str]
    """UTC, milliseconds."""
    reservedSeconds: NotRequired[int]
    """The length of the reservation; absent if a lapse made it."""
    expiresAt: NotRequired[str]
    """UTC, milliseconds."""
    lease: NotRequired[ShownLease]
    drainUntil: NotRequired[str]
    """UTC, milliseconds."""
    principal: str
    parentId: NotRequired[str]
    """UUID of one session instance."""
    rootId: str
    """UUID of one session instance."""
    chainLength: int
    policy: NotRequired[Policy]
    resetAdvised: NotRequired[Literal[True]]
    """Rotate with reason "reset" soon."""
    previousRootId: NotRequired[str]
    """UUID of one session instance."""
    recoveredFrom: NotRequired[str]
    """UUID of one session instance."""
    fromCheckpoint: NotRequired[str]
    reason: NotRequired[str]
    versionId: NotRequired[str]
    handles: NotRequired[list[SessionWithRefusalsHandlesItem]]
    """Outside names that are bound to it; `hash` is of their keyed hash and a salt of the scope, which can be erased."""
    attributesDigest: NotRequired[str]
    """SHA-256 over a salt and the attributes."""
    attributes: Union[dict[str, Any], Literal['erased']]
    startedAt: str
    """UTC, milliseconds."""
    endedAt: NotRequired[str]
    """UTC, milliseconds."""
    endCause: NotRequired[Literal['ended', 'superseded', 'rotated', 'expired', 'invalid', 'reset']]
    endReason: NotRequired[str]
    endedBy: NotRequired[Owner]
    successorId: NotRequired[str]
    """UUID of one session instance."""
    successorHandle: NotRequired[str]
    """`hash` of the handle in its rotation."""
    usage: NotRequired[UsageTotals]
    invalid: NotRequired[SessionWithRefusalsInvalid]
    refusals: list[Refusal]
    """Stops of this session that were not obeyed: the newest 100, newest first."""


class ResolveBodyCandidatesItem1(TypedDict):
    sessionId: str
    """a UUID, in upper or lower case."""
    epoch: int
    """Fencing token: rises at every change of the current session or of its owner, and at its end."""


class ResolveBody(TypedDict):
    candidates: list[Union[Handle, ResolveBodyCandidatesItem1]]
    """from 1 to 16, the most explicit first: handles, or references of session and epoch."""
    override: NotRequired[bool]
    """The first candidate decides, even if others differ."""


class Resolved(TypedDict):
    session: Session
    unknown: list[int]
    """Indexes, from 0, of the candidates that are unbound handles."""


class CheckpointListCheckpointsItem(TypedDict):
    label: str
    """1 to 128 characters, no control characters; stays in the log, so no personal data."""
    sessionId: str
    """UUID of one session instance."""
    markedAt: str
    """UTC, milliseconds."""


class CheckpointList(TypedDict):
    checkpoints: list[CheckpointListCheckpointsItem]


class LedgerEvent(TypedDict):
    """A CloudEvent (CloudEvents 1.0, structured mode)."""
    specversion: Literal['1.0']
    id: str
    """`partition:sequence`."""
    source: str
    """`/ledgers/<ledger id>`."""
    type: Literal['session-ledger.SessionStarted.v1', 'session-ledger.SessionActivated.v1', 'session-ledger.SessionSuperseded.v1', 'session-ledger.SessionRotated.v1', 'session-ledger.OwnershipReleased.v1', 'session-ledger.OwnershipClaimed.v1', 'session-ledger.OwnershipLapsed.v1', 'session-ledger.SessionExpired.v1', 'session-ledger.AttributesChanged.v1', 'session-ledger.HandleBound.v1', 'session-ledger.HandleUnbound.v1', 'session-ledger.DetailsErased.v1', 'session-ledger.SessionEnding.v1', 'session-ledger.SessionEnded.v1', 'session-ledger.StopIgnored.v1', 'session-ledger.UsageRecorded.v1', 'session-ledger.CheckpointMarked.v1', 'session-ledger.SessionInvalidated.v1', 'session-ledger.InvalidReported.v1']
    subject: str
    """The scope key: tenant/userId/projectId, percent-encoded."""
    time: str
    """UTC, milliseconds."""
    datacontenttype: Literal['application/json']
    partitionkey: str
    """The scope key: Kafka's record key."""
    partition: int
    sequence: str
    """Without gaps within the partition; 16 digits, zero-padded."""
    commandid: str
    """Shared by the events of one command."""
    principal: NotRequired[str]
    """The principal that caused it; absent when time alone did, and in events from before 0.2."""
    traceparent: NotRequired[str]
    """The trace of the request that caused it (CloudEvents distributed tracing extension), if the request named one."""
    data: dict[str, Any]
    """version, and the fields of the type."""


class EventPage(TypedDict):
    events: list[LedgerEvent]
    next: NotRequired[int]


class CurrentList(TypedDict):
    """Sessions with a lease also have `lease.expiresAt`."""
    sessions: list[PlacedSession]
    next: NotRequired[str]
    """For the next page; absent in the last one."""


class ChainPage(TypedDict):
    """`usage` sums all sessions of the chain, including other pages."""
    sessions: list[PlacedSession]
    usage: NotRequired[UsageTotals]
    next: NotRequired[str]
    """Pass as `after` for the next page; absent in the last one."""


class ScopeUsage(TypedDict):
    """`usage` sums all sessions of the scope."""
    usage: NotRequired[UsageTotals]


Transition = TypedDict(
    "Transition",
    {
        "source": "Literal['started', 'recovered', 'rotated', 'superseded', 'ended', 'expired', 'invalid', 'reset']",
        "from": "NotRequired[str]",
        "to": "NotRequired[str]",
        "by": "NotRequired[Owner]",
        "reason": "NotRequired[str]",
        "versionId": "NotRequired[str]",
        "at": "str",
        "position": "Position",
    },
)


class TransitionPage(TypedDict):
    transitions: list[Transition]
    next: NotRequired[str]
    """Pass as `after` for the next page; absent in the last one."""


class Selection(TypedDict):
    """userId: all sessions of the user. environment: those that it owns, or only its instance."""
    userId: NotRequired[str]
    """1 to 256 characters, valid Unicode, no control characters."""
    environment: NotRequired[str]
    """1 to 256 characters, valid Unicode, no control characters."""
    instance: NotRequired[str]
    """1 to 256 characters, valid Unicode, no control characters."""


class BulkBody(TypedDict):
    select: Selection
    action: Literal['end', 'release']
    reason: str
    """1 to 64 characters; stays in the log, so no personal data."""


class BulkJobCounts(TypedDict):
    examined: int
    """Sessions that matched; the sum of the others."""
    changed: int
    """Sessions that this job ended or released."""
    skipped: int
    """Sessions that no longer matched, or needed no change."""
    failed: int
    """Failed; the log of the service says why."""


class BulkJobPartitions(TypedDict):
    done: int
    of: int


class BulkJob(TypedDict):
    """Kept for 30 days after it finishes."""
    jobId: str
    state: Literal['open', 'finished']
    principal: str
    """The principal that started it."""
    select: Selection
    action: Literal['end', 'release']
    reason: str
    """1 to 64 characters; stays in the log, so no personal data."""
    counts: BulkJobCounts
    partitions: BulkJobPartitions
    createdAt: str
    """UTC, milliseconds."""
    updatedAt: str
    """UTC, milliseconds."""
    finishedAt: NotRequired[str]
    """UTC, milliseconds."""


class JobPage(TypedDict):
    jobs: list[BulkJob]
    """All jobs of the tenant, by any caller."""
    next: NotRequired[str]
    """Pass as `after` for the next page; absent in the last one."""


class ErasedAnswerErasedItem(TypedDict):
    scope: Scope
    position: Position


class ErasedAnswer(TypedDict):
    outcome: Literal['erased', 'unchanged']
    """unchanged if there was nothing to erase."""
    erased: list[ErasedAnswerErasedItem]
    """The scopes whose details were erased; positions of their DetailsErased."""
    complete: bool
    """false: details of more scopes are left; repeat the request."""


class ReportsItem(TypedDict):
    consumer: str
    """A-Z, a-z, 0-9, _ . : and -: who holds a session."""
    userId: str
    """1 to 256 characters, valid Unicode, no control characters."""
    projectId: NotRequired[str]
    """1 to 256 characters, valid Unicode, no control characters."""
    sessionId: str
    """a UUID, in upper or lower case."""


Reports: TypeAlias = "list[ReportsItem]"
"""from 1 to 1,000; of several about one consumer and scope the last counts. A report counts for 24 h."""


class ReportsTaken(TypedDict):
    taken: int
    dropped: int
    """How many of the tenant's oldest reports, beyond 50,000, were dropped."""


class ReportsWithdrawn(TypedDict):
    withdrawn: int
    """How many reports were withdrawn."""


class CurrentFiguresByStatus(TypedDict):
    starting: int
    active: int
    released: int
    ending: int


class CurrentFiguresByEnvironmentItem(TypedDict):
    environment: NotRequired[str]
    """Absent for sessions without an owner."""
    count: int


class CurrentFigures(TypedDict):
    total: int
    byStatus: CurrentFiguresByStatus
    byEnvironment: list[CurrentFiguresByEnvironmentItem]
    """The 50 with the most sessions, in descending order."""


class TrafficFiguresAll(TypedDict):
    """Of all tenants; needs the permission audit."""
    commands: int
    """Commands that were applied."""
    refusals: int
    """Commands that the rules refused: 409, and `operate-required`."""


class TrafficFigures(TypedDict):
    """Commands of the tenant that this replica has answered."""
    replica: str
    """The replica that answers; each replica counts its own commands."""
    since: str
    """When it started counting."""
    commands: int
    """Commands that were applied."""
    refusals: int
    """Commands that the rules refused: 409, and `operate-required`."""
    all: NotRequired[TrafficFiguresAll]
    """Of all tenants; needs the permission audit."""


class RelayFigures(TypedDict):
    confirmed: list[int]
    """The last event of each partition that Kafka has confirmed."""
    behind: int
    """Events that Kafka has not confirmed."""
    held: int
    """Partitions that a relay holds; 0: no partition is relayed."""


class LedgerFigures(TypedDict):
    source: str
    """`/ledgers/<ledger id>`, as in its events."""
    partitions: int
    events: int
    """Of all partitions."""
    heads: list[int]
    """The last sequence of each partition."""
    restores: int
    """How often events that a failover or a restore had lost were given up. When it rises, followers start from the beginning."""


class ProjectionFigures(TypedDict):
    positions: list[int]
    """The last projected sequence of each partition."""
    behind: int
    """Events that are not projected yet."""


class StatsSyncConsumersItem(TypedDict):
    consumer: str
    inSync: int
    """Reports that name the current session."""
    outOfSync: int
    """Reports that name another session of the scope."""
    unknown: int
    """Reports that name no session of the scope."""
    rate: NotRequired[float]
    """The share of reports in sync; absent if there are none."""


class StatsSyncListItem(TypedDict):
    consumer: str
    userId: str
    """1 to 256 characters, valid Unicode, no control characters."""
    projectId: str
    """1 to 256 characters, valid Unicode, no control characters."""
    state: Literal['out-of-sync', 'unknown']
    sessionId: str
    """UUID of one session instance."""
    currentId: NotRequired[str]
    """UUID of one session instance."""
    since: str
    """UTC, milliseconds."""
    reportedAt: str
    """UTC, milliseconds."""


class StatsSync(TypedDict):
    inSync: int
    """Reports that name the current session."""
    outOfSync: int
    """Reports that name another session of the scope."""
    unknown: int
    """Reports that name no session of the scope."""
    rate: NotRequired[float]
    """The share of reports in sync; absent if there are none."""
    consumers: list[StatsSyncConsumersItem]
    """The consumers with the most reports, at most 100."""
    list: list[StatsSyncListItem]
    """Reports that are not in sync, in pages."""
    next: NotRequired[str]
    """Pass as `after` for the next page."""


class Stats(TypedDict):
    """`current` comes from the read models and is at most a second old. `ledger`, `projection`, `relay` and `replicas` need the permission audit; the other members cover only the tenant of the caller."""
    at: str
    """When the figures were read. For a rate, divide a difference of figures by the difference of these."""
    current: CurrentFigures
    traffic: TrafficFigures
    relay: NotRequired[RelayFigures]
    replicas: NotRequired[list[str]]
    """The ids of the replicas that are connected to Postgres, at most 100."""
    ledger: NotRequired[LedgerFigures]
    projection: NotRequired[ProjectionFigures]
    sync: StatsSync


class AuditKeys(TypedDict):
    origin: str
    """Names the ledger: the log of partition 3 is `<origin>/3`."""
    keys: list[str]
    """Verifier keys (c2sp.org/signed-note); empty: nothing is signed."""


class Checkpoints(TypedDict):
    checkpoints: list[str]
    """Of each partition a checkpoint as a signed note (c2sp.org/tlog-checkpoint); without signatures where no key is set."""


class KeptCheckpointsCheckpointsItem(TypedDict):
    size: int
    """Leaves of a tree: the sequence of its last event."""
    keptAt: str
    """UTC, milliseconds."""
    note: str
    """The signed note."""


class KeptCheckpoints(TypedDict):
    checkpoints: list[KeptCheckpointsCheckpointsItem]
    """The newest first."""
    next: NotRequired[int]
    """Pass as `before` for the next page, if there may be more."""


ConsistencyProof = TypedDict(
    "ConsistencyProof",
    {
        "partition": "int",
        "from": "int",
        "to": "int",
        "hashes": "list[str]",
    },
)


class CallerView(TypedDict):
    """The caller, and the service that answers."""
    accessControl: bool
    """Whether callers need a credential."""
    principal: str
    tenant: str
    """Empty if the caller has no tenant."""
    permissions: list[Literal['read', 'write', 'operate', 'audit', 'admin']]
    ledgerWide: bool
    """Whether it may reach data of all tenants."""
    environments: NotRequired[list[str]]
    """Environments that it may name; absent: any."""
    version: str
    """The service's version."""
    source: str
    """`/ledgers/<ledger id>`, as in its events."""


class KeyBodyLimits(TypedDict):
    """As many as its tenant may, when left out."""
    commands: NotRequired[int]
    """Items a second."""
    reads: NotRequired[int]
    """Items a second."""


class KeyBody(TypedDict):
    tenant: NotRequired[str]
    """A-Z, a-z, 0-9, . _ ~ and -, at most 64."""
    ledgerWide: NotRequired[bool]
    """The key may have the permission audit, and its admin covers all tenants."""
    principal: NotRequired[str]
    """1 to 256 printable ASCII characters without quotes and backslashes; stays in the log for good."""
    permissions: list[Literal['read', 'write', 'operate', 'audit', 'admin']]
    environments: NotRequired[list[str]]
    """Environments that it may name as owner, origin or heir; any when left out."""
    limits: NotRequired[KeyBodyLimits]
    """As many as its tenant may, when left out."""
    name: str
    """1 to 128 characters, for people."""
    expiresInSeconds: NotRequired[int]
    """Never when left out."""


class AccessKeyLimits(TypedDict):
    """As many as its tenant may, when left out."""
    commands: NotRequired[int]
    """Items a second."""
    reads: NotRequired[int]
    """Items a second."""


class AccessKey(TypedDict):
    """A key without its secret, which is not stored."""
    keyId: str
    """10 characters of 0-9, A-Z and a-z."""
    tenant: NotRequired[str]
    """A-Z, a-z, 0-9, . _ ~ and -, at most 64."""
    ledgerWide: bool
    principal: str
    """1 to 256 printable ASCII characters without quotes and backslashes; stays in the log for good."""
    permissions: list[Literal['read', 'write', 'operate', 'audit', 'admin']]
    environments: NotRequired[list[str]]
    """Environments that it may name as owner, origin or heir; any when left out."""
    limits: NotRequired[AccessKeyLimits]
    """As many as its tenant may, when left out."""
    name: str
    """1 to 128 characters, for people."""
    madeAt: str
    """UTC, milliseconds."""
    madeBy: str
    expiresAt: NotRequired[str]
    """UTC, milliseconds."""
    revokedAt: NotRequired[str]
    """UTC, milliseconds."""
    usedOn: NotRequired[str]
    """The last day of use, in UTC."""


class NewKey(TypedDict):
    secret: str
    """What to send as Authorization: Bearer. Shown only once."""
    key: AccessKey


class KeyPage(TypedDict):
    keys: list[AccessKey]
    next: NotRequired[str]
    """Pass as `after` for the next page; absent in the last one."""


class RotateKeyBody(TypedDict):
    overlapSeconds: NotRequired[int]
    """How long the old secret stays valid beside the new one; 86400 (24 h) when left out."""


class ProblemPage(TypedDict):
    type: str
    """/problems/<code>."""
    title: str
    status: int
    retryable: bool
    """Whether the same request may succeed later."""
    retryAfter: NotRequired[int]
    """Seconds to wait before a retry."""
    advice: NotRequired[str]
    """What to do, if the title does not say it."""


class StartSessionRequest(TypedDict):
    body: StartBody


class SessionsRequestQuery(TypedDict):
    userId: str
    """1 to 256 characters, valid Unicode, no control characters."""
    projectId: NotRequired[str]
    """1 to 256 characters, valid Unicode, no control characters."""
    limit: NotRequired[int]
    """100 when left out."""
    after: NotRequired[str]
    """the `next` of an earlier page."""
    atLeast: NotRequired[str]
    """a position, partition:sequence, as a Ledger-Position header gives it."""
    versionId: NotRequired[str]
    """1 to 256 characters, valid Unicode, no control characters."""


class SessionsRequest(TypedDict):
    query: SessionsRequestQuery


class ActivateSessionRequestParams(TypedDict):
    sessionId: str
    """a UUID, in upper or lower case."""


class ActivateSessionRequest(TypedDict):
    params: ActivateSessionRequestParams
    body: ActivateBody


class RotateSessionRequestParams(TypedDict):
    sessionId: str
    """a UUID, in upper or lower case."""


class RotateSessionRequest(TypedDict):
    params: RotateSessionRequestParams
    body: RotateBody


class ReleaseOwnershipRequestParams(TypedDict):
    sessionId: str
    """a UUID, in upper or lower case."""


class ReleaseOwnershipRequest(TypedDict):
    params: ReleaseOwnershipRequestParams
    body: ReleaseBody


class ClaimOwnershipRequestParams(TypedDict):
    sessionId: str
    """a UUID, in upper or lower case."""


class ClaimOwnershipRequest(TypedDict):
    params: ClaimOwnershipRequestParams
    body: ClaimBody


class EndSessionRequestParams(TypedDict):
    sessionId: str
    """a UUID, in upper or lower case."""


class EndSessionRequest(TypedDict):
    params: EndSessionRequestParams
    body: EndBody


class TouchSessionRequestParams(TypedDict):
    sessionId: str
    """a UUID, in upper or lower case."""


class TouchSessionRequest(TypedDict):
    params: TouchSessionRequestParams
    body: TouchBody


class ChangeAttributesRequestParams(TypedDict):
    sessionId: str
    """a UUID, in upper or lower case."""


class ChangeAttributesRequest(TypedDict):
    params: ChangeAttributesRequestParams
    body: AttributesBody


class ChangeHandlesRequestParams(TypedDict):
    sessionId: str
    """a UUID, in upper or lower case."""


class ChangeHandlesRequest(TypedDict):
    params: ChangeHandlesRequestParams
    body: HandlesBody


class RecordUsageRequestParams(TypedDict):
    sessionId: str
    """a UUID, in upper or lower case."""


class RecordUsageRequest(TypedDict):
    params: RecordUsageRequestParams
    body: UsageBody


class MarkCheckpointRequestParams(TypedDict):
    sessionId: str
    """a UUID, in upper or lower case."""


class MarkCheckpointRequest(TypedDict):
    params: MarkCheckpointRequestParams
    body: CheckpointBody


class ReportInvalidRequestParams(TypedDict):
    sessionId: str
    """a UUID, in upper or lower case."""


class ReportInvalidRequest(TypedDict):
    params: ReportInvalidRequestParams
    body: InvalidBody


class SendCommandsRequest(TypedDict):
    body: CommandsBody


class CurrentSessionsRequest(TypedDict):
    body: CurrentBody


class CurrentSessionRequestQuery(TypedDict):
    userId: str
    """1 to 256 characters, valid Unicode, no control characters."""
    projectId: NotRequired[str]
    """1 to 256 characters, valid Unicode, no control characters."""
    wait: NotRequired[int]
    """Seconds to wait while the revision equals `after`; otherwise the answer comes at once."""
    after: NotRequired[int]
    """The revision that is known; 0 when left out, which is that of a scope without a session."""
    all: NotRequired[bool]
    """All of the user's current sessions, of any project, 100 a page."""
    next: NotRequired[str]
    """With `all`: the `next` of the previous page."""
    asOf: NotRequired[str]
    """an RFC 3339 time (a + in it is sent as %2B) or a position, partition:sequence, of the past."""
    include: NotRequired[Literal['lease']]
    """Adds `lease.expiresAt`, the end of the lease unless it is renewed. All times then include what an outage has added."""


class CurrentSessionRequest(TypedDict):
    query: CurrentSessionRequestQuery


class RenewLeaseRequestParams(TypedDict):
    sessionId: str
    """a UUID, in upper or lower case."""


class RenewLeaseRequest(TypedDict):
    params: RenewLeaseRequestParams
    body: RenewBody


class RenewLeasesRequest(TypedDict):
    body: RenewManyBody


class SessionRequestParams(TypedDict):
    sessionId: str
    """a UUID, in upper or lower case."""


class SessionRequest(TypedDict):
    params: SessionRequestParams


class ResolveRequest(TypedDict):
    body: ResolveBody


class CheckpointsRequestQuery(TypedDict):
    userId: str
    """1 to 256 characters, valid Unicode, no control characters."""
    projectId: NotRequired[str]
    """1 to 256 characters, valid Unicode, no control characters."""


class CheckpointsRequest(TypedDict):
    query: CheckpointsRequestQuery


class ScopeEventsRequestQuery(TypedDict):
    userId: str
    """1 to 256 characters, valid Unicode, no control characters."""
    projectId: NotRequired[str]
    """1 to 256 characters, valid Unicode, no control characters."""
    after: NotRequired[int]
    """A version; 0 when left out."""
    limit: NotRequired[int]
    """100 when left out."""


class ScopeEventsRequest(TypedDict):
    query: ScopeEventsRequestQuery


class ListCurrentRequestQuery(TypedDict):
    environment: NotRequired[str]
    """1 to 256 characters, valid Unicode, no control characters."""
    instance: NotRequired[str]
    """1 to 256 characters, valid Unicode, no control characters."""
    status: NotRequired[Literal['starting', 'active', 'released', 'ending']]
    projectId: NotRequired[str]
    """1 to 256 characters, valid Unicode, no control characters."""
    before: NotRequired[str]
    """Those that started before it: an RFC 3339 time (a + in it is sent as %2B)."""
    leaseBefore: NotRequired[str]
    """Those with a lease that ends before this unless it is renewed: an RFC 3339 time (a + in it is sent as %2B)."""
    resetAdvised: NotRequired[bool]
    """Sessions for which a reset is advised; `false`: the others."""
    sort: NotRequired[Literal['newest', 'oldest', 'lease']]
    """newest, by their start, when left out; lease: only sessions with a lease, the earliest end first."""
    limit: NotRequired[int]
    """100 when left out."""
    next: NotRequired[str]
    """The `next` of an earlier page, with the same `sort`."""


class ListCurrentRequest(TypedDict):
    query: NotRequired[ListCurrentRequestQuery]


class VersionSessionsRequestQuery(TypedDict):
    versionId: str
    """1 to 256 characters, valid Unicode, no control characters."""
    limit: NotRequired[int]
    """Page size; 100 when left out."""
    next: NotRequired[str]
    """The `next` of an earlier page."""


class VersionSessionsRequest(TypedDict):
    query: VersionSessionsRequestQuery


class ChainRequestQuery(TypedDict):
    userId: str
    """1 to 256 characters, valid Unicode, no control characters."""
    projectId: NotRequired[str]
    """1 to 256 characters, valid Unicode, no control characters."""
    limit: NotRequired[int]
    """100 when left out."""
    after: NotRequired[str]
    """the `next` of an earlier page."""
    atLeast: NotRequired[str]
    """a position, partition:sequence, as a Ledger-Position header gives it."""
    sessionId: NotRequired[str]
    """a UUID, in upper or lower case."""
    asOf: NotRequired[str]
    """an RFC 3339 time (a + in it is sent as %2B) or a position, partition:sequence, of the past."""


class ChainRequest(TypedDict):
    query: ChainRequestQuery


class UsageRequestQuery(TypedDict):
    userId: str
    """1 to 256 characters, valid Unicode, no control characters."""
    projectId: NotRequired[str]
    """1 to 256 characters, valid Unicode, no control characters."""
    atLeast: NotRequired[str]
    """a position, partition:sequence, as a Ledger-Position header gives it."""
    asOf: NotRequired[str]
    """an RFC 3339 time (a + in it is sent as %2B) or a position, partition:sequence, of the past."""


class UsageRequest(TypedDict):
    query: UsageRequestQuery


class TransitionsRequestQuery(TypedDict):
    userId: str
    """1 to 256 characters, valid Unicode, no control characters."""
    projectId: NotRequired[str]
    """1 to 256 characters, valid Unicode, no control characters."""
    limit: NotRequired[int]
    """100 when left out."""
    after: NotRequired[str]
    """the `next` of an earlier page."""
    atLeast: NotRequired[str]
    """a position, partition:sequence, as a Ledger-Position header gives it."""


class TransitionsRequest(TypedDict):
    query: TransitionsRequestQuery


class FeedRequestQuery(TypedDict):
    partition: int
    after: NotRequired[int]
    """A sequence; 0 when left out."""
    limit: NotRequired[int]
    """100 when left out."""


class FeedRequest(TypedDict):
    query: FeedRequestQuery


class FeedStreamRequestQuery(TypedDict):
    lastEventId: NotRequired[str]
    """The same as the header Last-Event-ID, for clients that cannot send it; the header takes precedence."""


class FeedStreamRequest(TypedDict):
    query: NotRequired[FeedStreamRequestQuery]


class ScopeStreamRequestQuery(TypedDict):
    userId: str
    """1 to 256 characters, valid Unicode, no control characters."""
    projectId: NotRequired[str]
    """1 to 256 characters, valid Unicode, no control characters."""
    lastEventId: NotRequired[str]
    """The same as the header Last-Event-ID, for clients that cannot send it; the header takes precedence."""


class ScopeStreamRequest(TypedDict):
    query: ScopeStreamRequestQuery


class TenantStreamRequest(TypedDict):
    pass


class SnapshotRequest(TypedDict):
    pass


class StartBulkRequest(TypedDict):
    body: BulkBody


class BulkJobsRequestQuery(TypedDict):
    after: NotRequired[str]
    """a UUID, in upper or lower case."""
    limit: NotRequired[int]
    """100 when left out."""


class BulkJobsRequest(TypedDict):
    query: NotRequired[BulkJobsRequestQuery]


class BulkJobRequestParams(TypedDict):
    jobId: str
    """a UUID, in upper or lower case."""


class BulkJobRequestQuery(TypedDict):
    wait: NotRequired[int]
    """Seconds to wait for its end."""


class BulkJobRequest(TypedDict):
    params: BulkJobRequestParams
    query: NotRequired[BulkJobRequestQuery]


class EraseDetailsRequestQuery(TypedDict):
    userId: str
    """1 to 256 characters, valid Unicode, no control characters."""
    projectId: NotRequired[str]
    """1 to 256 characters, valid Unicode, no control characters."""


class EraseDetailsRequest(TypedDict):
    query: EraseDetailsRequestQuery


class ReportRequest(TypedDict):
    body: Reports


class WithdrawReportsRequestQuery(TypedDict):
    consumer: str
    """A-Z, a-z, 0-9, _ . : and -: who holds a session."""
    userId: NotRequired[str]
    """1 to 256 characters, valid Unicode, no control characters."""
    projectId: NotRequired[str]
    """1 to 256 characters, valid Unicode, no control characters."""


class WithdrawReportsRequest(TypedDict):
    query: WithdrawReportsRequestQuery


class StatsRequestQuery(TypedDict):
    consumer: NotRequired[str]
    """A-Z, a-z, 0-9, _ . : and -: who holds a session."""
    maxAge: NotRequired[int]
    """How old the answer may be, in seconds: callers that poll the same figures share it; 0 when left out."""
    limit: NotRequired[int]
    """Page size of the list; 100 when left out."""
    after: NotRequired[str]
    """the `next` of an earlier page."""


class StatsRequest(TypedDict):
    query: NotRequired[StatsRequestQuery]


class AuditKeysRequest(TypedDict):
    pass


class AuditCheckpointsRequest(TypedDict):
    pass


class AuditCheckpointRequestQuery(TypedDict):
    partition: int


class AuditCheckpointRequest(TypedDict):
    query: AuditCheckpointRequestQuery


class AuditPartitionRequestParams(TypedDict):
    partition: str


class AuditPartitionRequest(TypedDict):
    params: AuditPartitionRequestParams


class AuditTileRequestParams(TypedDict):
    partition: str
    tile: str
    """`<level>/<index>`, with `.p/<width>` for a partial one: `0/x001/234.p/17`."""


class AuditTileRequest(TypedDict):
    params: AuditTileRequestParams


class AuditKeptRequestQuery(TypedDict):
    partition: int
    before: NotRequired[int]
    limit: NotRequired[int]
    """100 when left out."""


class AuditKeptRequest(TypedDict):
    query: AuditKeptRequestQuery


class AuditProofRequestQuery(TypedDict):
    position: str
    """partition:sequence, which is the event's id, too."""


class AuditProofRequest(TypedDict):
    query: AuditProofRequestQuery


AuditConsistencyRequestQuery = TypedDict(
    "AuditConsistencyRequestQuery",
    {
        "partition": "int",
        "from": "int",
        "to": "int",
    },
)


class AuditConsistencyRequest(TypedDict):
    query: AuditConsistencyRequestQuery


class AccessRequest(TypedDict):
    pass


class CreateKeyRequest(TypedDict):
    body: KeyBody


class ListKeysRequestQuery(TypedDict):
    after: NotRequired[str]
    """10 characters of 0-9, A-Z and a-z."""
    limit: NotRequired[int]
    """100 when left out."""


class ListKeysRequest(TypedDict):
    query: NotRequired[ListKeysRequestQuery]


class RotateKeyRequestParams(TypedDict):
    keyId: str


class RotateKeyRequest(TypedDict):
    params: RotateKeyRequestParams
    body: RotateKeyBody


class RevokeKeyRequestParams(TypedDict):
    keyId: str


class RevokeKeyRequest(TypedDict):
    params: RevokeKeyRequestParams


class ProblemRequestParams(TypedDict):
    code: str


class ProblemRequest(TypedDict):
    params: ProblemRequestParams


class JoinRequest(TypedDict):
    userId: str
    """1 to 256 characters, valid Unicode, no control characters."""
    projectId: NotRequired[str]
    """1 to 256 characters, valid Unicode, no control characters."""
    owner: Owner
    expectedEpoch: NotRequired[int]
    """Fencing token: rises at every change of the current session or of its owner, and at its end."""
    phase: NotRequired[Literal['starting', 'active']]
    """active when left out."""
    lease: NotRequired[Lease]
    handles: NotRequired[list[NewHandle]]
    """at most 8, each once."""
    attributes: NotRequired[dict[str, Any]]
    """Facts kept with the session, erasable: at most 4 KiB as JSON, nested at most 8 deep."""
    policy: NotRequired[Policy]
    fromCheckpoint: NotRequired[str]
    """1 to 128 characters, no control characters; stays in the log, so no personal data."""


class ClaimRequest(TypedDict):
    epoch: int
    """Fencing token: rises at every change of the current session or of its owner, and at its end."""
    owner: Owner
    lease: NotRequired[Lease]
    force: NotRequired[bool]
    sessionId: str


class OwnRotateBody(TypedDict):
    reason: str
    """a-z, 0-9, _ . and -: build, metadata_generation, compact, chat_plan, resume, reset, or one of your own."""
    versionId: NotRequired[str]
    """1 to 256 characters, valid Unicode, no control characters."""
    successorHandle: NotRequired[Handle]
    handles: NotRequired[list[NewHandle]]
    """at most 8, each once."""
    usage: NotRequired[Usage]


class OwnReleaseBody(TypedDict):
    to: NotRequired[Owner]
    reservedSeconds: NotRequired[int]
    """How long only `to` may claim; 60 when left out."""
    force: NotRequired[bool]


class OwnEndBody(TypedDict):
    reason: str
    """1 to 64 characters; stays in the log, so no personal data."""
    drainSeconds: NotRequired[int]
    """The session ends when the owner confirms it by the same request without this, or after this many seconds."""
    force: NotRequired[bool]


class SessionInEvent(TypedDict):
    sessionId: str
    """UUID of one session instance."""
    scope: Scope
    status: Literal['starting', 'active', 'released', 'ending', 'ended']
    epoch: int
    """Fencing token: rises at every change of the current session or of its owner, and at its end."""
    revision: int
    owner: NotRequired[Owner]
    previousOwner: NotRequired[Owner]
    reservedFor: NotRequired[Owner]
    reservedUntil: NotRequired[str]
    """UTC, milliseconds."""
    reservedSeconds: NotRequired[int]
    """The length of the reservation; absent if a lapse made it."""
    expiresAt: NotRequired[str]
    """UTC, milliseconds."""
    lease: NotRequired[ShownLease]
    drainUntil: NotRequired[str]
    """UTC, milliseconds."""
    principal: str
    parentId: NotRequired[str]
    """UUID of one session instance."""
    rootId: str
    """UUID of one session instance."""
    chainLength: int
    policy: NotRequired[Policy]
    resetAdvised: NotRequired[Literal[True]]
    """Rotate with reason "reset" soon."""
    previousRootId: NotRequired[str]
    """UUID of one session instance."""
    recoveredFrom: NotRequired[str]
    """UUID of one session instance."""
    fromCheckpoint: NotRequired[str]
    reason: NotRequired[str]
    versionId: NotRequired[str]
    handles: NotRequired[list[SessionHandlesItem]]
    """Outside names that are bound to it; `hash` is of their keyed hash and a salt of the scope, which can be erased."""
    attributesDigest: NotRequired[str]
    """SHA-256 over a salt and the attributes."""
    startedAt: str
    """UTC, milliseconds."""
    endedAt: NotRequired[str]
    """UTC, milliseconds."""
    endCause: NotRequired[Literal['ended', 'superseded', 'rotated', 'expired', 'invalid', 'reset']]
    endReason: NotRequired[str]
    endedBy: NotRequired[Owner]
    successorId: NotRequired[str]
    """UUID of one session instance."""
    successorHandle: NotRequired[str]
    """`hash` of the handle in its rotation."""
    usage: NotRequired[UsageTotals]
    invalid: NotRequired[SessionInvalid]


EventType: TypeAlias = Literal['SessionStarted', 'SessionActivated', 'SessionSuperseded', 'SessionRotated', 'OwnershipReleased', 'OwnershipClaimed', 'OwnershipLapsed', 'SessionExpired', 'AttributesChanged', 'HandleBound', 'HandleUnbound', 'DetailsErased', 'SessionEnding', 'SessionEnded', 'StopIgnored', 'UsageRecorded', 'CheckpointMarked', 'SessionInvalidated', 'InvalidReported']


ProblemCode: TypeAlias = Literal['stale-epoch', 'stale-session', 'future-epoch', 'session-active', 'session-not-active', 'session-ending', 'session-ended', 'reserved', 'no-lease', 'not-owner', 'handle-taken', 'too-many-handles', 'operate-required', 'chain-too-long', 'usage-overflow', 'too-many-currencies', 'session-invalid', 'unknown-checkpoint', 'checkpoint-taken', 'too-many-checkpoints', 'unknown-handle', 'session-mismatch', 'position-ahead', 'archived', 'unauthenticated', 'permission-required', 'rate-limited', 'misdirected', 'foreign-origin', 'unknown-session', 'unknown-key', 'key-made', 'unknown-job', 'no-current-session', 'unknown-version', 'projection-behind', 'invalid-request', 'invalid-json', 'invalid-attributes', 'body-too-large', 'headers-too-large', 'request-timeout', 'invalid-http', 'unsupported-media-type', 'expectation-failed', 'not-found', 'method-not-allowed', 'unknown-method', 'key-reused', 'overloaded', 'timeout', 'unavailable', 'unknown-outcome', 'closing', 'internal']


