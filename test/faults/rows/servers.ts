/** API servers that go away, leaders that are cut off or asleep, clocks that differ. */
import { setTimeout as sleep } from "node:timers/promises";
import { waitUntil } from "../../cluster/progress.ts";
import type { Row, Run, Scene } from "../campaign.ts";
import { isWrite } from "../proxy.ts";
import { serves } from "../story.ts";
import { patienceMs } from "../user.ts";
import { heal } from "./acts.ts";
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
        // No watch tells the operator of it: a list alone can find out.
        await user.delete("HorizontalPodAutoscaler");
        await user.deleteAndMake("InferenceService");
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

/** Longer than the Lease and the next try of another to take it. */
const heldMs = 17_000;

/** A write that was on its way when the leader was cut off comes when another leads: its version must refuse it. */
const heldBack = async (scene: Scene, leader: number) => {
  const proxy = scene.crew.proxies[leader];
  if (!proxy) return;
  proxy.fault = {
    onRequest: async (exchange) => {
      if (!isWrite(exchange)) return sleep(holeMs, "cut" as const);
      scene.met();
      return sleep(heldMs, "pass" as const);
    },
  };
  await sleep(holeMs);
  proxy.fault = {};
};

/** A revision has its traffic again, by the next leader, when its deletion comes. */
function deletionHeldBack(): Run {
  let sent = Promise.withResolvers<void>();
  return {
    name: "the deletion of a revision that is wanted again",
    ...{ replicas: 2, waits: true },
    beforeStage: async (scene, { name }) => {
      if (name === "roll forward") {
        await sent.promise;
        const scaled = { minReplicas: 2, maxReplicas: 3 };
        await scene.user.apply("InferenceService", { ...scaled, modelRef: { name: "wine", version: 2 } });
        await scene.user.until("InferenceService", serves(2));
        const failure = () => new Error("a write that is held back does not come");
        await waitUntil(async () => scene.crew.underWay() === 0, { timeoutMs: patienceMs, failure });
      }
      if (name !== "roll back") return;
      sent = Promise.withResolvers<void>();
      const proxy = scene.crew.proxies[await scene.crew.leader()];
      if (!proxy) return;
      proxy.fault = {
        onRequest: async ({ verb, plural }) => {
          if (verb !== "delete" || plural !== "deployments") return "pass";
          proxy.fault = { onRequest: async () => sleep(holeMs, "cut" as const) };
          scene.meanwhile(sleep(holeMs).then(heal(scene)));
          sent.resolve();
          scene.met();
          return sleep(holeMs, "pass" as const);
        },
      };
    },
  };
}

export const servers: readonly Row[] = [
  { fault: "API server killed, etcd compacted", runs: [serverKilled(5), { ...serverKilled(60), long: true }] },
  { fault: "leader black-holed 20 s, two replicas", runs: [two("while it trains again", blackHoled)] },
  { fault: "leader SIGSTOPped 20 s, two replicas", runs: [two("while it trains again", stopped)] },
  {
    fault: "leader cut off 20 s, its writes later still, two replicas",
    runs: [
      { ...two("while it trains again", heldBack), long: true, waits: true },
      { ...deletionHeldBack(), long: true },
    ],
  },
  { fault: "clock offset and rate", runs: [skewed] },
];
