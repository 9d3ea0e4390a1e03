/** Receives one line of progress. */
export type Log = (message: string) => void;

export const silent: Log = () => {};

/** Where progress goes; by default nowhere. */
export interface LogOptions {
  log?: Log;
}

/** Runs slow work; says what is being done, every 15 s that it still is, and how long it took. */
export async function withProgress<T>(log: Log, label: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const seconds = () => Math.round((performance.now() - start) / 1000);
  log(`${label} …`);
  const timer = setInterval(() => log(`${label}: still at it after ${seconds()} s`), 15_000);
  try {
    const result = await work();
    if (seconds() >= 2) log(`${label}: done in ${seconds()} s`);
    return result;
  } finally {
    clearInterval(timer);
  }
}

/** A log for terminals: each line starts with the seconds since it was made. Goes to standard error, so that output stays clean. */
export function terminalLog(): Log {
  const start = performance.now();
  return (message) => {
    const elapsed = ((performance.now() - start) / 1000).toFixed(1).padStart(6);
    process.stderr.write(`${elapsed} s  ${message}\n`);
  };
}

/** Asks until the answer is true. Throws `failure()` when it is not within `timeoutMs`. */
export async function waitUntil(
  question: () => Promise<boolean>,
  { timeoutMs, failure }: { timeoutMs: number; failure: () => Error },
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await question())) {
    if (performance.now() > deadline) throw failure();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
