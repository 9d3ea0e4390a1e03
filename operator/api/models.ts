/**
 * The kinds as typed classes on @kubernetes-models/base, for people who write manifests in TypeScript:
 * `new Dataset({metadata: {name: "wine"}, spec: {…}}).validate()` says what the API server would say.
 */
import { Model as BaseModel, type ModelData, setValidateFunc, type TypeMeta } from "@kubernetes-models/base";
import { z } from "zod";
import { apiVersion, type ObjectMeta } from "./v1alpha1/common.ts";
import { datasetKind, type datasetSpec } from "./v1alpha1/dataset.ts";
import { inferenceServiceKind, type inferenceServiceSpec } from "./v1alpha1/inference-service.ts";
import type { KindDefinition } from "./v1alpha1/kind.ts";
import { modelKind, type modelSpec } from "./v1alpha1/model.ts";
import {
  servingRuntimeKind,
  type servingRuntimeSpec,
  trainingRuntimeKind,
  type trainingRuntimeSpec,
} from "./v1alpha1/runtimes.ts";
import { trainingJobKind, type trainingJobSpec } from "./v1alpha1/training-job.ts";

interface Manifest<S extends z.ZodType> extends TypeMeta {
  metadata?: ObjectMeta;
  spec: z.input<S>;
}

function define<S extends z.ZodType>({ kind, spec }: KindDefinition) {
  class Kind extends BaseModel<Manifest<S>> {
    static apiVersion = apiVersion;
    static kind = kind;
    declare apiVersion: string;
    declare kind: string;
    declare metadata?: ObjectMeta;
    declare spec: z.input<S>;
    constructor(data?: ModelData<Manifest<S>>) {
      super({ apiVersion, kind, ...data } as unknown as ModelData<Manifest<S>>);
      this.setDefinedProps({ apiVersion, kind, ...data } as unknown as ModelData<Manifest<S>>);
    }
  }
  setValidateFunc(Kind, (value): value is Manifest<S> => {
    const parsed = z.object({ spec }).safeParse(value);
    if (!parsed.success) throw new TypeError(`${kind}: ${z.prettifyError(parsed.error)}`);
    return true;
  });
  return Kind;
}

export const Dataset = define<typeof datasetSpec>(datasetKind);
export const TrainingJob = define<typeof trainingJobSpec>(trainingJobKind);
export const Model = define<typeof modelSpec>(modelKind);
export const InferenceService = define<typeof inferenceServiceSpec>(inferenceServiceKind);
export const ServingRuntime = define<typeof servingRuntimeSpec>(servingRuntimeKind);
export const TrainingRuntime = define<typeof trainingRuntimeSpec>(trainingRuntimeKind);
