/** The CRD and the operator's image become those of the next release and of this one again, while a model is trained and rolled out. */
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

/** The agent's image is the operator's own, which is what tells one release's pods from another's. */
const images = { thisOne: "lemnis:1", next: "lemnis:2" };

/** By uid: one that drained away and was made anew is another. */
async function imagesOf({ user }: Scene): Promise<Map<string, string>> {
  const deployments = await user.list("Deployment");
  return new Map(
    deployments.map(({ metadata, spec }) => [
      metadata.uid,
      JSON.stringify(spec.template)
        .match(/"lemnis:\d"/g)
        ?.join(),
    ]),
  ) as Map<string, string>;
}

function upgradedAndBack(): Run {
  let before = new Map<string, string>();
  /** What serves is not rolled because the operator is another one. */
  const check = async (scene: Scene) => {
    const now = await imagesOf(scene);
    const rolled = [...before].filter(([uid, image]) => now.has(uid) && now.get(uid) !== image);
    if (rolled.length > 0) throw new Error(`S3: ${JSON.stringify(rolled)} rolled with the operator`);
  };
  return {
    name: "a field more and another image, and back; a restart with each",
    beforeStage: async (scene, stage) => {
      if (stage.name === "retrain") {
        before = await imagesOf(scene);
        if (before.size === 0 || ![...before.values()].every((image) => image?.includes(images.thisOne))) {
          throw new Error(`no Deployment of this release: ${JSON.stringify([...before])}`);
        }
        await define(scene, true);
        await applyUntil(scene, true);
        await scene.crew.release({ LEMNIS_AGENT_IMAGE: images.next });
      }
      if (stage.name === "roll forward") {
        await check(scene);
        before = await imagesOf(scene);
        if (![...before.values()].some((image) => image.includes(images.next))) {
          throw new Error(`the next release has made no Deployment: ${JSON.stringify([...before])}`);
        }
        const { spec } = await scene.user.get("InferenceService");
        if (spec[field] !== "kept") throw new Error("S4: what the next release has in the spec was pruned");
        await define(scene, false);
        await applyUntil(scene, false);
        await scene.crew.release({ LEMNIS_AGENT_IMAGE: images.thisOne });
      }
    },
    after: async (scene) => {
      await check(scene);
      return [];
    },
  };
}

export const upgrades: readonly Row[] = [{ fault: "CRD and operator upgraded and back", runs: [upgradedAndBack()] }];
