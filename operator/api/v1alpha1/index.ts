import { datasetKind } from "./dataset.ts";
import { inferenceServiceKind } from "./inference-service.ts";
import type { KindDefinition } from "./kind.ts";
import { modelKind } from "./model.ts";
import { servingRuntimeKind, trainingRuntimeKind } from "./runtimes.ts";
import { trainingJobKind } from "./training-job.ts";

/** Every kind of the API group, in the order in which a newcomer meets them. */
export const kinds: readonly KindDefinition[] = [
  datasetKind,
  trainingJobKind,
  modelKind,
  inferenceServiceKind,
  servingRuntimeKind,
  trainingRuntimeKind,
];
