/** Stories that nobody has thought of: specs, edits and mistakes drawn from the schemas. The seed tells the same one again. */
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { apiVersion } from "../../../operator/api/v1alpha1/common.ts";
import { ApiError } from "../../../operator/kube/errors.ts";
import type { KubeObject } from "../../../operator/kube/types.ts";
import { type Step, sequence } from "../../builders/arbitrary.ts";
import { pool } from "../../builders/arbitrary-text.ts";
import { waitUntil } from "../../cluster/progress.ts";
import { resourceOf } from "../../rig/cluster.ts";
import { atRest, type Row, type Run, type Scene, untilQuiet } from "../campaign.ts";
import { difference, endState } from "../end-state.ts";
import { ourKinds, type Seen } from "../history.ts";
import { jobsEnded, tearDown } from "../story.ts";
import { insist, patienceMs } from "../user.ts";
import { proxyOf } from "./acts.ts";

/** So many requests may a step cost, and so many a process that begins. */
const [requestsPerStep, requestsPerStart] = [120, 60];

function generated(number: number): Run {
  return {
    name: `story ${number}`,
    play: async (scene) => {
      const { user, crew } = scene;
      const steps = tell(scene);
      await furnish(scene);
      const found: string[] = [];
      for (const step of steps) {
        const trouble = await perform(scene, step);
        if (trouble) found.push(trouble);
        await sleep(scene.random() * 150);
      }
      // Data that nobody has looked at is seen by those alone who begin anew.
      for (const { metadata } of await user.list("Dataset"))
        await user.meddle("Dataset", metadata.name, { metadata: { annotations: { "lemnis.dev/refresh": "the-end" } } });
      await untilSettled(scene);
      const starts = crew.restarts + 1;
      const requests = [...proxyOf(scene).requests.values()].reduce((sum, count) => sum + count, 0);
      scene.note(`${steps.length} steps, ${requests} requests`);
      if (requests > steps.length * requestsPerStep + starts * requestsPerStart)
        found.push(`L1: ${requests} requests for ${steps.length} steps: a hot loop`);
      const state = await endState(user);
      found.push(...(await atRest(scene)));
      const restarted = difference(state, await endState(user));
      if (restarted) found.push(`L1: a restart changed the end state: ${restarted}`);
      const verdicts = await verdictsOf(scene);
      const specs = (await Promise.all(ourKinds.map((kind) => user.list(kind)))).flat();
      await tearDown(user);
      for (const { kind, metadata, spec } of specs)
        await apply(scene, { kind, name: metadata.name, spec }, metadata.annotations);
      await untilSettled(scene);
      const anew = difference(verdicts, await verdictsOf(scene));
      if (anew) found.push(`L1: what is made anew of the last specs is otherwise: ${anew}`);
      await tearDown(user);
      return found;
    },
  };
}

/** Of some stories the longest. */
function tell({ random }: Scene): Step[] {
  const stories = fc.sample(sequence(25), { seed: Math.floor(random() * 2 ** 31), numRuns: 5 });
  const [longest = []] = stories.toSorted((a, b) => b.length - a.length);
  return longest.map((step) => ("spec" in step ? ({ ...step, spec: calm(step.spec) } as Step) : step));
}

/** At rest no schedule is due. */
function calm(spec: Record<string, unknown>): object {
  const { schedule } = spec;
  return /^\*(\/15)? \* /.test(String(schedule)) ? { ...spec, schedule: "0 3 * * 1" } : spec;
}

/** What the stories speak of, beside our kinds. */
async function furnish({ rig, user: { namespace } }: Scene): Promise<void> {
  const put = (kind: string, name: string, fields: object) => {
    const object = { apiVersion: "v1", kind, metadata: { name, namespace }, ...fields } as KubeObject;
    return insist(() => rig.client.apply(resourceOf(kind), object, { manager: "kubectl" }));
  };
  for (const name of pool.configMaps) await put("ConfigMap", name, { data: { "train.py": "print(1)" } });
  for (const name of pool.secrets) await put("Secret", name, { stringData: { AWS_ACCESS_KEY_ID: "a" } });
}

/** Returns what should not have happened. */
async function perform(scene: Scene, step: Step): Promise<string | undefined> {
  const { user, crew } = scene;
  switch (step.verb) {
    case "apply":
      // Where the last member of a map goes, a server-side apply leaves null, and is refused.
      if (!(await refusal(apply(scene, step)))) return undefined;
      return refusal(replace(scene, step)).then((error) => error && `L1: ${step.kind} was refused: ${error.message}`);
    case "applyInvalid":
      return refusal(apply(scene, step)).then((error) =>
        error ? undefined : `${step.kind} with a wrong ${step.path} was taken`,
      );
    case "delete":
      return void (await user.delete(step.kind, step.name));
    case "annotate":
      if (await user.find(step.kind, step.name))
        await user.meddle(step.kind, step.name, { metadata: { annotations: step.annotations } });
      return undefined;
    case "newData":
      return void user.player.data.set(user.namespace, step.data);
    case "restartOperator":
      return void (await crew.kill());
  }
}

function apply(
  { rig, user }: Scene,
  { kind, name, spec }: { kind: string; name: string; spec: object },
  annotations?: object,
) {
  const metadata = { name, namespace: user.namespace, ...(annotations ? { annotations } : {}) };
  const object = { apiVersion, kind, metadata, spec } as unknown as KubeObject;
  return rig.client.apply(resourceOf(kind), object, { manager: "kubectl" });
}

function replace({ rig, user }: Scene, { kind, name, spec }: { kind: string; name: string; spec: object }) {
  return insist(async () => {
    const found = await user.get(kind, name);
    return rig.client.replace(resourceOf(kind), { ...found, spec } as KubeObject);
  });
}

/** What a server-side apply of an unknown field, or of another type, is answered with: a 500. */
const untyped = /failed to create typed patch object/;

/** The API server's no; what is no answer at all is thrown. */
async function refusal(work: Promise<unknown>): Promise<ApiError | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    const isRefusal = error instanceof ApiError && ([400, 422].includes(error.status) || untyped.test(error.message));
    if (isRefusal) return error;
    throw error;
  }
}

/**
 * What is to be the same however it came about: each object's reason, and what serves. A version that keeps serving while
 * the one that is asked for can't be had, a number that an autoscaler chose, and versions of old, are history.
 */
async function verdictsOf({ user }: Scene): Promise<string> {
  const objects = (await Promise.all(ourKinds.map((kind) => user.list(kind)))).flat();
  const lines = objects.map(({ kind, metadata, status }) => {
    const conditions: Seen[] = status?.conditions ?? [];
    const reason = conditions.find(({ type }) => type === "Ready")?.reason;
    const stalled = conditions.some(({ type }) => type === "Stalled") ? ", stalled" : "";
    const serves = reason === "Serving" ? `, ${status.revisions[0].name}` : "";
    return `${kind} ${metadata.name}: ${reason}${stalled}${serves}`;
  });
  return lines.sort().join("\n");
}

async function untilSettled(scene: Scene): Promise<void> {
  const { user } = scene;
  const observed = async () => {
    const objects = (await Promise.all(ourKinds.map((kind) => user.list(kind)))).flat();
    return objects.every(({ metadata, status }) => status?.observedGeneration === metadata.generation);
  };
  const failure = () => new Error("S6: not every object has been looked at");
  await waitUntil(observed, { timeoutMs: patienceMs, failure });
  await jobsEnded(user);
  await untilQuiet(scene);
}

const stories = 20;
export const generatedStories: readonly Row[] = [
  {
    fault: "generated stories",
    runs: Array.from({ length: stories }, (_, index) => ({
      ...generated(index + 1),
      ...(index < 2 ? {} : { long: true }),
    })),
  },
];
