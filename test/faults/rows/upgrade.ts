/** The CRD becomes that of the next release and that of this one again; a new process comes with each. */
import { setTimeout as sleep } from "node:timers/promises";
import { customResourceDefinitions } from "../../../operator/kube/resources.ts";
import type { KubeObject } from "../../../operator/kube/types.ts";
import type { Row, Run, Scene } from "../campaign.ts";
import type { Seen } from "../history.ts";
import { specs } from "../story.ts";
import { insist, patienceMs } from "../user.ts";

const name = "inferenceservices.lemnis.dev";
const field = "ofTheNextRelease";

/** With a field that this operator does not know, or without. */
async function define({ rig }: Scene, withField: boolean): Promise<void> {
  await insist(async () => {
    const crd = await rig.client.get<Seen>(customResourceDefinitions, undefined, name);
    const { properties } = crd.spec.versions[0].schema.openAPIV3Schema.properties.spec;
    if (withField) properties[field] = { type: "string" };
    else delete properties[field];
    await rig.client.replace<KubeObject>(customResourceDefinitions, crd);
  });
}

/** Applies the service with the field until the server keeps it, or drops it. */
async function applyUntil({ user }: Scene, isKept: boolean): Promise<void> {
  const deadline = performance.now() + patienceMs;
  const spec = { ...specs.service, minReplicas: 2, maxReplicas: 3, ...(isKept ? { [field]: "kept" } : {}) };
  for (;;) {
    await user.apply("InferenceService", spec);
    const { spec: found } = await user.get("InferenceService");
    if ((found[field] !== undefined) === isKept) return;
    if (performance.now() > deadline) throw new Error(`the CRD's new schema is not served`);
    await sleep(200);
  }
}

const upgraded: Run = {
  name: "a field more, and back; a restart with each",
  beforeStage: async (scene, stage) => {
    if (stage.name === "retrain") {
      await define(scene, true);
      await applyUntil(scene, true);
      await scene.crew.kill();
    }
    if (stage.name === "roll forward") {
      const { spec } = await scene.user.get("InferenceService");
      if (spec[field] !== "kept") throw new Error("S4: what the next release has in the spec was pruned");
      await define(scene, false);
      await applyUntil(scene, false);
      await scene.crew.kill();
    }
  },
};

export const upgrades: readonly Row[] = [{ fault: "CRD upgraded and back", runs: [upgraded] }];
