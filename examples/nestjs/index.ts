// The module, the guard and the decorator, as the package @session-ledger/nestjs has them (npm/package.js).
export { CurrentSession } from './current-session.js';
export { SessionGuard } from './session.guard.js';
export { SessionLedgerModule } from './session-ledger.module.js';
