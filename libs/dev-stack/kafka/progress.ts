import { Presets, SingleBar } from 'cli-progress';

/** Shows how far a download is. Sizes are in bytes. */
export interface Progress {
  start(total: number): void;
  advance(bytes: number): void;
  stop(): void;
}

/** A bar where a person watches (`stream` is a terminal); elsewhere nothing: the caller logs start and end. */
export function progressOn(stream: NodeJS.WriteStream, label: string): Progress {
  if (!stream.isTTY) return { start() {}, advance() {}, stop() {} };
  const format = `${label} {bar} {percentage}% of {megabytes} MB, {eta_formatted} left`;
  const bar = new SingleBar(
    { stream, format, hideCursor: true, clearOnComplete: true },
    Presets.shades_classic,
  );
  return {
    start: (total) => bar.start(total, 0, { megabytes: (total / 1e6).toFixed(0) }),
    advance: (bytes) => bar.increment(bytes),
    stop: () => bar.stop(),
  };
}
