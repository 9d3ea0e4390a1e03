/** API servers that go away, leaders that are cut off or asleep, clocks that differ. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Row, Run, Scene } from "../campaign.ts";
import { isWrite } from "../proxy.ts";
import { skewed } from "./clocks.ts";

function serverKilled(seconds: number): Run {
  return {
    name: `killed for ${seconds} s, its history compacted`,
    beforeStage: async ({ rig, crew, user, history }, { name }) => {
      if (name !== "retrain") return;
      await rig.plane.killApiServer();
      const call = async (path: string, body: object) =>
        (await fetch(`${rig.plane.etcdUrl}/v3/kv/${path}`, { method: "POST", body: JSON.stringify(body) })).json();
      const { header } = (await call("range", { key: "AA==" })) as { header: { revision: string } };
      await call("compaction", { revision: header.revision });
      await sleep(seconds * 1000);
      // What the operator does before the history has listed anew, the history would tell in another order.
      const { promise: told, resolve } = Promise.withResolvers<"pass">();
      for (const proxy of crew.proxies) proxy.fault = { onRequest: () => told };
      try {
        await rig.plane.restartApiServer();
        await history.resume(user.namespace);
      } finally {
        for (const proxy of crew.proxies) proxy.fault = {};
        resolve("pass");
      }
    },
    after: ({ crew }) => crew.proxies.flatMap((proxy) => storm(proxy.requests)),
  };
}

/** A server that is back is not asked for the same list again and again. */
function storm(requests: ReadonlyMap<string, number>): string[] {
  return [...requests]
    .filter(([key, count]) => key.startsWith("list ") && count > 60)
    .map(([key, count]) => `L1: ${count} times ${key}: a storm`);
}

const two = (name: string, act: (scene: Scene, leader: number) => Promise<void>): Run => ({
  name,
  replicas: 2,
  beforeStage: (scene, stage) => {
    if (stage.name === "retrain") scene.meanwhile(scene.crew.leader().then((leader) => act(scene, leader)));
  },
});

const holeMs = 20_000;

const blackHoled = async ({ crew }: Scene, leader: number) => {
  const proxy = crew.proxies[leader];
  if (!proxy) return;
  proxy.fault = { onRequest: async () => sleep(holeMs, "cut" as const), onLine: () => [] };
  await sleep(holeMs);
  proxy.fault = {};
};

const stopped = async ({ crew }: Scene, leader: number) => {
  const operator = crew.operator(leader);
  operator?.signal("SIGSTOP");
  await sleep(holeMs);
  operator?.signal("SIGCONT");
};

/** A write that was on its way when the leader was stopped comes after another leads: its version must refuse it. */
const heldBack = async (scene: Scene, leader: number) => {
  const proxy = scene.crew.proxies[leader];
  if (!proxy) return;
  proxy.fault = {
    onRequest: async (exchange) => {
      if (!isWrite(exchange)) return sleep(holeMs, "cut" as const);
      return sleep(4_000, "pass" as const);
    },
  };
  await sleep(holeMs);
  proxy.fault = {};
};

export const servers: readonly Row[] = [
  { fault: "API server killed, etcd compacted", runs: [serverKilled(5), { ...serverKilled(60), long: true }] },
  { fault: "leader black-holed 20 s, two replicas", runs: [two("while it trains again", blackHoled)] },
  { fault: "leader SIGSTOPped 20 s, two replicas", runs: [two("while it trains again", stopped)] },
  {
    fault: "leader cut off 20 s, its writes 4 s late, two replicas",
    runs: [{ ...two("while it trains again", heldBack), long: true }],
  },
  { fault: "clock offset and rate", runs: [skewed] },
];
