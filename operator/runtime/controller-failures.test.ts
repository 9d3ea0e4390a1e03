import { beforeEach, describe, expect, test, vi } from "vitest";
import { type Loop, makeLoop } from "../../test/builders/loop.ts";
import { NameTakenError } from "../kube/apply.ts";
import { ApiError, ConnectionError, NotLeaderError } from "../kube/errors.ts";
import { services } from "../kube/resources.ts";
import type { Outcome } from "./plan.ts";

let queue: Loop["queue"];
let lines: Loop["lines"];
let start: Loop["start"];
let counted: Loop["counted"];
beforeEach(() => {
  ({ queue, lines, start, counted } = makeLoop());
});

const settled: Outcome = { kind: "settled" };

describe("a reconcile that fails", () => {
  test("and then ends well begins with the shortest pause at its next failure", async () => {
    const retry = vi.spyOn(queue, "retry");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    let call = 0;
    const loop = start(async () => {
      call++;
      if (call === 3) return { outcome: settled, echoes: [], statusDue: false };
      throw new ConnectionError("get Service wine", new Error("reset"));
    });
    /** Turns of the event loop, which the fake clock leaves alone. */
    const until = async (done: () => boolean) => {
      while (!done()) await new Promise((resolve) => setImmediate(resolve));
    };
    queue.add("a/wine");
    for (const [failures, ms] of [200, 400].entries()) {
      await until(() => retry.mock.results.length === failures + 1);
      vi.advanceTimersByTime(ms);
    }
    await until(() => call === 3);
    queue.add("a/wine");
    await until(() => retry.mock.results.length === 3);
    queue.close();
    await loop;
    vi.useRealTimers();
    expect(retry.mock.results.map(({ value }) => value)).toEqual([200, 400, 200]);
  });

  const taken = new NameTakenError(
    services,
    { apiVersion: "v1", kind: "Service", metadata: { name: "wine" } },
    "kubectl",
  );

  test.each<[string, Error, number, number]>([
    ["transient", new ConnectionError("get Service wine", new Error("reset")), 200, 40],
    ["conflict", new ApiError("apply Service wine", 409, { reason: "Conflict" }), 200, 40],
    ["exists", new ApiError("create Service wine", 409, { reason: "AlreadyExists" }), 200, 40],
    ["notFound", new ApiError("apply Service wine", 404), 200, 40],
    ["throttled", new ApiError("apply Service wine", 429, { details: { retryAfterSeconds: 9 } }), 9_000, 40],
    ["forbidden", new ApiError("apply Service wine", 403), 60_000, 50],
    ["invalid", new ApiError("apply Service wine", 422), 60_000, 50],
    ["terminal", new Error("a bug"), 60_000, 50],
    ["taken", taken, 60_000, 50],
  ])("is %s: tried again at its own pace, counted, logged", async (kind, error, retryMs, level) => {
    const retry = vi.spyOn(queue, "retry");
    const loop = start(async () => Promise.reject(error));
    queue.add("a/wine");
    await vi.waitFor(() => expect(lines).toHaveLength(1));
    queue.close();
    await loop;
    expect(retry.mock.results).toMatchObject([{ value: retryMs }]);
    expect(lines[0]).toMatchObject({ level, class: kind, object: "a/wine" });
    expect(await counted("lemnis_reconcile_errors_total")).toMatchObject([{ value: 1, labels: { class: kind } }]);
  });

  test("for want of the lease says nothing and tries nothing", async () => {
    const retry = vi.spyOn(queue, "retry");
    let tried = 0;
    const loop = start(async () => {
      tried++;
      throw new NotLeaderError();
    });
    queue.add("a/wine");
    await vi.waitFor(() => expect(tried).toBe(1));
    queue.close();
    await loop;
    expect(retry).not.toHaveBeenCalled();
    expect(lines).toEqual([]);
  });
});
