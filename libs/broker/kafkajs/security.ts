import { readFileSync } from 'node:fs';
import type { KafkaOptions } from './kafkajs-client.js';

/** A setting of Kafka that cannot be used; a line for the user. */
export class KafkaSettingsError extends Error {
  override readonly name = 'KafkaSettingsError';
}

/** How Kafka is talked to, by the environment. Those that are empty count as not set. */
export interface KafkaSecuritySettings {
  KAFKA_SSL?: string | undefined;
  KAFKA_SSL_CA?: string | undefined;
  KAFKA_SASL_MECHANISM?: string | undefined;
  KAFKA_SASL_USERNAME?: string | undefined;
  KAFKA_SASL_PASSWORD_FILE?: string | undefined;
}

export type KafkaSecurity = Pick<KafkaOptions, 'ssl' | 'sasl'>;

const MECHANISM = 'scram-sha-512';

/** Reads the files that the settings name. Throws KafkaSettingsError. */
export function kafkaSecurityOf(settings: KafkaSecuritySettings): KafkaSecurity {
  const sasl = saslOf(settings);
  const isTls = settings.KAFKA_SSL === 'true';
  if (!isTls && settings.KAFKA_SSL_CA) throw new KafkaSettingsError('KAFKA_SSL_CA: needs KAFKA_SSL=true');
  if (!isTls && sasl)
    throw new KafkaSettingsError(
      'KAFKA_SASL_MECHANISM: needs KAFKA_SSL=true; SCRAM alone protects neither events nor weak passwords',
    );
  if (!isTls) return {};
  const ca = settings.KAFKA_SSL_CA ? { ca: contentOf('KAFKA_SSL_CA', settings.KAFKA_SSL_CA) } : {};
  return { ssl: { ...ca, rejectUnauthorized: true }, ...(sasl && { sasl }) };
}

function saslOf(settings: KafkaSecuritySettings): KafkaOptions['sasl'] {
  const { KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD_FILE: file } = settings;
  const mechanism = settings.KAFKA_SASL_MECHANISM;
  if (mechanism && mechanism !== MECHANISM)
    throw new KafkaSettingsError(`KAFKA_SASL_MECHANISM: has to be ${MECHANISM}`);
  if (!mechanism && !username && !file) return undefined;
  if (!mechanism || !username || !file)
    throw new KafkaSettingsError(
      'KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD_FILE go together: set all three, or none',
    );
  return { mechanism: MECHANISM, username, password: contentOf('KAFKA_SASL_PASSWORD_FILE', file) };
}

function contentOf(setting: string, file: string): string {
  try {
    const text = readFileSync(file, 'utf8').trim();
    if (text) return text;
  } catch (error) {
    throw new KafkaSettingsError(`${setting}: ${(error as Error).message}`);
  }
  throw new KafkaSettingsError(`${setting}: ${file} is empty`);
}
