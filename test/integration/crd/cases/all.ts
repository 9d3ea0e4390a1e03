/** Every case, by kind. */
import type { Case } from "./case.ts";
import { datasets } from "./datasets.ts";
import { derivedDatasets } from "./derived-datasets.ts";
import { expectations } from "./expectations.ts";
import { services } from "./inference-services.ts";
import { locations } from "./locations.ts";
import { models } from "./models.ts";
import { optionalCases } from "./optional.ts";
import { runtimes } from "./runtimes.ts";
import { trainingJobs } from "./training-jobs.ts";

export const cases: readonly Case[] = [
  ...locations,
  ...datasets,
  ...derivedDatasets,
  ...expectations,
  ...trainingJobs,
  ...models,
  ...services,
  ...runtimes,
  ...optionalCases,
];
