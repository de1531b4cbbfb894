export type { Feed, FeedEvent, RelayLease, RelayLeases } from './feed.port.js';
