import { paths } from "../../agent/tasks.ts";
import type { TrainingJob } from "../../api/v1alpha1/training-job.ts";
import type { KubeObject } from "../../kube/types.ts";
import { buildJob } from "../children/job.ts";
import { locationOf } from "../children/location.ts";
import { agentContainer, agentVolumes, type PodSettings, podFields, userContainer } from "../children/pod.ts";
import { annotations, labels } from "../labels.ts";
import { inQueue } from "./queue.ts";
import { jobName, type WantedRun } from "./run.ts";

const outputs = [
  { name: "model", mountPath: paths.model },
  { name: "output", mountPath: paths.output },
];

/** One run's Job: `stage`, then the user's `train`, both init containers, then `publish`. Kubernetes keeps the order. */
export function buildTrainingJob(trainingJob: TrainingJob, run: WantedRun, settings: PodSettings): KubeObject {
  const { spec, metadata } = trainingJob;
  const { references } = run;
  const namespace = metadata.namespace ?? "";
  const inputMounts = [
    { name: "input-data", mountPath: paths.inputData },
    { name: "input-config", mountPath: paths.inputConfig },
  ];
  const codeName = spec.code?.configMapRef?.name;
  const codeMount = run.code ? [{ name: "code", mountPath: paths.code }] : [];
  const stage = agentContainer(
    settings,
    {
      verb: "stage",
      namespace,
      inputs: run.spec.inputs.map(({ name, dataset, digest, revision, split }) => {
        const source = references.sources.get(dataset);
        return {
          ...{ name, dataset, digest },
          ...(revision ? { revision } : {}),
          ...(split ? { split } : {}),
          ...(source ? { location: locationOf(source, settings) } : {}),
        };
      }),
      hyperparameters: run.spec.parameters,
      ...(run.code ? { code: run.code.git ?? run.code.digest } : {}),
    },
    [
      ...inputMounts,
      ...codeMount,
      ...(codeName ? [{ name: "code-source", mountPath: paths.codeSource, readOnly: true }] : []),
      ...references.mounts,
    ],
  );
  const { container, ...pod } = run.template;
  const train = userContainer({
    name: "train",
    container,
    resources: spec.resources,
    env: [
      { name: "SM_MODEL_DIR", value: paths.model },
      { name: "SM_OUTPUT_DATA_DIR", value: paths.output },
      ...run.spec.inputs.map(({ name }) => ({
        name: `SM_CHANNEL_${name.replaceAll("-", "_").toUpperCase()}`,
        value: `${paths.inputData}/${name}`,
      })),
    ],
    args: Object.entries(run.spec.parameters)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([name, value]) => [`--${name}`, String(value)]),
    mounts: [...inputMounts, ...codeMount, ...outputs],
  });
  const publish = agentContainer(
    settings,
    {
      verb: "publish",
      namespace,
      trainingJob: metadata.name,
      runDigest: run.digest,
      run: run.spec,
      model: { name: spec.modelRef.name, format: run.format },
    },
    outputs.map((mount) => ({ ...mount, readOnly: true })),
  );
  const job = buildJob({
    owner: trainingJob,
    ownerLabel: labels.trainingJob,
    name: jobName(trainingJob, run.digest),
    annotations: {
      [annotations.run]: JSON.stringify({ ...run.spec, digest: run.digest }),
      [annotations.generation]: String(metadata.generation ?? 0),
    },
    agentContainers: ["stage", "publish"],
    backoffLimit: spec.backoffLimit,
    activeDeadlineSeconds: spec.activeDeadlineSeconds,
    defaultContainer: "train",
    pod: {
      ...podFields(pod),
      initContainers: [stage, train],
      containers: [publish],
      volumes: [
        ...agentVolumes,
        ...[...inputMounts, ...codeMount, ...outputs].map(({ name }) => ({ name, emptyDir: {} })),
        ...(codeName ? [{ name: "code-source", configMap: { name: codeName } }] : []),
        ...references.volumes,
      ],
    },
  });
  return inQueue(job, spec.queueName);
}
