/** A list that asks for its next page while the one before it is looked through. */
import type { ObjectList } from "./client.ts";

/** One page ahead at the most. `ask` gets the token of the page before; what it throws is thrown when that page is wanted. */
export async function* inPages<T>(
  ask: (token: string | undefined) => Promise<ObjectList<T>>,
): AsyncGenerator<ObjectList<T>> {
  let asked: Promise<ObjectList<T>> | undefined = ask(undefined);
  while (asked) {
    const page: ObjectList<T> = await asked;
    const token = page.metadata.continue;
    asked = token ? ask(token) : undefined;
    // Whoever leaves the list early does not hear of it.
    asked?.catch(() => undefined);
    yield page;
  }
}
