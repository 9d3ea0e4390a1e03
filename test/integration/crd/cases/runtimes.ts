import { accept, type Case, container, refuse } from "./case.ts";

export const runtimes: Case[] = [
  accept("ServingRuntime", "the shortest", { formats: [{ name: "sklearn" }], container }),
  accept("TrainingRuntime", "the shortest", { formats: [{ name: "sklearn" }], container }),
  refuse("ServingRuntime", "no format", { formats: [], container }, /formats/),
  refuse("TrainingRuntime", "a port", { formats: [{ name: "a" }], container, port: 80 }, /port/),
];
