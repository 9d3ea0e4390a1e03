import { describe, expect, test } from "vitest";
import { model, start } from "../../test/builders/kinds.ts";
import { StoreError } from "../store/client.ts";
import { delayedBy } from "./outcome.ts";

describe("a store that does not take a record", () => {
  const subject = model({}, { champion: 1, versions: [] });

  test("for now: delays, the condition says why, and the rest of the status stays", () => {
    const locked = new StoreError(503, "Locked", "the store's database is locked by another process: try again");
    expect(delayedBy(locked, subject, start)).toMatchObject({
      ...{ apply: [], delete: [], outcome: { kind: "waiting", requeueAfterMs: expect.any(Number) } },
      status: { champion: 1, conditions: [{ type: "Ready", reason: "StoreUnavailable", message: locked.message }, {}] },
    });
  });

  test.each([
    ["for good", new StoreError(409, "Conflict", "version 2 was decided otherwise")],
    ["because of a bug", new TypeError("x is undefined")],
  ])("%s: is an error", (_, error) => {
    expect(delayedBy(error, subject, start)).toBeUndefined();
  });
});
