import { createRequire } from 'node:module';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ISocketFactory, Kafka, KafkaConfig } from 'kafkajs';
import type { Log } from '../broker.port.js';

/** Its 142 files are loaded when Kafka is first needed: not every ledger has one. */
export const kafkajs = () => createRequire(import.meta.url)('kafkajs') as typeof import('kafkajs');

export interface KafkaOptions {
  /** `host:port`, one or more; the rest of the cluster is learned from them. */
  brokers: string[];
  /** How Kafka's own logs call this client. */
  clientId?: string;
  ssl?: KafkaConfig['ssl'];
  sasl?: KafkaConfig['sasl'];
  /** Milliseconds until an unanswered request counts as failed. 10,000 unless set. */
  requestTimeoutMs?: number;
  /** Milliseconds until an attempt to connect counts as failed. 3,000 unless set. */
  connectTimeoutMs?: number;
  log?: Log;
  /** How a connection is made, e.g. through a proxy. Plain TCP or TLS unless set. */
  socketFactory?: ISocketFactory;
}

/** A kafkajs client whose connections can be cut. */
export interface Client {
  kafka: Kafka;
  gate: SocketGate;
  requestTimeoutMs: number;
}

/**
 * One short retry inside kafkajs (its idempotent producer refuses none); the patient ones are made by the
 * caller, who checks its lease before each. Complete, because kafkajs has other defaults under NODE_ENV=test.
 */
const RETRY = { retries: 1, initialRetryTime: 50, maxRetryTime: 200, factor: 0.2, multiplier: 2 };

/** A connection of its own for each use: producers must not queue behind each other. */
export function newClient(options: KafkaOptions): Client {
  const gate = new SocketGate(options.socketFactory);
  const requestTimeoutMs = options.requestTimeoutMs ?? 10_000;
  const { Kafka, logLevel } = kafkajs();
  const kafka = new Kafka({
    brokers: options.brokers,
    clientId: options.clientId ?? 'session-ledger',
    ...(options.ssl === undefined ? {} : { ssl: options.ssl }),
    ...(options.sasl === undefined ? {} : { sasl: options.sasl }),
    requestTimeout: requestTimeoutMs,
    connectionTimeout: options.connectTimeoutMs ?? 3_000,
    retry: RETRY,
    socketFactory: gate.factory,
    logLevel: logLevel.WARN,
    // Only the message: the other fields may hold anything, stack traces and payloads included.
    logCreator: () => (entry) => options.log?.('debug', `kafkajs ${entry.namespace}: ${entry.log.message}`),
  });
  return { kafka, gate, requestTimeoutMs };
}

/** What Kafka calls the error, and those that caused it. */
export function* typesOf(error: unknown): Generator<string> {
  for (let each = error; each instanceof Error; each = each.cause) {
    if ('type' in each) yield String(each.type);
  }
}

const KEEP_ALIVE_MS = 60_000;

const plainOrTls: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const socket = ssl
    ? connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
    : connect({ host, port }, onConnect);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  socket.setNoDelay(true);
  return socket;
};

/**
 * The sockets of one kafkajs client, so that they can be cut. `disconnect()` alone is no end: kafkajs waits
 * for open requests, and a send that is being retried connects again and writes after all.
 */
class SocketGate {
  readonly #open = new Set<Socket>();
  readonly #factory: ISocketFactory;
  #shut = false;

  constructor(factory: ISocketFactory = plainOrTls) {
    this.#factory = factory;
  }

  readonly factory: ISocketFactory = (args) => {
    if (this.#shut) throw new Error('this Kafka client is closed');
    const socket = this.#factory(args);
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    return socket;
  };

  /** With an error, because kafkajs does not listen to 'close': without one its requests would hang. */
  shut(): void {
    this.#shut = true;
    for (const socket of this.#open) socket.destroy(new Error('this Kafka client is closed'));
  }
}
