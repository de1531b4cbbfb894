import { createHmac, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT } from 'jose';

/** Who issues tokens: one whose keys are wrong in some way, or right. */
export interface Issuer {
  url: string;
  /** What a service needs to take its tokens. */
  env: NodeJS.ProcessEnv;
  /** One with these claims in place of the usual ones; undefined: without. Times in seconds from now. */
  token(claims: Claims, time?: { from: number; to: number }): Promise<string>;
  /** One that says of itself that nobody has signed it. */
  unsigned(claims: Claims): string;
  /** One that somebody else has signed, under the same key's name. */
  forged(claims: Claims): Promise<string>;
  /** One whose signature is a hash keyed by what everybody knows: the public key. */
  confused(claims: Claims): Promise<string>;
  /** From now on it signs with another key, and shows that one alone. */
  rotate(): Promise<void>;
}

type Claims = Record<string, unknown>;
type Fault = 'away' | 'huge' | 'slow' | 'no JSON';

const AUDIENCE = 'session-ledger';
const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

export async function startIssuer(fault?: Fault): Promise<Issuer> {
  let [kid, pair] = ['one', generateKeyPairSync('ed25519')];
  const server = createServer((_, response) => {
    if (fault === 'slow') return;
    if (fault === 'away') return void response.writeHead(500).end();
    response.setHeader('content-type', 'application/json');
    if (fault === 'no JSON') return void response.end('<html>');
    if (fault === 'huge') return void response.end(JSON.stringify({ keys: [], x: 'x'.repeat(2 << 20) }));
    const jwk = { ...pair.publicKey.export({ format: 'jwk' }), kid, use: 'sig' };
    response.end(JSON.stringify({ keys: [jwk] }));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const usual = { iss: url, aud: AUDIENCE, sub: 'worker', tenant: 'red', permissions: ['read'] };
  const timed = (claims: Claims, { from, to } = { from: 0, to: 600 }) => {
    const now = Math.floor(Date.now() / 1_000);
    return { ...usual, iat: now + from, nbf: now + from, exp: now + to, ...claims };
  };
  const sign = (claims: Claims, key: KeyObject) =>
    new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', kid }).sign(key);
  return {
    url,
    env: { LEDGER_JWT_ISSUER: url, LEDGER_JWT_AUDIENCE: AUDIENCE, LEDGER_JWT_JWKS_URL: `${url}/keys` },
    token: (claims, time) => sign(timed(claims, time), pair.privateKey),
    unsigned: (claims) => `${part({ alg: 'none', kid })}.${part(timed(claims))}.`,
    forged: (claims) => sign(timed(claims), generateKeyPairSync('ed25519').privateKey),
    async confused(claims) {
      const head = `${part({ alg: 'HS256', kid })}.${part(timed(claims))}`;
      const key = pair.publicKey.export({ format: 'pem', type: 'spki' });
      return `${head}.${createHmac('sha256', key).update(head).digest('base64url')}`;
    },
    async rotate() {
      [kid, pair] = [randomBytes(4).toString('hex'), generateKeyPairSync('ed25519')];
    },
  };
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
