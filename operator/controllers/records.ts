/** Reading the store without letting it stop a reconcile. */
import { StoreError } from "../store/client.ts";

/** The store's answer, or why there is none: a store that is away delays, and loses nothing. */
export type Answer<T> = { found: T } | { unavailable: string };

export async function askStore<T>(ask: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { found: await ask() };
  } catch (error) {
    if (error instanceof StoreError && error.transient) return { unavailable: error.message };
    throw error;
  }
}
