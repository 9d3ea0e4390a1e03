import type { Dataset } from "../../api/v1alpha1/dataset.ts";
import type { KubeObject } from "../../kube/types.ts";
import { buildJob } from "../children/job.ts";
import { agentContainer, agentVolumes, type PodSettings, podFields, sourceAccess } from "../children/pod.ts";
import { annotations, labels } from "../labels.ts";
import type { Look } from "./look.ts";

export function snapshotJobName(dataset: Dataset, look: Look): string {
  return `${dataset.metadata.name}-snapshot-${look.id}`;
}

/** Maps have no order in Kubernetes; by name is the order that stays. */
function sharesOf(splits: Readonly<Record<string, number>>) {
  return Object.entries(splits)
    .map(([name, percent]) => ({ name, percent }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The Job that reads the source, in the Dataset's namespace and with its owner's credentials. */
export function buildSnapshotJob(dataset: Dataset, look: Look, settings: PodSettings): KubeObject {
  const { source = { uri: "" }, format = "CSV", schema, splits, splitSeed, retain, storage } = dataset.spec;
  const { volumes, mounts } = sourceAccess(source.uri, source.secretRef?.name);
  const container = agentContainer(
    settings,
    {
      verb: "snapshot",
      namespace: dataset.metadata.namespace ?? "",
      dataset: dataset.metadata.name,
      source: {
        uri: source.uri,
        secret: source.secretRef !== undefined,
        ...(source.endpoint ? { endpoint: source.endpoint } : {}),
        ...(source.region ? { region: source.region } : {}),
      },
      format,
      columns: (schema?.columns ?? []).map(({ name, type, role, nullable, sensitive }) => ({
        ...{ name, nullable },
        ...(type ? { type } : {}),
        ...(role ? { role } : {}),
        ...(sensitive ? { sensitive } : {}),
      })),
      ...(splits ? { splits: { shares: sharesOf(splits), seed: splitSeed } } : {}),
      expectations: [],
      storage,
      recipe: look.recipeDigest,
      retain,
    },
    mounts,
  );
  return buildJob({
    owner: dataset,
    ownerLabel: labels.dataset,
    name: snapshotJobName(dataset, look),
    annotations: {
      [annotations.look]: look.id,
      [annotations.recipe]: look.recipe,
      [annotations.generation]: String(dataset.metadata.generation ?? 0),
    },
    agentContainers: ["snapshot"],
    backoffLimit: 3,
    activeDeadlineSeconds: 6 * 3600,
    defaultContainer: "snapshot",
    pod: { ...podFields({}), containers: [container], volumes: [...agentVolumes, ...volumes] },
  });
}
