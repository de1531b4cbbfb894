import { hash } from 'node:crypto';
import type { createRemoteJWKSet, JWTPayload } from 'jose';
import { type Caller, callerOf, PERMISSIONS, type Permission, ProblemError } from '#api';
import { LogError } from '#log';
import type { Asking } from './asking.js';
import { Bucket } from './bucket.js';
import type { KeySet } from './key-set.js';
import { isPrincipal, isTenant } from './names.js';

export interface TokenSettings {
  issuer: string;
  audience: string;
  jwksUrl: string;
  /** Whether tokens of the issuer may hold `audit`, or be of no tenant. */
  isLedgerWide: boolean;
}

/** Signatures that nobody can forge from what checks them, and that are made over all of the token. */
const ALGORITHMS = ['EdDSA', 'Ed25519', 'ES256', 'PS256', 'RS256'];
/** A token lives for an hour at most: that is how long one goes on that nobody has revoked. */
const MOST_SECONDS = 3_600;
/** Two clocks are never the same. */
const TOLERANCE_SECONDS = 60;
const MOST_KNOWN = 10_000;
/** Checks of a signature a second: each costs 60 to 140 us. */
const CHECKS_PER_SECOND = 200;
/** Of those, for all addresses whose credentials did not count too often: they take nothing from the others. */
const CHECKS_OF_SUSPECTS = 20;
/** Checks of one address that are under way: what comes at once is not known to be wrong yet, and must not take all. */
const MOST_UNDER_WAY = CHECKS_PER_SECOND / 2;
const MOST_JWKS_BYTES = 1_048_576;
const JWKS = { cacheMaxAge: 600_000, cooldownDuration: 30_000, timeoutDuration: 5_000 };

/** What a token says whose signature is right. */
class Token implements Asking {
  readonly name = 'token';

  constructor(
    readonly caller: Caller,
    private readonly claims: { issuer: string; subject: string; issuedAt: number; expiresAt: number },
    private readonly keys: KeySet,
  ) {}

  isOver(now: number): boolean {
    const { issuer, subject, issuedAt, expiresAt } = this.claims;
    return now >= (expiresAt + TOLERANCE_SECONDS) * 1_000 || this.keys.isRevoked(issuer, subject, issuedAt);
  }
}

/** Tokens (RFC 7519) of one issuer, whose keys stand at an address. One that was checked is known until it expires. */
export class Tokens {
  private readonly known = new Map<string, Token>();
  private readonly pending = new Map<string, Promise<Token>>();
  private readonly underWay = new Map<string, number>();
  private readonly checks = new Bucket(CHECKS_PER_SECOND);
  private readonly ofSuspects = new Bucket(CHECKS_OF_SUSPECTS);
  private readonly keyOf: ReturnType<typeof createRemoteJWKSet>;

  private constructor(
    private readonly jose: typeof import('jose'),
    private readonly settings: TokenSettings,
    private readonly keys: KeySet,
  ) {
    const { createRemoteJWKSet, customFetch } = jose;
    this.keyOf = createRemoteJWKSet(new URL(settings.jwksUrl), { ...JWKS, [customFetch]: bounded });
  }

  /** Loads what checks signatures, which a ledger without an issuer does without. */
  static async open(settings: TokenSettings, keys: KeySet): Promise<Tokens> {
    return new Tokens(await import('jose'), settings, keys);
  }

  /** One that was checked before. */
  find(token: string): Token | undefined {
    const name = nameOf(token);
    const found = this.known.get(name);
    if (found) {
      this.known.delete(name);
      this.known.set(name, found); // the last of those that may go
    }
    return found;
  }

  /**
   * Rejects with `unauthenticated`, or with `unavailable` when the issuer's keys cannot be had; throws `overloaded` or
   * `rate-limited` for more than are checked in a second.
   */
  check(token: string, address: string, isSuspect: boolean): Promise<Token> {
    const name = nameOf(token);
    const pending = this.pending.get(name);
    if (pending) return pending;
    const underWay = this.underWay.get(address) ?? 0;
    if (isSuspect || underWay >= MOST_UNDER_WAY) {
      const detail =
        'Too many new tokens from this address at once, or too many that did not count: few of its tokens are checked.';
      if (this.ofSuspects.take(1) > 0) throw new ProblemError('rate-limited', detail, {}, 1);
    } else if (this.checks.take(1) > 0) {
      throw new LogError('overloaded', 'Too many new tokens are waiting to be checked.');
    }
    const checking = this.verify(token)
      .then((checked) => {
        this.remember(name, checked);
        return checked;
      })
      .finally(() => {
        this.pending.delete(name);
        const left = (this.underWay.get(address) ?? 1) - 1;
        if (left > 0) this.underWay.set(address, left);
        else this.underWay.delete(address);
      });
    this.pending.set(name, checking);
    this.underWay.set(address, underWay + 1);
    return checking;
  }

  private remember(name: string, token: Token): void {
    if (this.known.size >= MOST_KNOWN) this.known.delete(this.known.keys().next().value ?? '');
    this.known.set(name, token);
  }

  private async verify(token: string): Promise<Token> {
    const { issuer, audience } = this.settings;
    const { payload } = await this.jose
      .jwtVerify(token, this.keyOf, {
        ...{ issuer, audience, algorithms: ALGORITHMS, requiredClaims: ['exp', 'iat', 'sub'] },
        ...{ clockTolerance: TOLERANCE_SECONDS, currentDate: new Date(this.keys.now) },
      })
      .catch((error) => {
        throw this.refusalOf(error);
      });
    return this.tokenOf(payload);
  }

  /** What jose says of a token, or of the issuer's keys. */
  private refusalOf(error: unknown): Error {
    const { code, message } = error as { code?: string; message?: string };
    const isAway =
      !(error instanceof this.jose.errors.JOSEError) ||
      code === 'ERR_JWKS_TIMEOUT' ||
      code === 'ERR_JOSE_GENERIC';
    if (isAway) {
      return new LogError('unavailable', "The issuer's keys cannot be had.", { cause: error });
    }
    return refused(message ?? 'it cannot be read');
  }

  /** Throws `unauthenticated` for claims that say nothing here. */
  private tokenOf({ sub: subject = '', iat = 0, exp = 0, ...claims }: JWTPayload): Token {
    const { issuer, isLedgerWide } = this.settings;
    const { tenant = '', permissions = [], environments } = claims;
    if (exp - this.keys.now / 1_000 > MOST_SECONDS + TOLERANCE_SECONDS) {
      throw refused('its exp is more than an hour ahead');
    }
    if (iat > this.keys.now / 1_000 + TOLERANCE_SECONDS) throw refused('its iat is in the future');
    if (!isPrincipal(subject)) throw refused('its sub is no name of a principal');
    if (tenant !== '' && !isTenant(tenant)) throw refused('its tenant is no name of one');
    if (tenant === '' && !isLedgerWide) throw refused('it names no tenant');
    if (!isTexts(permissions)) throw refused('its permissions are no list of texts');
    if (environments !== undefined && !isTexts(environments)) throw refused('its environments are no list');
    // What is of all tenants has to be asked for: a tenant's admin is no admin of all.
    const ledgerWide = isLedgerWide && (tenant === '' || permissions.includes('audit'));
    const given = PERMISSIONS.filter((one) => permissions.includes(one));
    const caller = callerOf({
      ...{ tenant, principal: subject, ledgerWide },
      permissions: given.filter((one) => isWithin(one, tenant, ledgerWide)),
      ...(environments && { environments: new Set(environments) }),
    });
    return new Token(caller, { issuer, subject, issuedAt: iat, expiresAt: exp }, this.keys);
  }
}

/** What is a tenant's needs one; what is of all tenants an issuer that is trusted with it. */
function isWithin(permission: Permission, tenant: string, ledgerWide: boolean): boolean {
  if (permission === 'audit') return ledgerWide;
  return tenant !== '' || (permission === 'admin' && ledgerWide);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.length <= 64 && value.every((one) => typeof one === 'string');
}

function refused(why: string): ProblemError {
  return new ProblemError('unauthenticated', `The token is not valid: ${why}.`);
}

function nameOf(token: string): string {
  return hash('sha256', token, 'base64');
}

/** Reads at most a MiB: whoever answers in place of the issuer fills no memory. */
async function bounded(url: string, options: RequestInit): Promise<Response> {
  const response = await fetch(url, options);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MOST_JWKS_BYTES) throw new Error(`the issuer's keys are more than ${MOST_JWKS_BYTES} bytes`);
    chunks.push(chunk);
  }
  return new Response(Buffer.concat(chunks), { status: response.status, headers: response.headers });
}
