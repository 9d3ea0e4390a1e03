/** A Dataset in a cluster of values: its source or inputs change, its Jobs end, its feature server comes and goes. */
import type { Dataset } from "../../operator/api/v1alpha1/dataset.ts";
import type { Deployment, Job } from "../../operator/controllers/children/types.ts";
import { planDataset } from "../../operator/controllers/dataset/plan.ts";
import type { KubeObject } from "../../operator/kube/types.ts";
import type { DatasetRecord, DatasetVersion } from "../../operator/store/api.ts";
import { observedDataset, versionOf } from "./datasets.ts";
import { dataset, metadataOf } from "./kinds.ts";
import { datasetRecord } from "./records.ts";
import { settings } from "./settings.ts";
import { type Happening, Simulation } from "./simulation.ts";
import { completeAt, deployed, failedAt, taskIn } from "./workloads.ts";

const features = "wine-features";

export class DatasetSimulation extends Simulation<Dataset> {
  versions = 0;
  /** The version of `raw`, for a Dataset that is derived from it. */
  raw = 0;
  /** What the current version was made of. */
  made: Pick<DatasetVersion, "recipe" | "parents"> = {};
  /** When a look ended well last. */
  checked: string | undefined;
  get deployment(): Deployment | undefined {
    return this.children.objects.get(`Deployment/${features}`) as Deployment | undefined;
  }
  plan() {
    const of = (kind: string) => this.children.objects.get(`${kind}/${features}`);
    const { object, jobs, pods, deployment } = this;
    const raw = {
      ...dataset({}, this.raw ? { ...versionOf("raw", this.raw) } : {}),
      metadata: metadataOf("raw", "dataset"),
    };
    return planDataset(
      observedDataset({
        ...{ dataset: object, jobs, pods, record: { found: this.#record() } },
        others: new Map([["raw", raw]]),
        features: {
          ...{ deployment, pods: [], service: of("Service"), monitor: of("ServiceMonitor"), hasServiceMonitors: true },
        },
      }),
      settings,
      this.now,
    );
  }
  happen({ what, value }: Happening): void {
    const time = `${this.now.toISOString().slice(0, 19)}Z`;
    // A pod registers its version before its Job is seen to end.
    if (what === "registered") this.#register(this.openJob(value), value);
    if (what === "complete") {
      const job = this.endJob(value, completeAt(time));
      this.#register(job, value);
      if (job) this.checked = time;
    }
    if (what === "fail") this.endJob(value, failedAt(time));
    if (what === "minutes") this.pass(value);
    if (what === "data") this.raw = 1 + (value % 3);
    if (what === "edit") this.object = { ...this.object, spec: edited(this.object.spec, value) };
    if (what === "ready" && this.deployment) {
      const object = deployed(this.deployment, value % 3);
      this.children.objects.set(`Deployment/${features}`, object as KubeObject);
    }
  }
  #register(job: Job | undefined, value: number): void {
    if (!job) return;
    const task = taskIn(job);
    if (!("recipe" in task)) return;
    const parents =
      "inputs" in task ? { parents: task.inputs.map(({ dataset, digest }) => ({ dataset, digest, version: 1 })) } : {};
    this.versions = Math.max(1, this.versions + (value % 2));
    this.made = { recipe: task.recipe, ...parents };
  }
  #record(): DatasetRecord {
    const [newest, ...others] = datasetRecord(this.versions).versions;
    return newest ? { versions: [{ ...newest, ...this.made }, ...others], current: newest.version } : { versions: [] };
  }
}

/** Another seed, or one that it had before, and served or not. */
function edited({ online: _, ...spec }: Dataset["spec"], value: number): Dataset["spec"] {
  const online = value % 2 === 0 ? { online: { keys: ["id"], replicas: 1 + (value % 3) } } : {};
  return { ...spec, splitSeed: value % 4, ...online };
}
