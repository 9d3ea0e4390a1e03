import { beforeEach, describe, expect, test } from "vitest";
import type { Clock } from "../runtime/clock.ts";
import type { KubeClient } from "./client.ts";
import { ApiError, ConnectionError } from "./errors.ts";
import { Elector } from "./lease.ts";
import { Term } from "./lease-term.ts";
import type { KubeObject, Resource } from "./types.ts";

type Lease = KubeObject & { spec: Record<string, unknown> };

/** A sleep ends at once, and is what moves the time. */
class TestClock implements Clock {
  ms = 0;
  now = () => new Date(Date.UTC(2026, 2, 1) + this.ms);
  monotonicMs = () => this.ms;
  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (!signal?.aborted) this.ms += ms;
  }
}

/** The Lease as the server keeps it, and what the server does instead of answering. */
let stored: Lease | undefined;
let trouble: (verb: string) => Promise<void>;
let writes: Lease[];
let clock: TestClock;
let lost: number[];

async function write(verb: string, lease: Lease): Promise<Lease> {
  await trouble(verb);
  const version = lease.metadata.resourceVersion;
  if (verb === "create" && stored) throw new ApiError("create Lease", 409, { reason: "AlreadyExists" });
  if (verb === "replace" && !stored) throw new ApiError("update Lease", 404);
  if (verb === "replace" && stored?.metadata.resourceVersion !== version) {
    throw new ApiError("update Lease", 409, { reason: "Conflict" });
  }
  stored = { ...lease, metadata: { ...lease.metadata, resourceVersion: String(Number(version ?? 0) + 1) } };
  writes.push(stored);
  return stored;
}
const client = {
  get: async () => {
    await trouble("get");
    if (!stored) throw new ApiError("get Lease", 404);
    return stored;
  },
  create: (_: Resource, lease: Lease) => write("create", lease),
  replace: (_: Resource, lease: Lease) => write("replace", lease),
} as unknown as KubeClient;

const elect = (identity: string) =>
  new Elector(client, { namespace: "a", name: "lemnis", identity, clock, term: new Term(clock) });
const never = new AbortController().signal;
const unreachable = async () => {
  throw new ConnectionError("update Lease", new Error("refused"));
};
/** Somebody else's hand. */
const holds = (holderIdentity: string) => {
  const { metadata, spec } = stored as Lease;
  stored = {
    ...(stored as Lease),
    metadata: { ...metadata, resourceVersion: "900" },
    spec: { ...spec, holderIdentity },
  };
};
/** Keeps the lease until this time has come, or until it is lost. */
async function keepUntil(elector: Elector, ms: number, each = () => {}): Promise<void> {
  const stop = new AbortController();
  const sleep = clock.sleep.bind(clock);
  clock.sleep = async (wait, signal) => {
    await sleep(wait, signal);
    each();
    if (clock.ms >= ms) stop.abort();
  };
  await elector.keep(stop.signal);
  if (!stop.signal.aborted) lost.push(clock.ms);
}

beforeEach(() => {
  stored = undefined;
  trouble = async () => {};
  writes = [];
  lost = [];
  clock = new TestClock();
});

describe("a leader", () => {
  test("renews every two seconds, with times of six digits and one transition for each new holder", async () => {
    const elector = elect("a");
    await elector.acquire(never);
    await keepUntil(elector, 20_000);
    expect(elector.isLeader()).toBe(true);
    expect(writes).toHaveLength(10);
    expect(stored?.spec).toEqual({
      holderIdentity: "a",
      leaseDurationSeconds: 15,
      leaseTransitions: 1,
      acquireTime: "2026-03-01T00:00:00.000000Z",
      renewTime: "2026-03-01T00:00:18.000000Z",
    });
    expect(lost).toEqual([]);
  });

  test("that can't reach the server writes for ten seconds more, and says so before another may begin", async () => {
    const elector = elect("a");
    await elector.acquire(never);
    trouble = unreachable;
    await keepUntil(elector, 60_000, () => {
      if (clock.ms < 10_000) expect(elector.isLeader()).toBe(true);
      else expect(elector.isLeader()).toBe(false);
    });
    expect(lost).toEqual([10_000]);
  });

  test("says so in time also when the server takes each request and hangs", async () => {
    const elector = elect("a");
    await elector.acquire(never);
    trouble = async () => {
      clock.ms += 4_900;
      return unreachable();
    };
    await keepUntil(elector, 60_000);
    expect(lost).toHaveLength(1);
    expect(lost[0]).toBeLessThan(15_000);
  });

  test("is not brought back by a renewal that comes too late: what was refused meanwhile is not tried again", async () => {
    const elector = elect("a");
    await elector.acquire(never);
    const refused: number[] = [];
    trouble = async () => {
      clock.ms += 8_500;
      expect(elector.isLeader()).toBe(false);
      refused.push(clock.ms);
    };
    await keepUntil(elector, 60_000);
    expect([refused, lost]).toEqual([[10_500], [10_500]]);
  });

  test("counts its time from before the renewal was sent", async () => {
    const elector = elect("a");
    await elector.acquire(never);
    trouble = async () => {
      trouble = async () => {};
      clock.ms += 4_000;
    };
    await keepUntil(elector, 2_001);
    const renewed = 2_000;
    clock.ms = renewed + 9_999;
    expect(elector.isLeader()).toBe(true);
    clock.ms = renewed + 10_000;
    expect(elector.isLeader()).toBe(false);
  });

  test("that was frozen for longer than the lease does not write, not even to renew", async () => {
    const elector = elect("a");
    await elector.acquire(never);
    const before = writes.length;
    await keepUntil(elector, 60_000, () => {
      clock.ms += 20_000;
    });
    expect(lost).toHaveLength(1);
    expect(writes).toHaveLength(before);
    await elector.release();
    expect(writes).toHaveLength(before);
  });

  test("whose lease another has taken stops at its next renewal, not at its deadline", async () => {
    const elector = elect("a");
    await elector.acquire(never);
    holds("b");
    await keepUntil(elector, 60_000);
    expect(lost).toEqual([2_000]);
  });

  test.each<[string, () => void]>([
    ["was deleted", () => (stored = undefined)],
    ["somebody has labelled", () => holds("a")],
  ])("whose lease %s goes on leading", async (_, meddle) => {
    const elector = elect("a");
    await elector.acquire(never);
    meddle();
    await keepUntil(elector, 30_000);
    expect(lost).toEqual([]);
    expect(elector.isLeader()).toBe(true);
    expect(stored?.spec.holderIdentity).toBe("a");
  });

  test("whose renewal was kept but whose answer was lost goes on leading", async () => {
    const elector = elect("a");
    await elector.acquire(never);
    const { replace } = client;
    client.replace = async (...call: Parameters<typeof replace>) => {
      client.replace = replace;
      await replace(...call);
      return unreachable();
    };
    await keepUntil(elector, 30_000);
    expect(lost).toEqual([]);
  });
});

describe("a candidate", () => {
  test("waits a whole lease from the renewal that it saw last, whatever the holder's clock says", async () => {
    await elect("a").acquire(never);
    (stored as Lease).spec.renewTime = "2001-01-01T00:00:00.000000Z";
    const second = elect("b");
    expect(await second.acquire(never)).toBe(true);
    expect(clock.ms).toBeGreaterThan(15_000);
    expect(clock.ms).toBeLessThanOrEqual(18_000);
    expect(stored?.spec).toMatchObject({ holderIdentity: "b", leaseTransitions: 2 });
  });

  test("begins to wait anew with each renewal", async () => {
    await elect("a").acquire(never);
    const second = elect("b");
    const sleep = clock.sleep.bind(clock);
    clock.sleep = async (ms) => {
      await sleep(ms);
      if (clock.ms <= 20_000) (stored as Lease).spec.renewTime = clock.now().toISOString();
    };
    await second.acquire(never);
    expect(clock.ms).toBeGreaterThan(35_000);
  });

  test("takes what its former self has held, and what was let go, at once", async () => {
    await elect("a").acquire(never);
    const again = elect("a");
    await again.acquire(never);
    await again.release();
    await elect("b").acquire(never);
    expect(clock.ms).toBe(0);
    expect(stored?.spec.holderIdentity).toBe("b");
  });

  test("goes on trying while the server is away, and gives up when it is told to", async () => {
    const stop = new AbortController();
    trouble = async () => {
      if (clock.ms >= 6_000) stop.abort();
      return unreachable();
    };
    expect(await elect("a").acquire(stop.signal)).toBe(false);
    expect(clock.ms).toBeGreaterThanOrEqual(6_000);
    expect(writes).toEqual([]);
  });
});
