/** Node as it runs in the chart's pods: what the image and the chart say. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

function found(file: string, pattern: RegExp): string {
  const [, value] = pattern.exec(readFileSync(join(root, file), "utf8")) ?? [];
  if (value === undefined) throw new Error(`${file} has nothing like ${pattern}`);
  return value;
}

export const storeEnvironment = { NODE_OPTIONS: found("Dockerfile", /NODE_OPTIONS="(.*)"/) };

/** Half of the operator's memory limit is for the heap. */
export const operatorEnvironment = {
  NODE_OPTIONS: `${storeEnvironment.NODE_OPTIONS} --max-old-space-size=256`,
  MALLOC_ARENA_MAX: found("charts/lemnis/templates/operator.yaml", /MALLOC_ARENA_MAX\n *value: "(\d+)"/),
};
