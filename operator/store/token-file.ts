import { readFile } from "node:fs/promises";

/** The kubelet replaces a token when a fifth of its life is left, which is two minutes at the least. */
const keptMs = 60_000;

/** The token in a file that is replaced from time to time; it is read once a minute. */
export function tokenFile(path: string): () => Promise<string> {
  let token: Promise<string> | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (!token || performance.now() - readAt > keptMs) {
      readAt = performance.now();
      token = readFile(path, "utf8").then((text) => text.trim());
      // A file that can't be read is tried again.
      token.catch(() => {
        token = undefined;
      });
    }
    return token;
  };
}
