// An MCP server over streamable HTTP that keeps nothing in its memory. See README.md.
//   LEDGER_URL  http://127.0.0.1:4600 unless set      PORT  4700 unless set
//   LEDGER_TOKEN or LEDGER_TOKEN_FILE  a key, where the ledger wants one
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';
import { isProblem, LedgerClient } from '#client';
import { tokenFromEnvironment } from '#client/node';
import { AgentSessions, type Handle } from './sessions.js';
import { toolsFor } from './tools.js';

const { LEDGER_URL = 'http://127.0.0.1:4600', PORT = '4700' } = process.env;
// An agent waits for its tool: rather an error after 5 s than an answer after 30.
const sessions = new AgentSessions(
  new LedgerClient({ url: LEDGER_URL, token: tokenFromEnvironment(), deadlineMs: 5_000 }),
);
const MOST_BYTES = 1 << 20;
const transport = (value: string): Handle => ({ kind: 'mcp-transport', value });

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'POST') return refuse(response, 405, 'This server only answers POST.');
  // Only browsers send it: no page may reach the tools of whoever looks at it.
  if (request.headers.origin) return refuse(response, 403, 'This server is not for browsers.');
  const body = await jsonOf(request);
  if (body === undefined) return refuse(response, 400, 'The body has to be JSON of at most 1 MiB.');
  const id = header(request, 'mcp-session-id');
  const connection = id === undefined ? undefined : sessions.find(transport(id));
  const failure = await connection?.then(
    () => undefined,
    (error: unknown) => error,
  );
  // With 404 the protocol makes the client connect anew. Any other failure is the tool's to tell.
  if (isProblem(failure, 'unknown-handle', 'session-ended'))
    return refuse(response, 404, 'Nobody knows this Mcp-Session-Id any more: connect anew.');

  const repository = header(request, 'x-repository-root');
  if (isInitializeRequest(body) && repository !== undefined) {
    const connected = randomUUID();
    await sessions.join({ agent: body.params.clientInfo.name, repository }, transport(connected));
    response.setHeader('mcp-session-id', connected); // only now: the ledger knows it
  }
  // One server and one transport per request, so that any process can answer any request.
  const server = toolsFor(sessions, connection);
  const once = new StreamableHTTPServerTransport({ enableJsonResponse: true });
  response.on('close', () => void server.close());
  await server.connect(once as Parameters<typeof server.connect>[0]);
  await once.handleRequest(request, response, body);
}

/** Undefined for what is no JSON, or too much. */
async function jsonOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > MOST_BYTES) return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function header({ headers }: IncomingMessage, name: string): string | undefined {
  return headers[name]?.toString() || undefined;
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32_000, message } }));
}

const server = createServer((request, response) => {
  serve(request, response).catch((error: Error) => {
    console.error(error.message);
    if (response.headersSent) response.destroy();
    else refuse(response, 503, `No session could be had: ${error.message}.`);
  });
});
server.listen(Number(PORT), '127.0.0.1', () => {
  const address = server.address();
  console.log(`MCP server on http://127.0.0.1:${typeof address === 'object' && address?.port}/mcp`);
});
