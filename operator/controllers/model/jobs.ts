/** The Jobs of a Model: evaluations, which run the serving runtime and ask it for predictions, and imports. */
import { z } from "zod";
import { type EvaluateTask, paths } from "../../agent/tasks.ts";
import { shortDigest } from "../../api/digest.ts";
import type { Dataset } from "../../api/v1alpha1/dataset.ts";
import type { ServingTemplate } from "../../api/v1alpha1/inference-service.ts";
import type { Model, ModelImportSource } from "../../api/v1alpha1/model.ts";
import type { KubeObject } from "../../kube/types.ts";
import type { ModelVersion } from "../../store/api.ts";
import { buildJob } from "../children/job.ts";
import { locationOf } from "../children/location.ts";
import { agentContainer, agentVolumes, type PodSettings, podFields, sourceAccess } from "../children/pod.ts";
import { referencesTo } from "../children/reference.ts";
import { servingContainer } from "../children/serving.ts";
import { isFinished, type Job } from "../children/types.ts";
import { annotations, labels } from "../labels.ts";

const subject = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("import"), digest: z.string() }),
  z.strictObject({
    kind: z.literal("evaluation"),
    version: z.int(),
    digest: z.string(),
    dataset: z.string(),
    datasetVersion: z.int(),
    datasetDigest: z.string(),
    datasetRevision: z.int().optional(),
  }),
]);
type Subject = z.infer<typeof subject>;
type Evaluation = Extract<Subject, { kind: "evaluation" }>;

/** What a Model's Job is about, as its annotation tells. */
export function subjectOf(job: Job): Subject | undefined {
  const text = job.metadata.annotations?.[annotations.subject];
  // What another release has written otherwise is nobody's.
  return text ? subject.safeParse(JSON.parse(text)).data : undefined;
}

/** Evaluations that have Jobs: first what is under way, then the newest, in whatever order the cache has them. */
export function evaluationsIn(jobs: readonly Job[]): { job: Job; subject: Evaluation }[] {
  const byAge = (a: Job, b: Job) =>
    Number(isFinished(a)) - Number(isFinished(b)) ||
    (b.metadata.creationTimestamp ?? "").localeCompare(a.metadata.creationTimestamp ?? "") ||
    a.metadata.name.localeCompare(b.metadata.name);
  return [...jobs].sort(byAge).flatMap((job) => {
    const found = subjectOf(job);
    return found?.kind === "evaluation" ? [{ job, subject: found }] : [];
  });
}

/** The same, of one version. */
export function evaluationsOf(jobs: readonly Job[], version: number): ReturnType<typeof evaluationsIn> {
  return evaluationsIn(jobs).filter(({ subject }) => subject.version === version);
}

/** The data that versions are compared on. */
export interface Target {
  dataset: string;
  datasetVersion: number;
  datasetDigest: string;
  /** Absent: the version's first. */
  datasetRevision?: number | undefined;
}

export interface EvaluationInput {
  version: ModelVersion;
  target: Target;
  digest: string;
  template: ServingTemplate;
  /** The Dataset that the target is a version of. */
  dataset: Dataset | undefined;
}

export function buildEvaluationJob(model: Model, input: EvaluationInput, settings: PodSettings): KubeObject {
  const { name, namespace = "" } = model.metadata;
  const { version, target, digest, template, dataset } = input;
  const { dataset: datasetName, datasetVersion, datasetDigest, datasetRevision } = target;
  const { datasetRef, resources } = model.spec.evaluation ?? {};
  const access = referencesTo(dataset ? [dataset] : []);
  const source = access.sources.get(datasetName);
  const modelMount = { name: "model", mountPath: paths.servedModel };
  const task: EvaluateTask = {
    verb: "evaluate",
    namespace,
    model: name,
    version: version.version,
    evaluationDigest: digest,
    ...{ dataset: datasetName, datasetVersion, datasetDigest },
    ...(datasetRevision ? { datasetRevision } : {}),
    split: datasetRef?.split ?? "",
    ...(source ? { location: locationOf(source, settings) } : {}),
    task: model.spec.task,
    endpoint: `http://127.0.0.1:${template.port}`,
    modelName: name,
  };
  const stage = agentContainer(
    settings,
    { verb: "stage", namespace, inputs: [], model: { name, digest: version.digest } },
    [modelMount],
  );
  const { container, port, metricsPort: _, ...pod } = template;
  const runtime = {
    ...servingContainer({ container, port, modelName: name, resources, mounts: [{ ...modelMount, readOnly: true }] }),
    // A native sidecar: up before the evaluator starts, ended after it.
    restartPolicy: "Always",
  };
  return buildJob({
    owner: model,
    ownerLabel: labels.model,
    name: `${name}-eval-${shortDigest(digest)}`,
    annotations: {
      [annotations.subject]: JSON.stringify({ kind: "evaluation", version: version.version, digest, ...target }),
    },
    agentContainers: ["stage", "evaluate"],
    backoffLimit: 2,
    activeDeadlineSeconds: 3600,
    defaultContainer: "evaluate",
    pod: {
      ...podFields(pod),
      terminationGracePeriodSeconds: 5,
      initContainers: [stage, runtime],
      containers: [agentContainer(settings, task, access.mounts)],
      volumes: [...agentVolumes, { name: "model", emptyDir: {} }, { name: "tmp", emptyDir: {} }, ...access.volumes],
    },
  });
}

export function buildImportJob(model: Model, source: ModelImportSource, settings: PodSettings): KubeObject {
  const { name, namespace = "" } = model.metadata;
  const { volumes, mounts } = sourceAccess(source.uri, source.secretRef?.name);
  const { digest } = source;
  const task = {
    verb: "import" as const,
    namespace,
    model: name,
    format: model.spec.format.name,
    source: locationOf(source, settings),
    digest,
  };
  return buildJob({
    owner: model,
    ownerLabel: labels.model,
    name: `${name}-import-${shortDigest(digest)}`,
    annotations: {
      [annotations.subject]: JSON.stringify({ kind: "import", digest }),
      [annotations.generation]: String(model.metadata.generation ?? 0),
    },
    agentContainers: ["import"],
    backoffLimit: 3,
    activeDeadlineSeconds: 6 * 3600,
    defaultContainer: "import",
    pod: {
      ...podFields({}),
      containers: [agentContainer(settings, task, mounts)],
      volumes: [...agentVolumes, ...volumes],
    },
  });
}
