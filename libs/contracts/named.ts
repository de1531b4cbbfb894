import type { TSchema } from 'typebox';
import {
  BulkJob,
  CheckpointList,
  CommandAnswer,
  CurrentPage,
  ErasedAnswer,
  EventPage,
  NotRenewed,
  ProblemPage,
  Refusal,
  Renewed,
  RenewedMany,
  Resolved,
  SessionWithRefusals,
} from './answers.js';
import * as bodies from './bodies.js';
import { LedgerEvent } from './event.js';
import { SessionInEvent } from './event-data.js';
import { ChainPage, PlacedSession, ScopeUsage, SessionPage, Transition, TransitionPage } from './history.js';
import { Problem } from './problem-body.js';
import { Reports, ReportsTaken, ReportsWithdrawn, Stats } from './sync.js';
import {
  Handle,
  Lease,
  Money,
  NewHandle,
  Owner,
  Policy,
  Position,
  Scope,
  Selection,
  Session,
  ShownLease,
  Usage,
  UsageTotals,
} from './values.js';

/** What is sent and answered, under the names that the client's types have. */
export const named = {
  BulkJob,
  ChainPage,
  CheckpointList,
  CommandAnswer,
  CurrentPage,
  ErasedAnswer,
  EventPage,
  Handle,
  Lease,
  LedgerEvent,
  Money,
  NewHandle,
  NotRenewed,
  Owner,
  PlacedSession,
  Policy,
  Position,
  Problem,
  ProblemPage,
  Refusal,
  Renewed,
  RenewedMany,
  ReportsTaken,
  ReportsWithdrawn,
  Resolved,
  Scope,
  ScopeUsage,
  Selection,
  Session,
  SessionInEvent,
  SessionPage,
  SessionWithRefusals,
  ShownLease,
  Stats,
  Transition,
  TransitionPage,
  Usage,
  UsageTotals,
} as const satisfies Record<string, TSchema>;

/** The schemas that have a name in /openapi.json and /asyncapi.json, and so in what is generated from those. */
export const components: Record<string, TSchema> = { ...named, ...bodies, Reports };
