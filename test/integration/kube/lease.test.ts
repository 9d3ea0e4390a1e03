/** Two processes, one Lease, a real API server: one leads, the other takes over, and never do both write. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KubeClient } from "../../../operator/kube/client.ts";
import { NotLeaderError } from "../../../operator/kube/errors.ts";
import { Elector } from "../../../operator/kube/lease.ts";
import { configMaps } from "../../../operator/kube/resources.ts";
import type { Clock } from "../../../operator/runtime/clock.ts";
import { clientOf, configMap, namespace, startWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

/** A clock that the test moves: a sleep ends at once and moves it, so that a lease's 15 s take none. */
class TestClock implements Clock {
  #ms = 0;
  now = () => new Date(Date.UTC(2026, 2, 1) + this.#ms);
  monotonicMs = () => this.#ms;
  advance(ms: number): void {
    this.#ms += ms;
  }
  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (!signal?.aborted) this.advance(ms);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function elector(name: string, identity: string, client: KubeClient = world.client) {
  const clock = new TestClock();
  const lost: string[] = [];
  const options = { namespace, name, identity, clock, onLost: () => lost.push(identity) };
  return { elector: new Elector(client, options), clock, lost };
}

const never = new AbortController().signal;

test("the first one leads; the second waits the whole lease out, by its own clock, and then leads", async () => {
  const [first, second] = [elector("takeover", "a"), elector("takeover", "b")];
  expect(await first.elector.acquire(never)).toBe(true);
  expect(first.elector.isLeader()).toBe(true);
  expect(await second.elector.acquire(never)).toBe(true);
  expect(second.clock.monotonicMs()).toBeGreaterThan(15_000);
  // The first one has heard nothing; its own clock tells it.
  first.clock.advance(10_000);
  expect(first.elector.isLeader()).toBe(false);
});

test("a lease that is let go is taken at the next try", async () => {
  const [first, second] = [elector("release", "a"), elector("release", "b")];
  await first.elector.acquire(never);
  await first.elector.release();
  expect(first.elector.isLeader()).toBe(false);
  await second.elector.acquire(never);
  expect(second.clock.monotonicMs()).toBeLessThan(2_500);
});

test("of many that begin at once, one leads", async () => {
  const all = Array.from({ length: 5 }, (_, index) => elector("race", `e${index}`));
  const stop = new AbortController();
  const races = all.map(({ elector }) => elector.acquire(stop.signal));
  expect(await Promise.race(races)).toBe(true);
  stop.abort();
  expect((await Promise.all(races)).filter(Boolean)).toHaveLength(1);
});

describe("a leader", () => {
  test("that keeps renewing leads on, and its lease is its own", async () => {
    const { elector: leader, clock, lost } = elector("keep", "a");
    await leader.acquire(never);
    const stop = new AbortController();
    const keeping = leader.keep(stop.signal);
    while (clock.monotonicMs() < 40_000) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(leader.isLeader()).toBe(true);
    stop.abort();
    await keeping;
    expect(lost).toEqual([]);
  });

  test("that can't renew says so, and sends no write after it", async () => {
    const server = await world.plane.addApiServer();
    const own = clientOf(server);
    const { elector: leader, lost } = elector("lost", "a", own);
    await leader.acquire(never);
    const guarded = clientOf(world.plane, { writeGuard: leader.guard });
    await guarded.apply(configMaps, configMap("written-while-leading"));
    await server.kill();
    await leader.keep(never);
    expect(lost).toEqual(["a"]);
    expect(() => leader.guard()).toThrow(NotLeaderError);
    await expect((async () => guarded.apply(configMaps, configMap("not-written")))()).rejects.toThrow(NotLeaderError);
    await expect(world.client.get(configMaps, namespace, "not-written")).rejects.toThrow(/404/);
    await Promise.all([own.close(), guarded.close()]);
  });

  test("whose lease another has taken finds out at its next renewal", async () => {
    const [first, second] = [elector("stolen", "a"), elector("stolen", "b")];
    await first.elector.acquire(never);
    await second.elector.acquire(never);
    await first.elector.keep(never);
    expect(first.lost).toEqual(["a"]);
    expect(second.lost).toEqual([]);
  });
});
