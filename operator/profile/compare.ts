/** What has changed from one version of a Dataset to another. */
import type { Column, ColumnProfile, DatasetVersionDetail } from "../store/api.ts";
import { columnDrift, type Drift } from "./psi.ts";
import { withholdValues } from "./withheld.ts";

/** little: PSI below 0.1, or no more than chance; moderate: below 0.25; much: from 0.25 on. */
export type Verdict = "little" | "moderate" | "much";

/** Later minus earlier; absent where one of them has no such number. */
export interface Deltas {
  /** Of the share of rows, in [-1, 1]. */
  nulls?: number;
  distinct?: number;
  mean?: number;
  stddev?: number;
  quantiles?: Record<string, number>;
}

export interface ColumnComparison {
  name: string;
  change: "Added" | "Removed" | "Retyped" | "Kept";
  /** No value of it is in either version's profile. */
  withheld: boolean;
  before?: ColumnProfile;
  after?: ColumnProfile;
  deltas: Deltas;
  /** Absent where it can't be told, and for the roles Key and Timestamp, whose values are new by design. */
  drift?: Drift & { verdict: Verdict };
}

export interface Comparison {
  before: DatasetVersionDetail;
  after: DatasetVersionDetail;
  /** What has changed the most comes first: columns that came, went or have another type, then by PSI. */
  columns: ColumnComparison[];
}

export function compareVersions(before: DatasetVersionDetail, after: DatasetVersionDetail): Comparison {
  const [old, now] = [sides(before), sides(after)];
  const names = [...new Set([...now.keys(), ...old.keys()])];
  const columns = names.map((name) => compareColumns(name, old.get(name), now.get(name)));
  return { before, after, columns: columns.sort((a, b) => rank(b) - rank(a)) };
}

export function verdictOf({ psi, chance }: Drift): Verdict {
  if (psi < 0.1 || psi <= chance) return "little";
  return psi < 0.25 ? "moderate" : "much";
}

interface Side {
  column: Column | undefined;
  profile: ColumnProfile;
}

function sides({ columns, profile }: DatasetVersionDetail): Map<string, Side> {
  const described = new Map(columns.map((column) => [column.name, column]));
  return new Map(profile.map((profile) => [profile.name, { column: described.get(profile.name), profile }]));
}

function compareColumns(name: string, old: Side | undefined, now: Side | undefined): ColumnComparison {
  const withheld = old?.column?.sensitive === true || now?.column?.sensitive === true;
  const [before, after] = [old, now].map((side) => (side && withheld ? withholdValues(side.profile) : side?.profile));
  const change = !before ? "Added" : !after ? "Removed" : before.type === after.type ? "Kept" : "Retyped";
  const found = before && after && !isNew(now?.column) ? columnDrift(before, after) : undefined;
  return {
    ...{ name, change, withheld },
    ...(before ? { before } : {}),
    ...(after ? { after } : {}),
    deltas: before && after ? deltas(before, after) : {},
    ...(found ? { drift: { ...found, verdict: verdictOf(found) } } : {}),
  };
}

/** A key and a time of their own for every row: that they are others than before is what they are for. */
const isNew = (column: Column | undefined) => column?.role === "Key" || column?.role === "Timestamp";

function deltas(before: ColumnProfile, after: ColumnProfile): Deltas {
  const mean = difference(before.mean, after.mean);
  const stddev = difference(before.stddev, after.stddev);
  const quantiles = Object.entries(after.quantiles ?? {}).flatMap(([probability, value]) => {
    const change = difference(before.quantiles?.[probability], value);
    return change === undefined ? [] : [[probability, change] as const];
  });
  return {
    nulls: share(after) - share(before),
    distinct: after.distinct - before.distinct,
    ...(mean !== undefined ? { mean } : {}),
    ...(stddev !== undefined ? { stddev } : {}),
    ...(quantiles.length > 0 ? { quantiles: Object.fromEntries(quantiles) } : {}),
  };
}

const share = ({ nulls, count }: ColumnProfile) => (count > 0 ? nulls / count : 0);
const difference = (before: number | undefined, after: number | undefined) =>
  before === undefined || after === undefined ? undefined : after - before;

/** Columns whose values are withheld come by how much their nulls have changed, which is less than any drift of note. */
function rank({ change, drift, deltas }: ColumnComparison): number {
  if (change !== "Kept") return Number.POSITIVE_INFINITY;
  const weight = drift ? { little: 0, moderate: 1e6, much: 2e6 }[drift.verdict] + drift.psi : 0;
  return weight + Math.abs(deltas.nulls ?? 0) / 1e3;
}
