/** The steps of the loop. The demo prints them; the end-to-end test asserts them. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./install.ts";
import { isReady, type Loop, readLoop, watchLoop } from "./objects.ts";
import { kubectl, listObjects, type Target } from "./target.ts";

export const example = "wine";

/** One row of the wine table, as a person would send it. */
export const question = {
  inputs: [
    {
      name: "features",
      shape: [1, 13],
      datatype: "FP64",
      data: [14.23, 1.71, 2.43, 15.6, 127, 2.8, 3.06, 0.28, 2.29, 5.64, 1.04, 3.92, 1065],
    },
  ],
};

export interface Prediction {
  model_name: string;
  outputs: { name: string; data: unknown[] }[];
}

/** The image that the example's manifests name. */
const exampleImage = "docker.io/lemnis/sklearn:0.1.0";

/** Applies an example's manifests, with the image under the name that this cluster reads it by. */
export async function applyExample(target: Target, name = example): Promise<string> {
  const folder = join(root, "examples", name);
  const manifests = await Promise.all(
    (await readdir(folder)).sort().map((file) => readFile(join(folder, file), "utf8")),
  );
  const text = manifests.join("\n---\n").replaceAll(exampleImage, target.sklearnImage);
  return kubectl(target, ["apply", "-f", "-"], text);
}

/** Waits until all four objects are Ready for their latest spec. */
export function waitForLoop(target: Target): Promise<Loop> {
  return watchLoop(target, {
    name: example,
    timeoutMs: 240_000,
    until: ({ dataset, trainingJob, model, service }) => [dataset, trainingJob, model, service].every(isReady),
  });
}

/** Asks the service through the API server's proxy, which any cluster has. */
export async function predict(target: Target): Promise<Prediction> {
  const path = `/api/v1/namespaces/${target.namespace}/services/${example}:http/proxy/v2/models/${example}/infer`;
  return JSON.parse(
    await kubectl(target, ["create", "--raw", path, "-f", "-"], JSON.stringify(question)),
  ) as Prediction;
}

/** Changes the source: `add 48` or `shuffle`; then asks the operator to look at it. */
export async function changeSource(target: Target, ...args: readonly string[]): Promise<string> {
  const said = await kubectl(target, ["exec", "deploy/wine-source", "--", "python3", "/app/source.py", ...args]);
  const look = `lemnis.dev/refresh=${new Date().toISOString()}`;
  await kubectl(target, ["annotate", "--overwrite", "dataset", example, look]);
  return said.trim();
}

/** Waits until the version after `before` is champion and has the traffic, and the old revision is gone. */
export function waitForNextChampion(target: Target, before: number): Promise<Loop> {
  return watchLoop(target, {
    name: example,
    timeoutMs: 240_000,
    until: ({ model, service }) =>
      (model?.status?.champion ?? 0) > before &&
      isReady(service) &&
      service?.status?.modelVersion === model?.status?.champion &&
      service?.status?.revisions?.length === 1,
  });
}

/** Waits until the newest version of the Model, newer than `before`, has failed its gates. */
export function waitForRejection(target: Target, before: number): Promise<Loop> {
  return watchLoop(target, {
    name: example,
    timeoutMs: 240_000,
    until: ({ model }) => {
      const [newest] = model?.status?.versions ?? [];
      return newest !== undefined && newest.version > before && newest.stage === "Failed";
    },
  });
}

interface Counted {
  metadata: { name: string; uid: string; resourceVersion: string };
  kind: string;
}

/**
 * Applies the unchanged manifests and throws when that made the operator write anything in ten seconds; returns how many objects
 * there are. The Dataset's schedule may come due meanwhile, so it is tried twice.
 */
export async function reapply(target: Target): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const before = await settle(target);
    await applyExample(target);
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    const after = await fingerprint(target);
    const changed = after.filter((line) => !before.includes(line));
    if (changed.length === 0) return after.length;
    if (attempt === 2) throw new Error(`objects changed though the manifests did not: ${changed.join(", ")}`);
  }
}

/** Waits until every object is at rest for five seconds, and returns their fingerprint. */
async function settle(target: Target): Promise<string[]> {
  const deadline = performance.now() + 120_000;
  for (let before = await fingerprint(target); ; ) {
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    const now = await fingerprint(target);
    if (now.join() === before.join()) return now;
    if (performance.now() > deadline)
      throw new Error(`still busy after two minutes: ${now.filter((line) => !before.includes(line)).join(", ")}`);
    before = now;
  }
}

/** What there is and at which resourceVersion: equal before and after means that nothing was written. */
async function fingerprint(target: Target): Promise<string[]> {
  const workloads = await listObjects<Counted>(
    target,
    "jobs,deployments,services,pods",
    "app.kubernetes.io/managed-by=lemnis",
  );
  const loop = await readLoop(target, example);
  const own = Object.values(loop).map((object) => ({ kind: object.kind, metadata: object.metadata }) as Counted);
  return [...workloads, ...own]
    .map(({ kind, metadata }) => `${kind}/${metadata.name}@${metadata.resourceVersion}`)
    .sort();
}
