/** What a derived Dataset is made of: the current versions of others, once they have come to rest. */
import type { Dataset } from "../../api/v1alpha1/dataset.ts";
import { lackingSplit } from "../splits.ts";
import type { Verdict } from "../verdict.ts";

/** Datasets of one namespace, by name. */
export type Others = ReadonlyMap<string, Dataset>;

export interface ResolvedInput {
  /** The table's name in the SQL. */
  name: string;
  dataset: string;
  version: number;
  digest: string;
  /** Absent at first: of how the version is read. */
  revision?: number;
  split?: string;
}

const from = ({ spec }: Dataset) => spec.from ?? [];

/** All that this Dataset is derived from, directly or not, as far as it exists. */
export function ancestors(dataset: Dataset, get: (name: string) => Dataset | undefined): Others {
  const found = new Map<string, Dataset>();
  const open = [dataset];
  for (let next = open.pop(); next; next = open.pop()) {
    for (const { datasetRef } of from(next)) {
      const other = found.has(datasetRef.name) ? undefined : get(datasetRef.name);
      if (!other) continue;
      found.set(datasetRef.name, other);
      open.push(other);
    }
  }
  return found;
}

/** The versions to derive from, or what is to be waited for. */
export function resolveInputs(dataset: Dataset, others: Others): ResolvedInput[] | Verdict {
  const cycle = cycleOf(dataset, others);
  if (cycle) {
    const message = `spec.from makes a circle: ${cycle.join(" ← ")}: take one of them out`;
    return { state: "stalled", reason: "InputCycle", message };
  }
  const inputs: ResolvedInput[] = [];
  for (const { name, datasetRef } of from(dataset)) {
    const input = resolveInput({ name, wanted: datasetRef }, others);
    if ("state" in input) return input;
    inputs.push(input);
  }
  return inputs;
}

function resolveInput(
  { name, wanted }: { name: string; wanted: { name: string; split?: string | undefined } },
  others: Others,
): ResolvedInput | Verdict {
  const other = others.get(wanted.name);
  const waiting = (reason: string, message: string): Verdict => ({ state: "waiting", reason, message });
  if (!other) return waiting("InputMissing", `Dataset ${wanted.name} does not exist in this namespace`);
  const { version, digest, revision, splits = {} } = other.status ?? {};
  if (!version || !digest) return waiting("InputNotReady", `Dataset ${wanted.name} has no version yet`);
  if (!isSettled(other, others)) {
    return waiting("InputNotReady", `Dataset ${wanted.name} is still to follow what it is derived from`);
  }
  const input = { name, dataset: wanted.name, version, digest, ...(revision === undefined ? {} : { revision }) };
  if (wanted.split === "all") return input;
  const lacking = lackingSplit(wanted, splits);
  if (lacking) return waiting("SplitNotFound", lacking);
  const split = wanted.split ?? ("train" in splits ? "train" : undefined);
  return { ...input, ...(split === undefined ? {} : { split }) };
}

/**
 * A derived Dataset whose inputs have moved on will have another version soon, but for one that has failed. Each is
 * looked at once: there are many ways through a net of Datasets.
 */
function isSettled({ spec, metadata, status }: Dataset, others: Others, seen = new Set<string>()): boolean {
  if (seen.has(metadata.name)) return true;
  seen.add(metadata.name);
  if (!spec.from || status?.conditions?.some(({ type }) => type === "Stalled")) return true;
  return spec.from.every(({ datasetRef }) => {
    const input = others.get(datasetRef.name);
    if (!input) return true;
    const isParent = status?.parents?.some(
      ({ name, digest, revision }) =>
        name === datasetRef.name && digest === input.status?.digest && revision === input.status.revision,
    );
    return isParent === true && isSettled(input, others, seen);
  });
}

/** The way from this Dataset back to itself, where there is one. */
function cycleOf(dataset: Dataset, others: Others): string[] | undefined {
  const start = dataset.metadata.name;
  const seen = new Set<string>();
  const search = (current: Dataset, path: readonly string[]): string[] | undefined => {
    for (const { datasetRef } of from(current)) {
      if (datasetRef.name === start) return [...path, start];
      const next = others.get(datasetRef.name);
      if (!next || seen.has(datasetRef.name)) continue;
      seen.add(datasetRef.name);
      const found = search(next, [...path, datasetRef.name]);
      if (found) return found;
    }
    return undefined;
  };
  return search(dataset, [start]);
}
