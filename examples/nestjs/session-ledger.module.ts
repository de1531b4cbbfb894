import { type DynamicModule, Module, type OnApplicationShutdown } from '@nestjs/common';
import { LedgerClient, type LedgerOptions } from '#client';
import { SessionGuard } from './session.guard.js';

/** The ledger for a Nest application: LedgerClient and SessionGuard, everywhere. */
@Module({})
export class SessionLedgerModule implements OnApplicationShutdown {
  constructor(private readonly ledger: LedgerClient) {}

  static forRoot(options: LedgerOptions): DynamicModule {
    return {
      module: SessionLedgerModule,
      global: true,
      providers: [{ provide: LedgerClient, useFactory: () => new LedgerClient(options) }, SessionGuard],
      exports: [LedgerClient, SessionGuard],
    };
  }

  /** Gives up what the application holds. Nest calls it on a signal after `app.enableShutdownHooks()`. */
  async onApplicationShutdown(): Promise<void> {
    await this.ledger[Symbol.asyncDispose]();
  }
}
