/** Reads that are asked for at about the same time become one request. */

/** Names go in the URL, which servers take up to 16 kB of. */
const atOnce = 48;
/** A request begins at once when the one before it began this long ago or when so many names wait; else it waits for more. */
const paceMs = 20;
const enough = 16;

interface Batch<T> {
  names: Set<string>;
  answer: Promise<Readonly<Record<string, T>>>;
  begin: () => void;
}

/** `fetch` gets the names of one namespace, and answers by name. A reading begins after it was asked for, never before. */
export function batched<T>(
  fetch: (namespace: string, names: readonly string[]) => Promise<Readonly<Record<string, T>>>,
): (namespace: string, name: string) => Promise<T | undefined> {
  const open = new Map<string, Batch<T>>();
  let began = Number.NEGATIVE_INFINITY;
  const start = (namespace: string): Batch<T> => {
    const names = new Set<string>();
    const { promise, resolve: begin } = Promise.withResolvers<void>();
    const wait = began + paceMs - performance.now();
    if (wait > 0) setTimeout(begin, wait);
    else setImmediate(begin);
    const answer = promise.then(() => {
      if (open.get(namespace)?.names === names) open.delete(namespace);
      began = performance.now();
      return fetch(namespace, [...names]);
    });
    const batch = { names, answer, begin };
    open.set(namespace, batch);
    return batch;
  };
  return async (namespace, name) => {
    const known = open.get(namespace);
    const batch = known && known.names.size < atOnce ? known : start(namespace);
    batch.names.add(name);
    // What else is asked for in this turn goes with them.
    if (batch.names.size === enough) setImmediate(batch.begin);
    return (await batch.answer)[name];
  };
}
