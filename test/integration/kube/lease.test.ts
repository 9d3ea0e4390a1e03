/** Two processes, one Lease, a real API server: one leads, the other takes over, and never do both write. */
import { setTimeout as sleep } from "node:timers/promises";
import { KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KubeClient } from "../../../operator/kube/client.ts";
import { NotLeaderError } from "../../../operator/kube/errors.ts";
import { Leadership } from "../../../operator/kube/leadership.ts";
import { Elector } from "../../../operator/kube/lease.ts";
import { Term } from "../../../operator/kube/lease-term.ts";
import { configMaps, leases } from "../../../operator/kube/resources.ts";
import type { KubeObject } from "../../../operator/kube/types.ts";
import type { Clock } from "../../../operator/runtime/clock.ts";
import type { ApiServer } from "../../cluster/control-plane.ts";
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
  return { elector: new Elector(client, { namespace, name, identity, clock, term: new Term(clock) }), clock };
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

test("a leader that keeps renewing leads on", async () => {
  const { elector: leader, clock } = elector("keep", "a");
  await leader.acquire(never);
  const stop = new AbortController();
  const keeping = leader.keep(stop.signal);
  while (clock.monotonicMs() < 40_000) await sleep(5);
  expect(leader.isLeader()).toBe(true);
  stop.abort();
  await keeping;
});

test("a leader whose lease another has taken finds out at its next renewal", async () => {
  const [first, second] = [elector("stolen", "a"), elector("stolen", "b")];
  await first.elector.acquire(never);
  await second.elector.acquire(never);
  await first.elector.keep(never);
  expect([first.elector.isLeader(), second.elector.isLeader()]).toEqual([false, true]);
});

describe("the thread that keeps the lease", () => {
  function lead(name: string, identity: string, { kubeconfig }: Pick<ApiServer, "kubeconfig"> = world.plane) {
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    const lost = Promise.withResolvers<Error | undefined>();
    return {
      leadership: new Leadership(config, { namespace, name, identity, onLost: lost.resolve }),
      lost: lost.promise,
    };
  }
  const holder = async (name: string) =>
    (await world.client.get<KubeObject & { spec: { holderIdentity: string } }>(leases, namespace, name)).spec
      .holderIdentity;

  test("renews it while the main thread is busy for longer than the lease", async () => {
    const { leadership } = lead("busy", "a");
    expect(await leadership.acquire(never)).toBe(true);
    const until = performance.now() + 16_000;
    while (performance.now() < until);
    expect(leadership.isLeader()).toBe(true);
    await leadership.release();
  });

  test("lets it go when it is told to, and no write is let through any more", async () => {
    const [first, second] = [lead("given", "a"), lead("given", "b")];
    await first.leadership.acquire(never);
    first.leadership.guard();
    await first.leadership.release();
    expect(() => first.leadership.guard()).toThrow(NotLeaderError);
    expect(await holder("given")).toBe("");
    expect(await second.leadership.acquire(never)).toBe(true);
    await second.leadership.release();
  });

  test("gives up waiting when it is told to", async () => {
    const [first, second] = [lead("waiting", "a"), lead("waiting", "b")];
    await first.leadership.acquire(never);
    const stop = new AbortController();
    const waiting = second.leadership.acquire(stop.signal);
    stop.abort();
    expect(await waiting).toBe(false);
    expect(await holder("waiting")).toBe("a");
    await first.leadership.release();
  });

  test("says when it can't be renewed, and no write is let through after it", async () => {
    const server = await world.plane.addApiServer();
    const { leadership, lost } = lead("lost", "a", server);
    await leadership.acquire(never);
    const guarded = clientOf(world.plane, { writeGuard: leadership.guard });
    await guarded.apply(configMaps, configMap("written-while-leading"));
    await server.kill();
    await lost;
    await expect((async () => guarded.apply(configMaps, configMap("not-written")))()).rejects.toThrow(NotLeaderError);
    await expect(world.client.get(configMaps, namespace, "not-written")).rejects.toThrow(/404/);
    await guarded.close();
  });
});
