/** What the pod of a look is told: everything that decides what the version will be. */
import type { DeriveTask, ExpectationTask, SnapshotTask, SplitRule } from "../../agent/tasks.ts";
import type { Dataset, DatasetSpec } from "../../api/v1alpha1/dataset.ts";
import { parseDuration } from "../../api/v1alpha1/duration.ts";
import { locationOf } from "../children/location.ts";
import type { PodSettings } from "../children/pod.ts";
import type { Look } from "./look.ts";

/** Linux gives a variable so many bytes, its name included; doubled dollar signs need some of them. */
export const taskBytes = 120_000;

export function taskOf(dataset: Dataset, look: Look, settings: PodSettings): SnapshotTask | DeriveTask {
  const { derivation } = look;
  const { spec, metadata } = dataset;
  const splits = splitRuleOf(spec);
  const version = {
    namespace: metadata.namespace ?? "",
    dataset: metadata.name,
    columns: columnsOf(spec),
    expectations: (spec.expectations ?? []).map(expectationOf),
    ...(splits ? { splits } : {}),
    retain: spec.retain,
    recipe: look.recipeDigest,
  };
  if (!derivation) {
    const { source = { uri: "" }, format = "CSV", csv, storage } = spec;
    const location = locationOf(source, settings);
    return { verb: "snapshot", ...version, source: location, format, ...(csv ? { csv: dialectOf(csv) } : {}), storage };
  }
  const { sql, pointInTime } = spec.transform ?? {};
  return {
    verb: "derive",
    ...version,
    inputs: derivation.inputs.map(({ name, dataset: input, digest, split }) => {
      const source = derivation.references.sources.get(input);
      return {
        ...{ name, dataset: input, digest },
        ...(split ? { split } : {}),
        ...(source ? { location: locationOf(source, settings) } : {}),
      };
    }),
    ...(sql ? { sql } : {}),
    ...(pointInTime ? { pointInTime: joinOf(pointInTime) } : {}),
  };
}

const columnsOf = ({ schema }: DatasetSpec) =>
  (schema?.columns ?? []).map(({ name, type, role, nullable = true, sensitive }) => ({
    ...{ name, nullable },
    ...(type ? { type } : {}),
    ...(role ? { role } : {}),
    ...(sensitive ? { sensitive } : {}),
  }));

const dialectOf = ({ delimiter, quote, header, nullValues }: NonNullable<DatasetSpec["csv"]>) => ({
  header,
  ...(delimiter ? { delimiter } : {}),
  ...(quote ? { quote } : {}),
  ...(nullValues ? { nullValues } : {}),
});

type Join = NonNullable<NonNullable<DatasetSpec["transform"]>["pointInTime"]>;
const joinOf = ({ rows, features, maxAge }: Join) => ({
  ...{ rows, features },
  ...(maxAge ? { maxAge: parseDuration(maxAge) } : {}),
});

type Expectation = NonNullable<DatasetSpec["expectations"]>[number];
const expectationOf = ({ freshness, onViolation = "Block", ...expectation }: Expectation): ExpectationTask =>
  JSON.parse(
    JSON.stringify({
      ...expectation,
      onViolation,
      ...(freshness ? { freshness: { maxAge: parseDuration(freshness.maxAge) } } : {}),
    }),
  );

/** Maps have no order in Kubernetes; by name is the order that stays. */
function splitRuleOf({ splits, splitBy, timeSplits, splitSeed }: DatasetSpec): SplitRule | undefined {
  if (timeSplits) return { times: timeSplits.map(({ name, from }) => ({ name, ...(from ? { from } : {}) })) };
  if (!splits) return undefined;
  const shares = Object.entries(splits)
    .map(([name, percent]) => ({ name, percent }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return { shares, seed: splitSeed, ...(splitBy ? { by: splitBy } : {}) };
}
