/** Our kinds as the API server names them. */
import { group, version } from "../api/v1alpha1/common.ts";
import { kinds } from "../api/v1alpha1/index.ts";
import type { Resource } from "../kube/types.ts";

function resourceOf(kind: string): Resource {
  const definition = kinds.find((candidate) => candidate.kind === kind);
  if (!definition) throw new Error(`${kind} is no kind of ${group}`);
  return { group, version, kind, plural: definition.plural, namespaced: definition.scope === "Namespaced" };
}

export const datasets = resourceOf("Dataset");
export const trainingJobs = resourceOf("TrainingJob");
export const models = resourceOf("Model");
export const inferenceServices = resourceOf("InferenceService");
export const servingRuntimes = resourceOf("ServingRuntime");
export const trainingRuntimes = resourceOf("TrainingRuntime");
