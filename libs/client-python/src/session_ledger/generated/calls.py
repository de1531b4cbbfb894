# Generated from /openapi.json by `npm run generate`. Do not edit.
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Optional, overload


if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ..calls.options import CallOptions
    from . import models


class Route(NamedTuple):
    method: str
    path: str
    """Whether it changes nothing."""
    reads: bool
    """The name of what it answers; none for a stream."""
    answer: Optional[str]


ROUTES: dict[str, Route] = {
    "startSession": Route("POST", "/v1/sessions", False, "CommandAnswer"),
    "sessions": Route("GET", "/v1/sessions", True, "SessionPage"),
    "activateSession": Route("POST", "/v1/sessions/{sessionId}/activate", False, "CommandAnswer"),
    "rotateSession": Route("POST", "/v1/sessions/{sessionId}/rotate", False, "CommandAnswer"),
    "releaseOwnership": Route("POST", "/v1/sessions/{sessionId}/release", False, "CommandAnswer"),
    "claimOwnership": Route("POST", "/v1/sessions/{sessionId}/claim", False, "CommandAnswer"),
    "endSession": Route("POST", "/v1/sessions/{sessionId}/end", False, "CommandAnswer"),
    "touchSession": Route("POST", "/v1/sessions/{sessionId}/touch", False, "CommandAnswer"),
    "changeAttributes": Route("PATCH", "/v1/sessions/{sessionId}/attributes", False, "CommandAnswer"),
    "changeHandles": Route("POST", "/v1/sessions/{sessionId}/handles", False, "CommandAnswer"),
    "recordUsage": Route("POST", "/v1/sessions/{sessionId}/usage", False, "CommandAnswer"),
    "markCheckpoint": Route("POST", "/v1/sessions/{sessionId}/checkpoints", False, "CommandAnswer"),
    "reportInvalid": Route("POST", "/v1/sessions/{sessionId}/invalid", False, "CommandAnswer"),
    "sendCommands": Route("POST", "/v1/commands", False, "ManyAnswers"),
    "currentSessions": Route("POST", "/v1/current", True, "ManyCurrent"),
    "currentSession": Route("GET", "/v1/current", True, "Session"),
    "renewLease": Route("POST", "/v1/sessions/{sessionId}/renew", False, "Renewed"),
    "renewLeases": Route("POST", "/v1/leases/renew", False, "RenewedMany"),
    "session": Route("GET", "/v1/sessions/{sessionId}", True, "SessionWithRefusals"),
    "resolve": Route("POST", "/v1/resolve", True, "Resolved"),
    "checkpoints": Route("GET", "/v1/checkpoints", True, "CheckpointList"),
    "scopeEvents": Route("GET", "/v1/events", True, "EventPage"),
    "listCurrent": Route("GET", "/v1/sessions/current", True, "CurrentList"),
    "versionSessions": Route("GET", "/v1/sessions/of-version", True, "SessionPage"),
    "chain": Route("GET", "/v1/chain", True, "ChainPage"),
    "usage": Route("GET", "/v1/usage", True, "ScopeUsage"),
    "transitions": Route("GET", "/v1/transitions", True, "TransitionPage"),
    "feed": Route("GET", "/v1/feed", True, "EventPage"),
    "feedStream": Route("GET", "/v1/feed/stream", True, None),
    "scopeStream": Route("GET", "/v1/stream", True, None),
    "tenantStream": Route("GET", "/v1/stream/tenant", True, None),
    "snapshot": Route("GET", "/v1/snapshot", True, None),
    "startBulk": Route("POST", "/v1/bulk", False, "BulkJob"),
    "bulkJobs": Route("GET", "/v1/bulk", True, "JobPage"),
    "bulkJob": Route("GET", "/v1/bulk/{jobId}", True, "BulkJob"),
    "eraseDetails": Route("DELETE", "/v1/details", False, "ErasedAnswer"),
    "report": Route("POST", "/v1/reports", False, "ReportsTaken"),
    "withdrawReports": Route("DELETE", "/v1/reports", False, "ReportsWithdrawn"),
    "stats": Route("GET", "/v1/stats", True, "Stats"),
    "auditKeys": Route("GET", "/v1/audit/key", True, "AuditKeys"),
    "auditCheckpoints": Route("GET", "/v1/audit/checkpoints", True, "Checkpoints"),
    "auditCheckpoint": Route("GET", "/v1/audit/checkpoint", True, None),
    "auditPartition": Route("GET", "/v1/audit/{partition}/checkpoint", True, None),
    "auditTile": Route("GET", "/v1/audit/{partition}/tile/{tile}", True, None),
    "auditKept": Route("GET", "/v1/audit/kept", True, "KeptCheckpoints"),
    "auditProof": Route("GET", "/v1/audit/proof", True, None),
    "auditConsistency": Route("GET", "/v1/audit/consistency", True, "ConsistencyProof"),
    "access": Route("GET", "/v1/access", True, "CallerView"),
    "createKey": Route("POST", "/v1/keys", False, "NewKey"),
    "listKeys": Route("GET", "/v1/keys", True, "KeyPage"),
    "rotateKey": Route("POST", "/v1/keys/{keyId}/rotate", False, "NewKey"),
    "revokeKey": Route("DELETE", "/v1/keys/{keyId}", False, "AccessKey"),
    "problem": Route("GET", "/problems/{code}", True, "ProblemPage"),
}


class ProblemKind(NamedTuple):
    status: int
    title: str
    retryable: bool


PROBLEMS: dict[str, ProblemKind] = {
    "stale-epoch": ProblemKind(409, "The owner or the session has changed since that epoch", False),
    "stale-session": ProblemKind(409, "Another session is current", False),
    "future-epoch": ProblemKind(409, "The ledger has not reached this epoch", False),
    "session-active": ProblemKind(409, "The scope has a current session", False),
    "session-not-active": ProblemKind(409, "The session has no active owner", False),
    "session-ending": ProblemKind(409, "The session is ending", True),
    "session-ended": ProblemKind(409, "The session has ended and none is current", False),
    "reserved": ProblemKind(409, "The session is reserved for another owner", True),
    "no-lease": ProblemKind(409, "The session has no lease to renew", False),
    "not-owner": ProblemKind(409, "The session has another owner", False),
    "handle-taken": ProblemKind(409, "The handle is already bound to something else", False),
    "too-many-handles": ProblemKind(409, "The session has too many handles", False),
    "operate-required": ProblemKind(403, "This needs the operate permission", False),
    "chain-too-long": ProblemKind(409, "The chain has reached the length that its policy allows", False),
    "usage-overflow": ProblemKind(409, "The usage totals would be too large", False),
    "too-many-currencies": ProblemKind(409, "The session already has costs in eight currencies", False),
    "session-invalid": ProblemKind(409, "The session was reported invalid", False),
    "unknown-checkpoint": ProblemKind(404, "The scope has no such checkpoint", False),
    "checkpoint-taken": ProblemKind(409, "The label names a checkpoint of another session", False),
    "too-many-checkpoints": ProblemKind(409, "The scope already has 100 checkpoints", False),
    "unknown-handle": ProblemKind(404, "The handle is not bound", False),
    "session-mismatch": ProblemKind(409, "The candidates mean different sessions", False),
    "position-ahead": ProblemKind(409, "The ledger has not reached this position", False),
    "archived": ProblemKind(410, "The next events are in the archive", False),
    "unauthenticated": ProblemKind(401, "The request has no valid credential", False),
    "permission-required": ProblemKind(403, "The credential does not allow this", False),
    "rate-limited": ProblemKind(429, "Too many requests of this credential, its tenant or this address", True),
    "misdirected": ProblemKind(421, "This host name does not belong to the service", False),
    "foreign-origin": ProblemKind(403, "Web pages of another origin may not call this service", False),
    "unknown-session": ProblemKind(404, "There is no such session", False),
    "unknown-key": ProblemKind(404, "There is no such key", False),
    "key-made": ProblemKind(409, "The same request has already created a key", False),
    "unknown-job": ProblemKind(404, "There is no such job", False),
    "no-current-session": ProblemKind(404, "The scope has no current session", False),
    "unknown-version": ProblemKind(404, "No session was created for this version", False),
    "projection-behind": ProblemKind(503, "The read models have not reached this position yet", True),
    "invalid-request": ProblemKind(400, "The request is not valid", False),
    "invalid-json": ProblemKind(400, "The body is not valid JSON", False),
    "invalid-attributes": ProblemKind(400, "The attributes cannot be stored", False),
    "body-too-large": ProblemKind(413, "The body is too large", False),
    "headers-too-large": ProblemKind(431, "The address or the headers are too large", False),
    "request-timeout": ProblemKind(408, "The request took too long to arrive", True),
    "invalid-http": ProblemKind(400, "The request is not valid HTTP", False),
    "unsupported-media-type": ProblemKind(415, "The body must be application/json", False),
    "expectation-failed": ProblemKind(417, "The expectation cannot be met", False),
    "not-found": ProblemKind(404, "There is nothing at this address", False),
    "method-not-allowed": ProblemKind(405, "This address does not support this method", False),
    "unknown-method": ProblemKind(501, "The service does not support this method", False),
    "key-reused": ProblemKind(422, "The Idempotency-Key was used for another request", False),
    "overloaded": ProblemKind(503, "Too many requests are waiting", True),
    "timeout": ProblemKind(503, "The command waited too long and was not applied", True),
    "unavailable": ProblemKind(503, "The database is unavailable at the moment", True),
    "unknown-outcome": ProblemKind(503, "It is not yet known whether the command was applied", True),
    "closing": ProblemKind(503, "The service is stopping", True),
    "internal": ProblemKind(500, "The service failed", False),
}


EVENT_TYPES: tuple[str, ...] = (
    "SessionStarted",
    "SessionActivated",
    "SessionSuperseded",
    "SessionRotated",
    "OwnershipReleased",
    "OwnershipClaimed",
    "OwnershipLapsed",
    "SessionExpired",
    "AttributesChanged",
    "HandleBound",
    "HandleUnbound",
    "DetailsErased",
    "SessionEnding",
    "SessionEnded",
    "StopIgnored",
    "UsageRecorded",
    "CheckpointMarked",
    "SessionInvalidated",
    "InvalidReported",
)


TIMER_OUTCOMES: frozenset[str] = frozenset(
    {
        "activated",
        "rotated",
        "released",
        "claimed",
        "changed",
        "ending",
        "ended",
        "marked-invalid",
    }
)


class AsyncCalls:
    """Every operation of the API by its id in /openapi.json; the streams aside."""

    @overload
    async def call(
        self, operation: Literal["startSession"], request: models.StartSessionRequest, /, **how: Unpack[CallOptions]
    ) -> models.CommandAnswer: ...

    @overload
    async def call(
        self, operation: Literal["sessions"], request: models.SessionsRequest, /, **how: Unpack[CallOptions]
    ) -> models.SessionPage: ...

    @overload
    async def call(
        self, operation: Literal["activateSession"], request: models.ActivateSessionRequest, /, **how: Unpack[CallOptions]
    ) -> models.CommandAnswer: ...

    @overload
    async def call(
        self, operation: Literal["rotateSession"], request: models.RotateSessionRequest, /, **how: Unpack[CallOptions]
    ) -> models.CommandAnswer: ...

    @overload
    async def call(
        self, operation: Literal["releaseOwnership"], request: models.ReleaseOwnershipRequest, /, **how: Unpack[CallOptions]
    ) -> models.CommandAnswer: ...

    @overload
    async def call(
        self, operation: Literal["claimOwnership"], request: models.ClaimOwnershipRequest, /, **how: Unpack[CallOptions]
    ) -> models.CommandAnswer: ...

    @overload
    async def call(
        self, operation: Literal["endSession"], request: models.EndSessionRequest, /, **how: Unpack[CallOptions]
    ) -> models.CommandAnswer: ...

    @overload
    async def call(
        self, operation: Literal["touchSession"], request: models.TouchSessionRequest, /, **how: Unpack[CallOptions]
    ) -> models.CommandAnswer: ...

    @overload
    async def call(
        self, operation: Literal["changeAttributes"], request: models.ChangeAttributesRequest, /, **how: Unpack[CallOptions]
    ) -> models.CommandAnswer: ...

    @overload
    async def call(
        self, operation: Literal["changeHandles"], request: models.ChangeHandlesRequest, /, **how: Unpack[CallOptions]
    ) -> models.CommandAnswer: ...

    @overload
    async def call(
        self, operation: Literal["recordUsage"], request: models.RecordUsageRequest, /, **how: Unpack[CallOptions]
    ) -> models.CommandAnswer: ...

    @overload
    async def call(
        self, operation: Literal["markCheckpoint"], request: models.MarkCheckpointRequest, /, **how: Unpack[CallOptions]
    ) -> models.CommandAnswer: ...

    @overload
    async def call(
        self, operation: Literal["reportInvalid"], request: models.ReportInvalidRequest, /, **how: Unpack[CallOptions]
    ) -> models.CommandAnswer: ...

    @overload
    async def call(
        self, operation: Literal["sendCommands"], request: models.SendCommandsRequest, /, **how: Unpack[CallOptions]
    ) -> models.ManyAnswers: ...

    @overload
    async def call(
        self, operation: Literal["currentSessions"], request: models.CurrentSessionsRequest, /, **how: Unpack[CallOptions]
    ) -> models.ManyCurrent: ...

    @overload
    async def call(
        self, operation: Literal["currentSession"], request: models.CurrentSessionRequest, /, **how: Unpack[CallOptions]
    ) -> Optional[models.Session]: ...

    @overload
    async def call(
        self, operation: Literal["renewLease"], request: models.RenewLeaseRequest, /, **how: Unpack[CallOptions]
    ) -> models.Renewed: ...

    @overload
    async def call(
        self, operation: Literal["renewLeases"], request: models.RenewLeasesRequest, /, **how: Unpack[CallOptions]
    ) -> models.RenewedMany: ...

    @overload
    async def call(
        self, operation: Literal["session"], request: models.SessionRequest, /, **how: Unpack[CallOptions]
    ) -> models.SessionWithRefusals: ...

    @overload
    async def call(
        self, operation: Literal["resolve"], request: models.ResolveRequest, /, **how: Unpack[CallOptions]
    ) -> models.Resolved: ...

    @overload
    async def call(
        self, operation: Literal["checkpoints"], request: models.CheckpointsRequest, /, **how: Unpack[CallOptions]
    ) -> models.CheckpointList: ...

    @overload
    async def call(
        self, operation: Literal["scopeEvents"], request: models.ScopeEventsRequest, /, **how: Unpack[CallOptions]
    ) -> models.EventPage: ...

    @overload
    async def call(
        self, operation: Literal["listCurrent"], request: models.ListCurrentRequest, /, **how: Unpack[CallOptions]
    ) -> models.CurrentList: ...

    @overload
    async def call(
        self, operation: Literal["versionSessions"], request: models.VersionSessionsRequest, /, **how: Unpack[CallOptions]
    ) -> models.SessionPage: ...

    @overload
    async def call(
        self, operation: Literal["chain"], request: models.ChainRequest, /, **how: Unpack[CallOptions]
    ) -> models.ChainPage: ...

    @overload
    async def call(
        self, operation: Literal["usage"], request: models.UsageRequest, /, **how: Unpack[CallOptions]
    ) -> models.ScopeUsage: ...

    @overload
    async def call(
        self, operation: Literal["transitions"], request: models.TransitionsRequest, /, **how: Unpack[CallOptions]
    ) -> models.TransitionPage: ...

    @overload
    async def call(
        self, operation: Literal["feed"], request: models.FeedRequest, /, **how: Unpack[CallOptions]
    ) -> models.EventPage: ...

    @overload
    async def call(
        self, operation: Literal["startBulk"], request: models.StartBulkRequest, /, **how: Unpack[CallOptions]
    ) -> models.BulkJob: ...

    @overload
    async def call(
        self, operation: Literal["bulkJobs"], request: models.BulkJobsRequest, /, **how: Unpack[CallOptions]
    ) -> models.JobPage: ...

    @overload
    async def call(
        self, operation: Literal["bulkJob"], request: models.BulkJobRequest, /, **how: Unpack[CallOptions]
    ) -> models.BulkJob: ...

    @overload
    async def call(
        self, operation: Literal["eraseDetails"], request: models.EraseDetailsRequest, /, **how: Unpack[CallOptions]
    ) -> models.ErasedAnswer: ...

    @overload
    async def call(
        self, operation: Literal["report"], request: models.ReportRequest, /, **how: Unpack[CallOptions]
    ) -> models.ReportsTaken: ...

    @overload
    async def call(
        self, operation: Literal["withdrawReports"], request: models.WithdrawReportsRequest, /, **how: Unpack[CallOptions]
    ) -> models.ReportsWithdrawn: ...

    @overload
    async def call(
        self, operation: Literal["stats"], request: models.StatsRequest, /, **how: Unpack[CallOptions]
    ) -> models.Stats: ...

    @overload
    async def call(
        self, operation: Literal["auditKeys"], request: models.AuditKeysRequest, /, **how: Unpack[CallOptions]
    ) -> models.AuditKeys: ...

    @overload
    async def call(
        self, operation: Literal["auditCheckpoints"], request: models.AuditCheckpointsRequest, /, **how: Unpack[CallOptions]
    ) -> models.Checkpoints: ...

    @overload
    async def call(
        self, operation: Literal["auditKept"], request: models.AuditKeptRequest, /, **how: Unpack[CallOptions]
    ) -> models.KeptCheckpoints: ...

    @overload
    async def call(
        self, operation: Literal["auditConsistency"], request: models.AuditConsistencyRequest, /, **how: Unpack[CallOptions]
    ) -> models.ConsistencyProof: ...

    @overload
    async def call(
        self, operation: Literal["access"], request: models.AccessRequest, /, **how: Unpack[CallOptions]
    ) -> models.CallerView: ...

    @overload
    async def call(
        self, operation: Literal["createKey"], request: models.CreateKeyRequest, /, **how: Unpack[CallOptions]
    ) -> models.NewKey: ...

    @overload
    async def call(
        self, operation: Literal["listKeys"], request: models.ListKeysRequest, /, **how: Unpack[CallOptions]
    ) -> models.KeyPage: ...

    @overload
    async def call(
        self, operation: Literal["rotateKey"], request: models.RotateKeyRequest, /, **how: Unpack[CallOptions]
    ) -> models.NewKey: ...

    @overload
    async def call(
        self, operation: Literal["revokeKey"], request: models.RevokeKeyRequest, /, **how: Unpack[CallOptions]
    ) -> models.AccessKey: ...

    @overload
    async def call(
        self, operation: Literal["problem"], request: models.ProblemRequest, /, **how: Unpack[CallOptions]
    ) -> models.ProblemPage: ...

    async def call(self, operation: str, request: Any, /, **how: Unpack[CallOptions]) -> Any:

        """Asks the ledger. Raises LedgerError when that comes to nothing."""
        return await self._ask(operation, request, how)

    async def _ask(self, operation: str, request: Any, how: CallOptions) -> Any:
        raise NotImplementedError


class Calls:
    """Every operation of the API by its id in /openapi.json; the streams aside."""

    @overload
    def call(
        self, operation: Literal["startSession"], request: models.StartSessionRequest, /, **how: Unpack[CallOptions]
    ) -> models.CommandAnswer: ...

    @overload
    def call(
        self, operation: Literal["sessions"], request: models.SessionsRequest, /, **how: Unpack[CallOptions]
    ) -> models.SessionPage: ...

    @overload
    def call(
        self, operation: Literal["activateSession"], request: models.ActivateSessionRequest, /, **how: Unpack[CallOptions]
    ) -> models.CommandAnswer: ...

    @overload
    def call(
        self, operation: Literal["rotateSession"], request: models.RotateSessionRequest, /, **how: Unpack[CallOptions]
    ) -> models.CommandAnswer: ...

    @overload
    def call(
        self, operation: Literal["releaseOwnership"], request: models.ReleaseOwnershipRequest, /, **how: Unpack[CallOptions]
    ) -> models.CommandAnswer: ...

    @overload
    def call(
        self, operation: Literal["claimOwnership"], request: models.ClaimOwnershipRequest, /, **how: Unpack[CallOptions]
    ) -> models.CommandAnswer: ...

    @overload
    def call(
        self, operation: Literal["endSession"], request: models.EndSessionRequest, /, **how: Unpack[CallOptions]
    ) -> models.CommandAnswer: ...

    @overload
    def call(
        self, operation: Literal["touchSession"], request: models.TouchSessionRequest, /, **how: Unpack[CallOptions]
    ) -> models.CommandAnswer: ...

    @overload
    def call(
        self, operation: Literal["changeAttributes"], request: models.ChangeAttributesRequest, /, **how: Unpack[CallOptions]
    ) -> models.CommandAnswer: ...

    @overload
    def call(
        self, operation: Literal["changeHandles"], request: models.ChangeHandlesRequest, /, **how: Unpack[CallOptions]
    ) -> models.CommandAnswer: ...

    @overload
    def call(
        self, operation: Literal["recordUsage"], request: models.RecordUsageRequest, /, **how: Unpack[CallOptions]
    ) -> models.CommandAnswer: ...

    @overload
    def call(
        self, operation: Literal["markCheckpoint"], request: models.MarkCheckpointRequest, /, **how: Unpack[CallOptions]
    ) -> models.CommandAnswer: ...

    @overload
    def call(
        self, operation: Literal["reportInvalid"], request: models.ReportInvalidRequest, /, **how: Unpack[CallOptions]
    ) -> models.CommandAnswer: ...

    @overload
    def call(
        self, operation: Literal["sendCommands"], request: models.SendCommandsRequest, /, **how: Unpack[CallOptions]
    ) -> models.ManyAnswers: ...

    @overload
    def call(
        self, operation: Literal["currentSessions"], request: models.CurrentSessionsRequest, /, **how: Unpack[CallOptions]
    ) -> models.ManyCurrent: ...

    @overload
    def call(
        self, operation: Literal["currentSession"], request: models.CurrentSessionRequest, /, **how: Unpack[CallOptions]
    ) -> Optional[models.Session]: ...

    @overload
    def call(
        self, operation: Literal["renewLease"], request: models.RenewLeaseRequest, /, **how: Unpack[CallOptions]
    ) -> models.Renewed: ...

    @overload
    def call(
        self, operation: Literal["renewLeases"], request: models.RenewLeasesRequest, /, **how: Unpack[CallOptions]
    ) -> models.RenewedMany: ...

    @overload
    def call(
        self, operation: Literal["session"], request: models.SessionRequest, /, **how: Unpack[CallOptions]
    ) -> models.SessionWithRefusals: ...

    @overload
    def call(
        self, operation: Literal["resolve"], request: models.ResolveRequest, /, **how: Unpack[CallOptions]
    ) -> models.Resolved: ...

    @overload
    def call(
        self, operation: Literal["checkpoints"], request: models.CheckpointsRequest, /, **how: Unpack[CallOptions]
    ) -> models.CheckpointList: ...

    @overload
    def call(
        self, operation: Literal["scopeEvents"], request: models.ScopeEventsRequest, /, **how: Unpack[CallOptions]
    ) -> models.EventPage: ...

    @overload
    def call(
        self, operation: Literal["listCurrent"], request: models.ListCurrentRequest, /, **how: Unpack[CallOptions]
    ) -> models.CurrentList: ...

    @overload
    def call(
        self, operation: Literal["versionSessions"], request: models.VersionSessionsRequest, /, **how: Unpack[CallOptions]
    ) -> models.SessionPage: ...

    @overload
    def call(
        self, operation: Literal["chain"], request: models.ChainRequest, /, **how: Unpack[CallOptions]
    ) -> models.ChainPage: ...

    @overload
    def call(
        self, operation: Literal["usage"], request: models.UsageRequest, /, **how: Unpack[CallOptions]
    ) -> models.ScopeUsage: ...

    @overload
    def call(
        self, operation: Literal["transitions"], request: models.TransitionsRequest, /, **how: Unpack[CallOptions]
    ) -> models.TransitionPage: ...

    @overload
    def call(
        self, operation: Literal["feed"], request: models.FeedRequest, /, **how: Unpack[CallOptions]
    ) -> models.EventPage: ...

    @overload
    def call(
        self, operation: Literal["startBulk"], request: models.StartBulkRequest, /, **how: Unpack[CallOptions]
    ) -> models.BulkJob: ...

    @overload
    def call(
        self, operation: Literal["bulkJobs"], request: models.BulkJobsRequest, /, **how: Unpack[CallOptions]
    ) -> models.JobPage: ...

    @overload
    def call(
        self, operation: Literal["bulkJob"], request: models.BulkJobRequest, /, **how: Unpack[CallOptions]
    ) -> models.BulkJob: ...

    @overload
    def call(
        self, operation: Literal["eraseDetails"], request: models.EraseDetailsRequest, /, **how: Unpack[CallOptions]
    ) -> models.ErasedAnswer: ...

    @overload
    def call(
        self, operation: Literal["report"], request: models.ReportRequest, /, **how: Unpack[CallOptions]
    ) -> models.ReportsTaken: ...

    @overload
    def call(
        self, operation: Literal["withdrawReports"], request: models.WithdrawReportsRequest, /, **how: Unpack[CallOptions]
    ) -> models.ReportsWithdrawn: ...

    @overload
    def call(
        self, operation: Literal["stats"], request: models.StatsRequest, /, **how: Unpack[CallOptions]
    ) -> models.Stats: ...

    @overload
    def call(
        self, operation: Literal["auditKeys"], request: models.AuditKeysRequest, /, **how: Unpack[CallOptions]
    ) -> models.AuditKeys: ...

    @overload
    def call(
        self, operation: Literal["auditCheckpoints"], request: models.AuditCheckpointsRequest, /, **how: Unpack[CallOptions]
    ) -> models.Checkpoints: ...

    @overload
    def call(
        self, operation: Literal["auditKept"], request: models.AuditKeptRequest, /, **how: Unpack[CallOptions]
    ) -> models.KeptCheckpoints: ...

    @overload
    def call(
        self, operation: Literal["auditConsistency"], request: models.AuditConsistencyRequest, /, **how: Unpack[CallOptions]
    ) -> models.ConsistencyProof: ...

    @overload
    def call(
        self, operation: Literal["access"], request: models.AccessRequest, /, **how: Unpack[CallOptions]
    ) -> models.CallerView: ...

    @overload
    def call(
        self, operation: Literal["createKey"], request: models.CreateKeyRequest, /, **how: Unpack[CallOptions]
    ) -> models.NewKey: ...

    @overload
    def call(
        self, operation: Literal["listKeys"], request: models.ListKeysRequest, /, **how: Unpack[CallOptions]
    ) -> models.KeyPage: ...

    @overload
    def call(
        self, operation: Literal["rotateKey"], request: models.RotateKeyRequest, /, **how: Unpack[CallOptions]
    ) -> models.NewKey: ...

    @overload
    def call(
        self, operation: Literal["revokeKey"], request: models.RevokeKeyRequest, /, **how: Unpack[CallOptions]
    ) -> models.AccessKey: ...

    @overload
    def call(
        self, operation: Literal["problem"], request: models.ProblemRequest, /, **how: Unpack[CallOptions]
    ) -> models.ProblemPage: ...

    def call(self, operation: str, request: Any, /, **how: Unpack[CallOptions]) -> Any:

        """Asks the ledger. Raises LedgerError when that comes to nothing."""
        return self._ask(operation, request, how)

    def _ask(self, operation: str, request: Any, how: CallOptions) -> Any:
        raise NotImplementedError


