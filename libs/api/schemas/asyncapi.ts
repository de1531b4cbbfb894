import { Type } from 'typebox';
import { EVENT_TYPES } from '#session';
import { type Json, withComponents } from './components.js';
import { LedgerEvent } from './event.js';
import { eventData } from './event-data.js';
import { bearer } from './openapi.js';

/** The AsyncAPI 3.0 document of everything that the ledger tells by itself: its Kafka topic and its streams. */
export function asyncApi(version: string, topic: string): Json {
  const references = Object.fromEntries(
    EVENT_TYPES.map((type) => [type, { $ref: `#/components/messages/${type}` }]),
  );
  const channel = (address: string, description: string, more: Json = {}) => ({
    address,
    description,
    messages: references,
    ...more,
  });
  const sends = (channelId: string, summary: string) => ({
    action: 'send',
    channel: { $ref: `#/channels/${channelId}` },
    summary,
    ...(channelId !== 'topic' && { security: [{ $ref: '#/components/securitySchemes/bearer' }] }),
  });
  return withComponents({
    asyncapi: '3.0.0',
    info: {
      title: 'Session Ledger events',
      version,
      description:
        'Every event once, in the order of its partition, numbered without gaps: a consumer that sees 7 after 5 has missed 6. ' +
        'After a pause old events may come again in Kafka; drop the sequences that you have seen.',
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/cloudevents+json',
    channels: {
      topic: channel(topic, 'All events; the key is the scope key, the value the event as it was hashed.', {
        bindings: {
          kafka: { topic, topicConfiguration: { 'cleanup.policy': ['delete'], 'retention.ms': -1 } },
        },
      }),
      feed: channel('/v1/feed/stream', 'All events as server-sent events; Last-Event-ID resumes them.'),
      scope: channel('/v1/stream', "One scope's events as server-sent events; Last-Event-ID resumes them."),
    },
    operations: {
      mirrorEvents: sends('topic', 'Mirrors every event to Kafka'),
      streamFeed: sends('feed', 'Streams every event'),
      streamScope: sends('scope', 'Streams the events of a scope'),
    },
    components: {
      messages: Object.fromEntries(EVENT_TYPES.map((type) => [type, message(type)])),
      securitySchemes: { bearer },
    },
  });
}

function message(type: (typeof EVENT_TYPES)[number]): Json {
  const name = `session-ledger.${type}.v1`;
  const payload = Type.Object(
    { ...LedgerEvent.properties, type: Type.Literal(name), data: eventData[type] },
    { additionalProperties: true },
  );
  return { name, title: type, contentType: 'application/cloudevents+json', payload };
}
