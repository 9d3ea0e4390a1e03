import { expect, test } from "vitest";
import { checkMemory } from "./memory.ts";

const mib = 2 ** 20;

test("an index that fits beside what is there is let in", () => {
  checkMemory({ rows: 1e6, bytes: 300 * mib, used: 600 * mib, limit: 1024 * mib });
});

test("one that does not is refused with the limit that it needs, for the old and the new version", () => {
  const check = () => checkMemory({ rows: 1e6, bytes: 500 * mib, used: 600 * mib, limit: 1024 * mib });
  expect(check).toThrow(
    expect.objectContaining({
      reason: "MemoryTooSmall",
      retryable: false,
      message: expect.stringMatching(
        /^1000000 rows need 500 MiB, and 600 MiB of 1024 are taken: set online.resources.limits.memory to 1831Mi/,
      ),
    }),
  );
});
