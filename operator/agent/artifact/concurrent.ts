import { smallBytes } from "../../store/write-stream.ts";

/** Runs `work` over all items, at most `limit` at a time. The first failure is thrown when those under way have ended. */
export async function mapConcurrent<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = new Array(items.length);
  let next = 0;
  let failed = false;
  const worker = async () => {
    while (next < items.length && !failed) {
      const index = next++;
      try {
        results[index] = await work(items[index] as Item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, worker));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return results;
}

/** Transfers under way at once: enough to hide latency, few enough for a small pod. */
export const transfers = 4;
/** Of small files, which wait for the other end for most of their time, more go at once. */
export const smallTransfers = 4 * transfers;

/** Runs `work` over what is transferred, of which `bytes` says how large it is; the results are in the items' order. */
export async function mapTransfers<Item, Result>(
  items: readonly Item[],
  bytes: (item: Item) => number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = new Array(items.length);
  const numbered = items.map((item, index) => ({ item, index, isSmall: bytes(item) <= smallBytes }));
  const each = async ({ item, index }: { item: Item; index: number }) => {
    results[index] = await work(item);
  };
  const small = numbered.filter(({ isSmall }) => isSmall);
  const large = numbered.filter(({ isSmall }) => !isSmall);
  await mapConcurrent(small, smallTransfers, each);
  await mapConcurrent(large, transfers, each);
  return results;
}
