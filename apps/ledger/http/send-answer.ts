import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { Access } from '#access';
import type { Answered } from '#api';
import type { LoopTurns } from '../loop-turns.js';
import { answersHead } from '../streams/head.js';
import type { Streams } from '../streams/streams.js';
import { sendProblem } from './problems.filter.js';

const LINES = 'application/x-ndjson';

/** Sends what an operation answered. */
export function sendAnswer(reply: FastifyReply, answered: Answered, streams: Streams, access: Access): void {
  const { status = 200, headers, json, body, text, bytes, problem, lines, events } = answered;
  if (headers) reply.headers(headers);
  if (problem) sendProblem(reply, problem);
  else if (events) streams.serve(reply, events);
  else if (lines) {
    if (answersHead(reply, { 'content-type': LINES })) return;
    const { raw, request } = reply;
    raw.once(
      'close',
      access.hold('snapshots', request.asking, () => raw.destroy()),
    );
    reply
      .header('content-type', LINES)
      .send(Readable.from(inParts(lines, streams.turns), { highWaterMark: 1 }));
  } else if (text !== undefined) reply.header('content-type', 'text/plain; charset=utf-8').send(text);
  else if (bytes)
    reply
      .header('content-type', 'application/octet-stream')
      .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  else if (json === undefined && body === undefined) reply.code(status).send();
  else
    reply
      .code(status)
      .header('content-type', 'application/json')
      .send(json ?? JSON.stringify(body));
}

/** Bytes of a part, about. Each line by itself would cost as much as all else about it. */
const PART = 16 << 10;

async function* inParts(lines: AsyncIterable<string>, turns: LoopTurns): AsyncGenerator<string> {
  let part = '';
  for await (const line of lines) {
    part += `${line}\n`;
    if (part.length < PART) continue;
    await turns.next();
    yield part;
    part = '';
  }
  yield part;
}
