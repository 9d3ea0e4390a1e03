/** What the operator sees of the world is lost, doubled, out of order, or old. */
import { setTimeout as sleep } from "node:timers/promises";
import { waitUntil } from "../../cluster/progress.ts";
import { type Row, type Run, type Scene, untilQuiet, writtenSince } from "../campaign.ts";
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
      await untilListed(scene, lists(scene));
      clearInterval(ends);
    };
  },
  after: async (scene) => {
    await untilQuiet(scene);
    const [before, { length }] = [lists(scene), scene.crew.writes()];
    proxyOf(scene).endWatches();
    await untilListed(scene, before);
    return writtenSince(scene, length, "all has been listed again");
  },
};

/** Waits until each list that there has been is made once more. */
async function untilListed(scene: Scene, before: ReadonlyMap<string, number>): Promise<void> {
  const listed = () => [...before].every(([key, count]) => count < 2 || (lists(scene).get(key) ?? 0) > count);
  const failure = () => new Error("L1: a watch that ends is followed by no list");
  await waitUntil(async () => listed(), { timeoutMs: patienceMs, failure });
}

const lists = (scene: Scene) => new Map([...proxyOf(scene).requests].filter(([key]) => key.startsWith("list ")));

/** Until a revision is removed that the operator sees drain when its time stops; and how long that lasts. */
const [drainSeconds, frozenMs] = [4, 12_000];

/**
 * Lists and watches come from a second API server, whose etcd link is frozen while users go on; writes go to the first.
 * What is made and deleted from such an old view must be asked about first.
 */
function frozen(name: string, { restart }: { restart: boolean }): Run {
  let link: Link | undefined;
  return {
    ...{ name, waits: true, env: { LEMNIS_DRAIN_SECONDS: String(drainSeconds) } },
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
    beforeStage: async (scene, { name }) => {
      if (name !== "roll forward" || !link) return;
      // The operator has seen what it wrote last: that a revision drains.
      await sleep(500);
      link.freeze();
      scene.meanwhile(travel(scene, link, restart));
    },
  };
}

/** Nothing that the operator has seen is as it was: it may make and delete nothing. */
async function travel(scene: Scene, link: Link, restart: boolean): Promise<void> {
  const { user, crew, history, met } = scene;
  const proxy = proxyOf(scene);
  proxy.fault.onRequest = ({ verb, plural }) => {
    const asks = restart ? verb === "list" : ["get", "delete"].includes(verb) && plural !== "leases";
    if (asks) met();
    return "pass";
  };
  await user.thereAndBack("InferenceService", { minReplicas: 3, maxReplicas: 4 });
  await user.deleteAndMake("TrainingJob");
  await user.thereAndBack("Dataset", { source: { uri: "http://host/other.csv" } });
  await user.deleteAndMake("Model");
  const changedAt = performance.now();
  if (restart) await crew.kill();
  await sleep(frozenMs);
  const writes = crew.changes().filter(({ write: { sentAt } }) => sentAt > changedAt);
  link.thaw();
  delete proxy.fault.onRequest;
  const made = new Set(history.happenings.filter(({ type }) => type === "added").map(({ revision }) => `${revision}`));
  const blind = writes.find(
    ({ write: { verb, resourceVersion = "" } }) => verb === "delete" || made.has(resourceVersion),
  );
  if (!blind) return;
  const { sentAt, verb, plural, name } = blind.write;
  throw new Error(`L1: ${verb} ${plural} ${name} from a view that was old for ${Math.round(sentAt - changedAt)} ms`);
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
