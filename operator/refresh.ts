import type { Dataset } from "./api/v1alpha1/dataset.ts";
import { annotations } from "./controllers/labels.ts";
import { datasets } from "./controllers/resources.ts";
import type { KubeClient } from "./kube/client.ts";
import { ApiError } from "./kube/errors.ts";

/** Asks for a look at this Dataset's source, as a user would; one that has gone meanwhile is no error. */
export async function refreshDataset(client: KubeClient, dataset: Dataset, now: Date): Promise<void> {
  const { apiVersion, kind } = dataset;
  const { name, namespace = "", uid = "" } = dataset.metadata;
  // With the uid, an object that is gone is not made anew by an apply.
  const metadata = { name, namespace, uid, annotations: { [annotations.refresh]: now.toISOString() } };
  try {
    await client.apply(datasets, { apiVersion, kind, metadata }, { manager: "lemnis-refresh" });
  } catch (error) {
    if (!(error instanceof ApiError && (error.status === 404 || error.status === 409))) throw error;
  }
}
