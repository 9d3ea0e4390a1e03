/** The API server answers otherwise than it should, or late. */
import { setTimeout as sleep } from "node:timers/promises";
import type { KubeObject } from "../../../operator/kube/types.ts";
import { waitUntil } from "../../cluster/progress.ts";
import { resourceOfPlural } from "../../rig/cluster.ts";
import type { Row, Run, Scene } from "../campaign.ts";
import { type Exchange, type Fate, isWrite } from "../proxy.ts";
import { patienceMs } from "../user.ts";
import { heal, proxyOf, refusal, throughout } from "./acts.ts";

const refuse = (name: string, answer: ReturnType<typeof refusal>): Run =>
  throughout(name, ({ random }) => ({
    onRequest: (exchange) => (isWrite(exchange) && random() < 0.33 ? answer : "pass"),
  }));

const committed: Run = throughout("a third of the writes", ({ random }) => ({
  onWritten: () => (random() < 0.33 ? refusal(504, "Timeout", "the request timed out") : "pass"),
}));

/** How often the rival comes before the operator, an object. */
const rivalTimes = 2;

/** Somebody else changes the object just before the operator does. No retry of the operator's is hot. */
const rival: Run = {
  ...throughout("a rival before each write", (scene) => {
    const met = new Map<string, number>();
    return {
      onRequest: async (exchange): Promise<Fate> => {
        const key = keyOf(exchange);
        const times = met.get(key) ?? 0;
        if (exchange.verb !== "patch" || !isWrite(exchange) || times >= rivalTimes) return "pass";
        met.set(key, times + 1);
        await annotate(scene, exchange, `${key} ${times}`);
        return "pass";
      },
    };
  }),
  after: (scene) => {
    const conflicts = Map.groupBy(
      proxyOf(scene).writes.filter(({ status }) => status === 409),
      keyOf,
    );
    return [...conflicts]
      .filter(([, { length }]) => length > 2 * rivalTimes)
      .map(([key, { length }]) => `L1: ${key} met ${length} conflicts, and a rival ${rivalTimes} times`);
  },
};

const keyOf = ({ plural, name = "", subresource = "" }: Exchange) => `${plural} ${name} ${subresource}`;

async function annotate({ rig }: Scene, { plural, namespace, name = "" }: Exchange, value: string): Promise<void> {
  const resource = resourceOfPlural(plural);
  const found = await rig.client.get(resource, namespace, name).catch(() => undefined);
  if (!found) return;
  const { apiVersion, kind } = found;
  const metadata = { name, ...(namespace ? { namespace } : {}), annotations: { rival: value } };
  await rig.client.apply(resource, { apiVersion, kind, metadata } as KubeObject, { manager: "rival" });
}

const late = async ({ verb }: Exchange, ms: number): Promise<Fate> => {
  if (verb !== "watch") await sleep(ms);
  return "pass";
};
const slow = (ms: number): Run =>
  throughout(`${ms} ms an answer`, () => ({ onRequest: (exchange) => late(exchange, ms) }));

/** Slower than the operator may wait: it ends itself, and writes nothing after its time. */
const fenced: Run = {
  name: "20 s an answer, until the leader has ended itself",
  beforeStage: (scene, { name }) => {
    if (name !== "retrain") return;
    const { restarts } = scene.crew;
    proxyOf(scene).fault = { onRequest: (exchange) => late(exchange, 20_000) };
    const failure = () => new Error("S7: the leader goes on though it can't renew its lease");
    const ended = waitUntil(async () => scene.crew.restarts > restarts, { timeoutMs: patienceMs, failure });
    scene.meanwhile(ended.finally(heal(scene)));
  },
};

const throttled = refusal(429, "TooManyRequests", "come again", { retryAfterSeconds: 1 });

export const answers: readonly Row[] = [
  { fault: "409, a rival writer", runs: [rival] },
  { fault: "429 with Retry-After", runs: [refuse("a third of the writes", throttled)] },
  { fault: "500", runs: [refuse("a third of the writes", refusal(500, "InternalError", "etcd is away"))] },
  { fault: "commit, then 504", runs: [committed] },
  { fault: "API server slow", runs: [slow(300), { ...slow(1_000), long: true }, fenced] },
];
