import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { ask, type Call, type Reply } from './http.js';

/** The part of an OpenAPI 3.1 document that tests read. */
export interface Description {
  openapi: string;
  paths: Record<string, Record<string, DescribedOperation>>;
  components: { schemas: Record<string, { properties: Record<string, unknown> }> };
}

interface DescribedOperation {
  operationId: string;
  responses: Record<
    string,
    { description: string; headers?: Record<string, unknown>; content?: Record<string, unknown> }
  >;
}

/** `ask`, by path, for answers that keep what the service's description promises. */
export type DescribedAsk = <Body = Record<string, unknown>>(
  path: string,
  call?: Call,
) => Promise<Reply<Body>>;

/** What a program reads of an answer besides its body. */
const HEADERS = [
  'etag',
  'idempotency-replayed',
  'ledger-position',
  'ledger-restores',
  'location',
  'retry-after',
];

/** Asks a service, and checks every answer's status, headers, content type and body against /openapi.json. */
export async function describedBy(url: string): Promise<DescribedAsk> {
  const { body: description } = await ask<Description>(`${url}/openapi.json`);
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  ajv.addSchema(description, 'openapi');
  return async <Body>(path: string, call: Call = {}) => {
    const reply = await ask<Body>(`${url}${path}`, call);
    const method = (call.method ?? (call.body === undefined ? 'GET' : 'POST')).toLowerCase();
    checkAgainst(description, ajv, { path: path.split('?', 1)[0] ?? '', method, reply });
    return reply;
  };
}

function checkAgainst(
  { paths }: Description,
  ajv: Ajv2020,
  { path, method, reply }: { path: string; method: string; reply: Reply<unknown> },
): void {
  const template = Object.keys(paths).find((one) => asPattern(one).test(path) && paths[one]?.[method]);
  if (template === undefined) throw new Error(`${method} ${path} is not described`);
  const contents = paths[template]?.[method]?.responses[reply.status];
  if (!contents) throw new Error(`${method} ${template}: status ${reply.status} is not described`);
  const described = Object.keys(contents.headers ?? {}).map((name) => name.toLowerCase());
  const [silent] = HEADERS.filter((name) => reply.headers.has(name) && !described.includes(name));
  if (silent) throw new Error(`${method} ${template}: ${reply.status} with ${silent} is not described`);
  const contentType = reply.headers.get('content-type')?.split(';', 1)[0];
  const types = Object.keys(contents.content ?? {});
  if (types.length === 0 && reply.text === '') return;
  if (contentType === undefined || !types.includes(contentType)) {
    throw new Error(`${method} ${template}: content type ${contentType} is not described`);
  }
  if (!/^application\/(problem\+)?json$/.test(contentType)) return; // lines and streams: their tests parse them
  const pointer = ['paths', template, method, 'responses', reply.status, 'content', contentType, 'schema'];
  const validate = ajv.getSchema(`openapi#/${pointer.map(escaped).join('/')}`) as ValidateFunction;
  if (validate(reply.body)) return;
  throw new Error(
    `${method} ${template}: ${ajv.errorsText(validate.errors)} in ${reply.text.slice(0, 1_000)}`,
  );
}

function asPattern(template: string): RegExp {
  return new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`);
}

/** As JSON pointers in a URI want it (RFC 6901, section 6). */
function escaped(part: string | number): string {
  return encodeURIComponent(String(part).replaceAll('~', '~0').replaceAll('/', '~1'));
}
