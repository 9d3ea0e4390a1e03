/** A cluster and a store of values, for one object of each kind: plans are carried out on it, and events happen to it. */
import type { InferenceService } from "../../operator/api/v1alpha1/inference-service.ts";
import type { Model } from "../../operator/api/v1alpha1/model.ts";
import type { TrainingJob } from "../../operator/api/v1alpha1/training-job.ts";
import type { Deployment, Job, Service } from "../../operator/controllers/children/types.ts";
import { isFinished } from "../../operator/controllers/children/types.ts";
import { planInferenceService } from "../../operator/controllers/inference-service/plan.ts";
import { subjectOf } from "../../operator/controllers/model/jobs.ts";
import { planModel } from "../../operator/controllers/model/plan.ts";
import { planTrainingJob } from "../../operator/controllers/training-job/plan.ts";
import { runOf } from "../../operator/controllers/training-job/run.ts";
import type { KubeObject } from "../../operator/kube/types.ts";
import type { Plan } from "../../operator/runtime/plan.ts";
import type { Decision, ModelRecord, Run } from "../../operator/store/api.ts";
import { model, readyDataset, servingRuntime, start } from "./kinds.ts";
import { nothingServed, nothingTrained } from "./observed.ts";
import { evaluation, modelVersion, runRecord } from "./records.ts";
import { settings } from "./settings.ts";
import { type Children, carryOut, changesOf } from "./settle.ts";
import { complete, failed, pod } from "./workloads.ts";

/** What may happen between two reconciles. `value` picks which Job, which number. */
export interface Happening {
  what: "registered" | "complete" | "fail" | "ready" | "data" | "minutes" | "edit" | "lost";
  value: number;
}

export abstract class Simulation<T extends KubeObject & { status?: object | undefined }> {
  readonly children: Children = { objects: new Map() };
  object: T;
  now = start;

  constructor(object: T) {
    this.object = object;
  }

  abstract plan(): Plan<object>;
  abstract happen(happening: Happening): void;
  protected record(_path: string, _body: unknown): void {}

  get jobs(): Job[] {
    return [...this.children.objects.values()].filter(({ kind }) => kind === "Job") as Job[];
  }
  protected get pods() {
    return new Map(this.jobs.map(({ metadata }) => [metadata.name, [pod(metadata.name)]]));
  }

  /** Plans and carries out until a plan changes nothing; returns how many changed something. */
  settle(limit = 20): number {
    for (let passes = 0; passes < limit; passes++) {
      const plan = this.plan();
      const changes = changesOf(this.children, plan, this.object.status);
      if (changes.length === 0) return passes;
      for (const { path, body } of plan.records ?? []) this.record(path, body);
      carryOut(this.children, plan);
      this.object = { ...this.object, status: JSON.parse(JSON.stringify(plan.status)) };
    }
    throw new Error(`not settled: ${changesOf(this.children, this.plan(), this.object.status).join(", ")}`);
  }

  protected openJob(value: number): Job | undefined {
    const open = this.jobs.filter((job) => !isFinished(job));
    return open[value % Math.max(1, open.length)];
  }

  /** Ends one of the Jobs that run; returns it. */
  protected endJob(value: number, status: NonNullable<Job["status"]>): Job | undefined {
    const job = this.openJob(value);
    if (job) this.children.objects.set(`Job/${job.metadata.name}`, { ...job, status } as KubeObject);
    return job;
  }

  protected pass(minutes: number): void {
    this.now = new Date(this.now.getTime() + minutes * 60_000);
  }
}

export class TrainingSimulation extends Simulation<TrainingJob> {
  data = 1;
  runs: Run[] = [];
  plan() {
    return planTrainingJob(
      {
        ...{ ...nothingTrained, trainingJob: this.object, model: model() },
        ...{ datasets: new Map([["wine", readyDataset(this.data)]]), jobs: this.jobs, pods: this.pods },
        record: { found: { runs: this.runs } },
      },
      settings,
      this.now,
    );
  }
  happen({ what, value }: Happening): void {
    const done = what === "complete" ? this.endJob(value, complete) : undefined;
    const run = done && runOf(done);
    if (run) this.put(runRecord(run.digest, run));
    if (what === "fail") this.endJob(value, failed);
    if (what === "data") this.data += 1;
    if (what === "edit") {
      const { generation = 0 } = this.object.metadata;
      const metadata = { ...this.object.metadata, generation: generation + 1 };
      this.object = { ...this.object, metadata, spec: { ...this.object.spec, parameters: { value } } };
    }
  }
  protected override record(path: string, body: unknown): void {
    this.put({ ...(body as Run), digest: path.split("/").at(-1) ?? "" });
  }
  private put(run: Run): void {
    this.runs = [run, ...this.runs.filter(({ digest }) => digest !== run.digest)];
  }
}

export class ModelSimulation extends Simulation<Model> {
  data = 1;
  found: ModelRecord = { versions: [], aliases: {} };
  plan() {
    return planModel(
      {
        ...{ model: this.object, dataset: readyDataset(this.data), runtimes: [servingRuntime], jobs: this.jobs },
        ...{ pods: this.pods, record: { found: this.found } },
      },
      settings,
      this.now,
    );
  }
  happen({ what, value }: Happening): void {
    if (what === "complete") this.finish(this.endJob(value, complete), value);
    if (what === "fail") this.endJob(value, failed);
    if (what === "data") {
      const next = modelVersion((this.found.versions[0]?.version ?? 0) + 1);
      this.found = { ...this.found, versions: [next, ...this.found.versions] };
    }
    if (what === "ready") this.data += 1;
    if (what === "edit") {
      const gates = [
        { metric: "accuracy" as const, min: (value % 10) / 10 },
        { metric: "accuracy" as const, against: "champion" as const },
      ];
      this.object = { ...this.object, spec: { ...this.object.spec, gates } };
    }
  }
  private finish(job: Job | undefined, value: number): void {
    const subject = job && subjectOf(job);
    if (subject?.kind !== "evaluation") return;
    this.change(subject.version, (version) => ({
      ...version,
      evaluations: [...version.evaluations, evaluation(subject.digest, { accuracy: (value % 11) / 10 })],
    }));
  }
  protected override record(path: string, body: unknown): void {
    const [, alias] = /\/aliases\/(.*)$/.exec(path) ?? [];
    const [, number] = /\/versions\/(\d+)\/decision$/.exec(path) ?? [];
    if (alias)
      this.found = {
        ...this.found,
        aliases: { ...this.found.aliases, [alias]: (body as { version: number }).version },
      };
    if (number) this.change(Number(number), (version) => ({ ...version, decision: body as Decision }));
  }
  private change(number: number, to: (version: ModelRecord["versions"][0]) => ModelRecord["versions"][0]): void {
    const versions = this.found.versions.map((version) => (version.version === number ? to(version) : version));
    this.found = { ...this.found, versions };
  }
}

export class ServiceSimulation extends Simulation<InferenceService> {
  champion = 1;
  get deployments(): Deployment[] {
    return [...this.children.objects.values()].filter(({ kind }) => kind === "Deployment") as Deployment[];
  }
  get front(): Service | undefined {
    return this.children.objects.get("Service/wine") as Service | undefined;
  }
  plan() {
    const versions = [1, 2, 3].map((version) => ({
      ...modelVersion(version),
      source: "run",
      stage: "Passed" as const,
    }));
    const of = (kind: string) => this.children.objects.get(`${kind}/wine`);
    return planInferenceService(
      {
        ...{ ...nothingServed, service: this.object, deployments: this.deployments },
        model: model({}, { champion: this.champion, aliases: { champion: this.champion }, versions }),
        ...{
          front: this.front,
          autoscaler: of("HorizontalPodAutoscaler"),
          disruptionBudget: of("PodDisruptionBudget"),
        },
        ...{
          serviceMonitor: of("ServiceMonitor"),
          scaledObject: of("ScaledObject"),
          present: new Set(["serviceMonitors", "scaledObjects"] as const),
        },
      },
      settings,
      this.now,
    );
  }
  happen({ what, value }: Happening): void {
    if (what === "ready" || what === "fail") {
      const deployment = this.deployments[value % Math.max(1, this.deployments.length)];
      const replicas = deployment?.spec?.replicas ?? 0;
      const readyReplicas = what === "ready" ? replicas : 0;
      const status = { observedGeneration: 1, replicas, updatedReplicas: replicas, readyReplicas };
      if (deployment)
        this.children.objects.set(`Deployment/${deployment.metadata.name}`, { ...deployment, status } as KubeObject);
    }
    if (what === "data") this.champion = 1 + (value % 3);
    // Somebody deletes the Service, or has it select other pods.
    if (what === "lost" && this.front) {
      const other = { ...this.front, spec: { ...this.front.spec, selector: { app: "other" } } };
      if (value % 2 === 0) this.children.objects.delete("Service/wine");
      else this.children.objects.set("Service/wine", other);
    }
    if (what === "minutes") this.pass(value);
    if (what === "edit") {
      const spec = { ...this.object.spec, minReplicas: 1 + (value % 3), maxReplicas: 1 + (value % 3) + (value % 2) };
      const scaleQuery = { serverAddress: "http://prometheus", query: "x", threshold: 1 };
      this.object = { ...this.object, spec: value % 4 === 3 ? { ...spec, scaleQuery } : spec };
    }
  }
}
