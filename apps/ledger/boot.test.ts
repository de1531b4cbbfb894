import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { withoutAccess } from '#access';
import { Faults } from './faults.js';
import { RequestMetrics } from './http/request-metrics.js';
import { LedgerModule } from './ledger.module.js';
import { Metrics } from './metrics.js';
import type { Replica } from './replica.js';
import { Execute } from './served-ledger.js';

/** Under which @CommandHandler and @QueryHandler keep what they handle; Nest does not export the names. */
const HANDLED = ['__commandHandler__', '__queryHandler__'];

/** Enough of a ledger to wire the module; nothing is asked of it. */
const ledger = {
  identity: { id: 'test', partitions: 16 },
  pools: {},
  tail: { listen: () => () => {}, onRewind: () => () => {} },
  access: { access: withoutAccess },
} as unknown as Replica;
const wired = () =>
  LedgerModule.of(ledger, new Faults(), new Metrics(), new RequestMetrics(new Metrics().registry));

/** The commands and queries that have a handler, once for each handler. */
async function handled(
  module: Parameters<typeof NestFactory.createApplicationContext>[0],
): Promise<string[]> {
  const context = await NestFactory.createApplicationContext(module, { logger: false });
  const names = [...context.get(ModulesContainer).values()].flatMap(({ providers }) =>
    [...providers.values()].flatMap(({ metatype }) =>
      HANDLED.flatMap((key) => {
        const envelope = metatype && Reflect.getMetadata(key, metatype);
        return envelope ? [envelope.name as string] : [];
      }),
    ),
  );
  await context.close();
  return names.sort();
}

test('one envelope and one handler stand on each bus', async () => {
  expect(await handled(wired())).toEqual(['Execute', 'ReadLatest']);
});

test('a second handler, which the bus would take without a word, is seen', async () => {
  @CommandHandler(Execute)
  class Second implements ICommandHandler<Execute> {
    execute() {
      return Promise.reject(new Error('the last one wins'));
    }
  }
  @Module({ imports: [wired()], providers: [Second] })
  class WithSecond {}
  expect(await handled(WithSecond)).toEqual(['Execute', 'Execute', 'ReadLatest']);
});
