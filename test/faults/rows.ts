/** The faults: what is done to the operator while the story goes on. */
import { setTimeout as sleep } from "node:timers/promises";
import type { KubeObject } from "../../operator/kube/types.ts";
import { resourceOfPlural } from "../rig/cluster.ts";
import type { Run, Scene } from "./campaign.ts";
import { type Exchange, type Fate, isWrite, type Write } from "./proxy.ts";
import { specs } from "./story.ts";

export interface Row {
  fault: string;
  /** `writes`: those of the undisturbed story. */
  runs: (writes: readonly Write[]) => Run[];
}

const proxyOf = ({ crew }: Scene) => {
  const [proxy] = crew.proxies;
  if (!proxy) throw new Error("a crew has at least one replica");
  return proxy;
};
const heal = (scene: Scene) => () => {
  for (const proxy of scene.crew.proxies) proxy.fault = {};
};

function killBefore(index: number): Run {
  return {
    name: `before write ${index + 1}`,
    begin: (scene) => {
      let count = 0;
      proxyOf(scene).fault = {
        onRequest: async (exchange): Promise<Fate> => {
          if (!isWrite(exchange) || count++ !== index) return "pass";
          await scene.crew.kill();
          return "cut";
        },
      };
      return heal(scene);
    },
  };
}

function killAfter(index: number): Run {
  return {
    name: `after write ${index + 1}, before its answer`,
    begin: (scene) => {
      let count = 0;
      proxyOf(scene).fault = {
        onWritten: async (): Promise<Fate> => {
          if (count++ !== index) return "pass";
          await scene.crew.kill();
          return "cut";
        },
      };
      return heal(scene);
    },
  };
}

/** Each process writes once: it is killed as soon as its first write is committed. */
const killAfterEach: Run = {
  name: "after each write of each process",
  begin: (scene) => {
    proxyOf(scene).fault = {
      onWritten: async (): Promise<Fate> => {
        await scene.crew.kill();
        return "cut";
      },
    };
    return heal(scene);
  },
};

const status = (code: number, reason: string, message: string, details: object = {}) => ({
  status: code,
  ...(code === 429 ? { headers: { "retry-after": "1" } } : {}),
  body: { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message, details },
});

function refuse(name: string, share: number, fault: (exchange: Exchange) => ReturnType<typeof status>): Run {
  return {
    name,
    begin: (scene) => {
      const onRequest = (exchange: Exchange) =>
        isWrite(exchange) && scene.random() < share ? fault(exchange) : ("pass" as const);
      proxyOf(scene).fault = { onRequest };
      return heal(scene);
    },
  };
}

/** Somebody else changes the object just before the operator does, twice an object. */
const rival: Run = {
  name: "a rival before each write",
  begin: (scene) => {
    const met = new Map<string, number>();
    proxyOf(scene).fault = {
      onRequest: async (exchange): Promise<Fate> => {
        const { plural, namespace, name = "", verb, subresource = "" } = exchange;
        const key = `${plural} ${name} ${subresource}`;
        const times = met.get(key) ?? 0;
        if (verb !== "patch" || plural === "leases" || times >= 2) return "pass";
        met.set(key, times + 1);
        const resource = resourceOfPlural(plural);
        const found = await scene.rig.client.get(resource, namespace, name).catch(() => undefined);
        if (!found) return "pass";
        const { apiVersion, kind } = found;
        const metadata = {
          name,
          ...(namespace ? { namespace } : {}),
          annotations: { rival: key.concat(String(times)) },
        };
        await scene.rig.client.apply(resource, { apiVersion, kind, metadata } as KubeObject, { manager: "rival" });
        return "pass";
      },
    };
    return heal(scene);
  },
};

function slow(ms: number): Run {
  return {
    name: `${ms} ms an answer`,
    begin: (scene) => {
      proxyOf(scene).fault = {
        onRequest: async ({ verb }): Promise<Fate> => {
          if (verb !== "watch") await sleep(ms);
          return "pass";
        },
      };
      return heal(scene);
    },
  };
}

const doubled: Run = {
  name: "doubled, and delayed by kind",
  begin: (scene) => {
    proxyOf(scene).fault = {
      onLine: async (line, { plural }) => {
        await sleep((plural.length % 5) * 40 * scene.random());
        return scene.random() < 0.3 ? [line, line] : [line];
      },
    };
    return heal(scene);
  },
};

/** Lost for good: only a list can find out, which follows a watch's end in time. */
const dropped: Run = {
  name: "one in ten dropped",
  env: { LEMNIS_RELIST_SECONDS: "2" },
  begin: (scene) => {
    const proxy = proxyOf(scene);
    proxy.fault = { onLine: (line) => (scene.random() < 0.1 ? [] : [line]) };
    const ends = setInterval(() => proxy.endWatches(), 3_000);
    return async () => {
      proxy.fault = {};
      await sleep(4_000);
      clearInterval(ends);
    };
  },
};

const serverKilled: Run = {
  name: "killed for 5 s, its history compacted",
  beforeStage: async ({ rig }, { name }) => {
    if (name !== "retrain") return;
    await rig.plane.killApiServer();
    const call = async (path: string, body: object) =>
      (await fetch(`${rig.plane.etcdUrl}/v3/kv/${path}`, { method: "POST", body: JSON.stringify(body) })).json();
    const { header } = (await call("range", { key: "AA==" })) as { header: { revision: string } };
    await call("compaction", { revision: header.revision });
    await sleep(5_000);
    await rig.plane.restartApiServer();
  },
};

/** The user changes their mind, there and back, while the operator is between two writes. */
function changedMind(index: number): Run {
  return {
    name: `edited there and back after write ${index + 1}`,
    begin: (scene) => {
      let count = 0;
      proxyOf(scene).fault = {
        onWritten: async (): Promise<Fate> => {
          if (count++ !== index) return "pass";
          const found = await scene.user.get("InferenceService");
          await scene.user.apply("InferenceService", { ...specs.service, minReplicas: 4 });
          await scene.user.apply("InferenceService", found.spec);
          return "pass";
        },
      };
      return heal(scene);
    },
  };
}

const two = (replicas: number, act: (scene: Scene, leader: number) => Promise<void>, name: string): Run => ({
  name,
  replicas,
  beforeStage: async (scene, stage) => {
    if (stage.name === "retrain") void scene.crew.leader().then((leader) => act(scene, leader));
  },
});

const blackHoled = async ({ crew }: Scene, leader: number) => {
  const proxy = crew.proxies[leader];
  if (!proxy) return;
  proxy.fault = { onRequest: async () => sleep(20_000, "cut" as const) };
  await sleep(20_000);
  proxy.fault = {};
};
const stopped = async ({ crew }: Scene, leader: number) => {
  const operator = crew.operator(leader);
  operator?.signal("SIGSTOP");
  await sleep(20_000);
  operator?.signal("SIGCONT");
};

const throttled = status(429, "TooManyRequests", "come again", { retryAfterSeconds: 1 });
export const rows: readonly Row[] = [
  { fault: "SIGKILL before a write", runs: (writes) => writes.map((_, index) => killBefore(index)) },
  { fault: "SIGKILL after a commit", runs: (writes) => [killAfterEach, ...writes.map((_, index) => killAfter(index))] },
  { fault: "watch events doubled, reordered", runs: () => [doubled] },
  { fault: "watch events dropped", runs: () => [dropped] },
  { fault: "API server killed, etcd compacted", runs: () => [serverKilled] },
  { fault: "409, a rival writer", runs: () => [rival] },
  { fault: "429 with Retry-After", runs: () => [refuse("a third of the writes", 0.33, () => throttled)] },
  { fault: "500", runs: () => [refuse("a third", 0.33, () => status(500, "InternalError", "etcd is away"))] },
  {
    fault: "commit, then 504",
    runs: () => [
      {
        name: "a third of the writes",
        begin: (scene) => {
          const lost = status(504, "Timeout", "the request timed out");
          proxyOf(scene).fault = { onWritten: () => (scene.random() < 0.33 ? lost : "pass") };
          return heal(scene);
        },
      },
    ],
  },
  { fault: "API server slow", runs: () => [slow(300), slow(1_000)] },
  { fault: "leader black-holed 20 s, two replicas", runs: () => [two(2, blackHoled, "while it trains again")] },
  { fault: "leader SIGSTOPped 20 s, two replicas", runs: () => [two(2, stopped, "while it trains again")] },
  { fault: "edited there and back", runs: (writes) => writes.map((_, index) => changedMind(index)) },
];
