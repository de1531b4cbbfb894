import { Type } from 'typebox';
import { EVENT_TYPES } from '#session';
import { named } from './components.js';
import { Instant } from './values.js';

/** An event as every channel carries it: CloudEvents 1.0, structured mode. */
export const LedgerEvent = named(
  'LedgerEvent',
  {
    specversion: Type.Literal('1.0'),
    id: Type.String({ description: '`partition:sequence`' }),
    source: Type.String({ description: '`/ledgers/<ledger id>`' }),
    type: Type.Enum(EVENT_TYPES.map((type) => `session-ledger.${type}.v1`)),
    subject: Type.String({ description: 'The scope key: tenant/userId/projectId, percent-encoded' }),
    time: Instant,
    datacontenttype: Type.Literal('application/json'),
    partitionkey: Type.String({ description: "The scope key: Kafka's record key" }),
    partition: Type.Integer({ minimum: 0, maximum: 4095 }),
    sequence: Type.String({ description: 'Without gaps within the partition; 16 digits, zero-padded' }),
    commandid: Type.String({ description: 'Shared by the events of one command' }),
    principal: Type.Optional(
      Type.String({
        description:
          'The principal that caused it; absent when time alone did, and in events from before 0.2',
      }),
    ),
    traceparent: Type.Optional(
      Type.String({
        description:
          'The trace of the request that caused it (CloudEvents distributed tracing extension), if the request named one',
      }),
    ),
    data: Type.Object({}, { additionalProperties: true, description: 'version, and the fields of the type' }),
  },
  { additionalProperties: true, description: 'A CloudEvent (CloudEvents 1.0, structured mode)' },
);
