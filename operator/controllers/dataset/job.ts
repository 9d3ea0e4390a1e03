import type { Dataset } from "../../api/v1alpha1/dataset.ts";
import type { KubeObject } from "../../kube/types.ts";
import { buildJob } from "../children/job.ts";
import { agentContainer, agentVolumes, type PodSettings, podFields, sourceAccess } from "../children/pod.ts";
import { annotations, labels } from "../labels.ts";
import type { Look } from "./look.ts";
import { taskOf } from "./task.ts";

/** The Job that makes a look, in the Dataset's namespace and with its owner's credentials. */
export function buildLookJob(dataset: Dataset, look: Look, settings: PodSettings): KubeObject {
  const { source, resources } = dataset.spec;
  const task = taskOf(dataset, look, settings);
  const { volumes, mounts } = look.derivation?.references ?? sourceAccess(source?.uri ?? "", source?.secretRef?.name);
  const container = { ...agentContainer(settings, task, mounts), ...(resources ? { resources } : {}) };
  return buildJob({
    owner: dataset,
    ownerLabel: labels.dataset,
    name: `${dataset.metadata.name}-${task.verb}-${look.id}`,
    annotations: {
      [annotations.look]: look.id,
      [annotations.recipe]: look.recipe,
      [annotations.generation]: String(dataset.metadata.generation ?? 0),
    },
    agentContainers: [task.verb],
    backoffLimit: 3,
    activeDeadlineSeconds: 6 * 3600,
    defaultContainer: task.verb,
    pod: { ...podFields({}), containers: [container], volumes: [...agentVolumes, ...volumes] },
  });
}
