/** Reads that are asked for in the same turn of the event loop become one request. */

/** Names go in the URL, which servers take up to 16 kB of. */
const atOnce = 48;

interface Batch<T> {
  names: Set<string>;
  answer: Promise<Readonly<Record<string, T>>>;
}

/** `fetch` gets the names of one namespace, and answers by name. A reading begins after it was asked for, never before. */
export function batched<T>(
  fetch: (namespace: string, names: readonly string[]) => Promise<Readonly<Record<string, T>>>,
): (namespace: string, name: string) => Promise<T | undefined> {
  const open = new Map<string, Batch<T>>();
  const begin = (namespace: string): Batch<T> => {
    const names = new Set<string>();
    const answer = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      if (open.get(namespace)?.names === names) open.delete(namespace);
      return fetch(namespace, [...names]);
    });
    const batch = { names, answer };
    open.set(namespace, batch);
    return batch;
  };
  return async (namespace, name) => {
    const known = open.get(namespace);
    const batch = known && known.names.size < atOnce ? known : begin(namespace);
    batch.names.add(name);
    return (await batch.answer)[name];
  };
}
