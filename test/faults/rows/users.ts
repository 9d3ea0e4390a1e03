/** Users and other managers act while the operator works. */

import type { KubeObject } from "../../../operator/kube/types.ts";
import { waitUntil } from "../../cluster/progress.ts";
import { resourceOf } from "../../rig/cluster.ts";
import { atRest, type Row, type Run, type Scene, untilQuiet } from "../campaign.ts";
import { difference, endState } from "../end-state.ts";
import { childKinds, ourKinds, type Seen } from "../history.ts";
import type { Fate } from "../proxy.ts";
import { isReady, settle, specs, stages, tearDown } from "../story.ts";
import { insist, patienceMs } from "../user.ts";
import { counted, proxyOf, throughout } from "./acts.ts";

/** The user acts while the operator waits for its write's answer. */
function afterWrite(index: number, name: string, act: (scene: Scene) => Promise<void>): Run {
  const run = throughout(`${name} after write ${index + 1}`, (scene) => {
    const isIt = counted(scene, index);
    return {
      onWritten: async (write): Promise<Fate> => {
        if (isIt(write)) await act(scene);
        return "pass";
      },
    };
  });
  return { ...run, waits: true };
}

const changedMind = (index: number) =>
  afterWrite(index, "there and back", ({ user }) =>
    user.thereAndBack("InferenceService", { minReplicas: 3, maxReplicas: 4 }),
  );

/** All kinds by turns. */
const madeAgain = (index: number) => {
  const kind = ourKinds[index % ourKinds.length] ?? "Model";
  return afterWrite(index, kind, ({ user }) => user.deleteAndMake(kind));
};

/** What a rival makes of a child; the operator makes it what it was, and nobody's edit comes back. */
const edits: Record<string, object> = {
  Service: { spec: { selector: { "lemnis.dev/workload": "elsewhere" } } },
  Deployment: { spec: { replicas: 0 } },
  HorizontalPodAutoscaler: { spec: { maxReplicas: 9 } },
  PodDisruptionBudget: { spec: { maxUnavailable: 5 } },
};

/** Each edit is put right, and by one write. */
async function drift(scene: Scene): Promise<void> {
  const { user, crew } = scene;
  await untilQuiet(scene);
  const [state, before] = [await endState(user), crew.changes().length];
  for (const [kind, edit] of Object.entries(edits))
    for (const child of await user.list(kind)) await user.meddle(kind, child.metadata.name, edit);
  await untilQuiet(scene);
  const stays = difference(state, await endState(user));
  if (stays) throw new Error(`L1: an edit of a child stays: ${stays}`);
  const edited = Object.keys(edits).map((kind) => resourceOf(kind).plural);
  const repairs = crew
    .changes()
    .slice(before)
    .filter(({ write: { plural } }) => edited.includes(plural));
  for (const [child, { length }] of Map.groupBy(repairs, ({ write: { plural, name } }) => `${plural} ${name}`))
    if (length > 1) throw new Error(`L1: one edit of ${child} was put right ${length} times`);
}

const meddled: Run = {
  name: "edited with force, and deleted, after each stage",
  beforeStage: async (scene, { name }) => {
    const { user } = scene;
    if (name === "create") return;
    await settle(user);
    await drift(scene);
    for (const kind of childKinds) for (const child of await user.list(kind)) await remove(scene, child);
    await settle(user);
  },
  after: ({ crew }) => {
    const plurals = childKinds.map((kind) => resourceOf(kind).plural);
    const ofChildren = crew.writes().filter(({ write: { plural } }) => plurals.includes(plural));
    const times = Map.groupBy(ofChildren, ({ write: { verb, plural, name } }) => `${verb} ${plural} ${name}`);
    return [...times]
      .filter(([, { length }]) => length > 20)
      .map(
        ([key, writes]) =>
          `L1: ${writes.length} times ${key}: a fight; answered ${[...Map.groupBy(writes, ({ write }) => write.status)].map(([status, { length }]) => `${length} × ${status}`).join(", ")}`,
      );
  },
};

const remove = ({ user }: Scene, { kind, metadata: { name } }: Seen) => user.delete(kind, name);

/** The namespace goes while all is being made: nothing more can be made there, and nobody insists. */
const namespaceGone: Run = {
  name: "while the model is trained",
  play: async (scene) => {
    const { user, rig } = scene;
    const namespaces = resourceOf("Namespace");
    void stages[0]?.run(user).catch(() => undefined);
    const begun = async () =>
      (await user.list("Job")).some(({ metadata }) => metadata.name.startsWith("wine-snapshot"));
    await waitUntil(begun, { timeoutMs: patienceMs, failure: () => new Error("L1: nothing is begun") });
    const { metadata } = await insist(() => rig.client.get<KubeObject>(namespaces, undefined, user.namespace));
    await insist(() => rig.client.delete(namespaces, { name: metadata.name, uid: metadata.uid ?? "" }));
    const gone = async () => {
      const { items } = await insist(() => rig.client.list<KubeObject>(namespaces, {}));
      return !items.some(({ metadata: { name } }) => name === user.namespace);
    };
    await waitUntil(gone, { timeoutMs: patienceMs, failure: () => new Error("L2: the namespace stays") });
    await untilQuiet(scene);
    const refused = Map.groupBy(
      proxyOf(scene).writes.filter(({ status }) => status === 403),
      ({ verb, plural, name }) => `${verb} ${plural} ${name}`,
    );
    return [...refused]
      .filter(([, { length }]) => length > 5)
      .map(([key, { length }]) => `L1: ${key} was refused ${length} times: a hot retry`);
  },
};

/** Pods mount it and read it when they start; the operator neither reads nor watches Secrets, and rolls nothing. */
const secretRotated: Run = {
  name: "of a source and of a served model",
  play: async (scene) => {
    const { user, rig, crew } = scene;
    const secret = (value: string) => ({
      ...{ apiVersion: "v1", kind: "Secret", metadata: { name: "s3", namespace: user.namespace } },
      stringData: { AWS_ACCESS_KEY_ID: value, AWS_SECRET_ACCESS_KEY: value },
    });
    const put = (value: string) =>
      insist(() => rig.client.apply(resourceOf("Secret"), secret(value) as KubeObject, { manager: "kubectl" }));
    await put("first");
    const storage = { secretRef: { name: "s3" } };
    await user.apply("Dataset", { ...specs.dataset, source: { uri: "s3://bucket/wine.csv", ...storage } });
    const served = { storageUri: "s3://bucket/model/", storage, runtimeRef: { name: "mlserver" } };
    await user.apply("InferenceService", served);
    const kinds = ["Dataset", "InferenceService"];
    for (const kind of kinds) await user.until(kind, isReady);
    await untilQuiet(scene);
    const before = crew.writes().length;
    await put("second");
    // What the operator makes of an edit after it is seen after what it would have made of the Secret.
    await user.apply("InferenceService", { ...served, minReplicas: 2 });
    for (const kind of kinds) await user.until(kind, isReady);
    const found = crew
      .writes()
      .slice(before)
      .filter(({ write: { plural } }) => plural === "jobs")
      .map(({ write: { verb, name } }) => `S5: ${verb} jobs ${name} for a Secret`);
    const revisions = await user.list("Deployment");
    if (revisions.length !== 1) found.push(`S3: ${revisions.length} revisions for one Secret`);
    found.push(...(await atRest(scene)));
    await tearDown(user);
    return found;
  },
};

export const users: readonly Row[] = [
  { fault: "CR edited there and back", perWrite: changedMind },
  { fault: "CR deleted and made again", perWrite: madeAgain },
  { fault: "child edited, deleted by others", runs: [meddled] },
  { fault: "namespace deleted", runs: [namespaceGone] },
  { fault: "Secret rotated", runs: [secretRotated] },
];
