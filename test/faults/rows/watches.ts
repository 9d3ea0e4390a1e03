/** What the operator sees of the world is lost, doubled, out of order, or old. */
import { setTimeout as sleep } from "node:timers/promises";
import { waitUntil } from "../../cluster/progress.ts";
import type { Row, Run, Scene } from "../campaign.ts";
import { type Link, startLink } from "../link.ts";
import { patienceMs } from "../user.ts";
import { proxyOf, throughout } from "./acts.ts";

const doubled: Run = throughout("doubled, and delayed by kind", ({ random }) => ({
  onLine: async (line, { plural }) => {
    await sleep((plural.length % 5) * 40 * random());
    return random() < 0.3 ? [line, line] : [line];
  },
}));

/** Lost for good: only a list can find out, which follows a watch's end in time. */
const dropped: Run = {
  name: "one in ten dropped",
  env: { LEMNIS_RELIST_SECONDS: "2" },
  begin: (scene) => {
    const proxy = proxyOf(scene);
    proxy.fault = { onLine: (line) => (scene.random() < 0.1 ? [] : [line]) };
    // Longer than a watch must live so that the next one begins at once.
    const ends = setInterval(() => proxy.endWatches(), 6_000);
    return async () => {
      proxy.fault = {};
      // What the last watch has lost is found by the list after it.
      const before = lists(scene);
      const listed = () => [...before].every(([key, count]) => count < 2 || (lists(scene).get(key) ?? 0) > count);
      const failure = () => new Error("L1: a watch that ends is followed by no list");
      await waitUntil(async () => listed(), { timeoutMs: patienceMs, failure });
      clearInterval(ends);
    };
  },
};

const lists = (scene: Scene) => new Map([...proxyOf(scene).requests].filter(([key]) => key.startsWith("list ")));

/**
 * Lists and watches come from a second API server, whose etcd link is frozen while users go on; writes go to the first.
 * What is made and deleted from such an old view must be asked about first.
 */
function frozen(name: string, { restart }: { restart: boolean }): Run {
  let link: Link | undefined;
  return {
    name,
    begin: async (scene) => {
      link = await startLink(scene.rig.plane.etcdUrl);
      const server = await scene.rig.plane.addApiServer({ etcdUrl: link.url });
      const proxy = proxyOf(scene);
      proxy.fault = { instead: { url: server.url, of: ({ verb }) => verb === "list" || verb === "watch" } };
      proxy.endWatches();
      return async () => {
        proxy.fault = {};
        proxy.endWatches();
        await server.kill();
        await link?.stop();
      };
    },
    beforeStage: (scene, stage) => {
      if (stage.name === "retrain" && link) scene.meanwhile(travel(scene, { link, restart }));
    },
  };
}

async function travel({ user, crew }: Scene, { link, restart }: { link: Link; restart: boolean }): Promise<void> {
  link.freeze();
  await user.thereAndBack("InferenceService", { minReplicas: 3, maxReplicas: 4 });
  await user.deleteAndMake("TrainingJob");
  await user.thereAndBack("Dataset", { source: { uri: "http://host/other.csv" } });
  await user.deleteAndMake("Model");
  if (restart) await crew.kill();
  await sleep(12_000);
  link.thaw();
}

export const watches: readonly Row[] = [
  { fault: "watch events doubled, reordered", runs: [doubled] },
  { fault: "watch events dropped", runs: [dropped] },
  {
    fault: "time travel",
    runs: [
      frozen("a server whose etcd link freezes for 12 s", { restart: false }),
      frozen("the same, and a restart meanwhile", { restart: true }),
    ],
  },
];
