/** Versions of a Dataset with profiles of given values, as the agent makes them. */
import type { Column, ColumnProfile, ColumnType, DatasetVersionDetail } from "../../operator/store/api.ts";
import { digestOf } from "./kinds.ts";

export type Value = number | string | boolean | null;
type Bin = NonNullable<ColumnProfile["histogram"]>;
const probabilities = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

export interface ColumnInput extends Partial<Column> {
  values: readonly Value[];
  correlation?: number;
}

export function profileOf(name: string, type: ColumnType, values: readonly Value[]): ColumnProfile {
  const known = values.filter((value) => value !== null);
  const kinds = new Map<string, number>();
  for (const value of known) kinds.set(String(value), (kinds.get(String(value)) ?? 0) + 1);
  const top = [...kinds].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, 20);
  const base = { name, type, count: values.length, nulls: values.length - known.length, distinct: kinds.size };
  const topValues = type === "Double" ? {} : { topValues: top.map(([value, count]) => ({ value, count })) };
  if (known.length === 0) return base;
  return { ...base, ...(type === "Int64" || type === "Double" ? numbers(known.map(Number)) : {}), ...topValues };
}

function numbers(values: readonly number[]): Partial<ColumnProfile> {
  const sorted = [...values].sort((a, b) => a - b);
  const [min = 0, max = 0] = [sorted[0], sorted.at(-1)];
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(values.length - 1, 1);
  const quantiles = probabilities.map((p) => [`${p}`, sorted[Math.round(p * (sorted.length - 1))] ?? 0]);
  return {
    ...{ min, max, mean, stddev: Math.sqrt(variance), quantiles: Object.fromEntries(quantiles) },
    histogram: histogramOf(sorted),
  };
}

function histogramOf(sorted: readonly number[]): Bin {
  const [min = 0, max = 0] = [sorted[0], sorted.at(-1)];
  if (min === max) return { edges: [min, max], counts: [sorted.length] };
  const width = (max - min) / 20;
  const counts = new Array<number>(20).fill(0);
  for (const value of sorted) {
    const bin = Math.min(Math.floor((value - min) / width), 19);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { edges: Array.from({ length: 21 }, (_, bin) => (bin === 20 ? max : min + bin * width)), counts };
}

export function versionDetail(
  version: number,
  columns: Readonly<Record<string, ColumnInput>>,
  changes: Partial<DatasetVersionDetail> = {},
): DatasetVersionDetail {
  const rows = Math.max(0, ...Object.values(columns).map(({ values }) => values.length));
  const described = Object.entries(columns).map(([name, { type = "Double", role, sensitive, values }]) => ({
    ...{ name, type, nullable: values.includes(null) },
    ...(role ? { role } : {}),
    ...(sensitive ? { sensitive } : {}),
  }));
  const profile = Object.entries(columns).map(([name, { type = "Double", values, correlation }]) => ({
    ...profileOf(name, type, values),
    ...(correlation !== undefined ? { correlation } : {}),
  }));
  return {
    ...{ version, digest: digestOf(`wine ${version}`), format: "CSV", rows, bytes: rows * 64, splits: { all: rows } },
    ...{ columns: described, profile, createdAt: "2026-03-01T10:06:40.000Z" },
    files: [{ path: "all/data.csv", size: rows * 64, digest: digestOf(`file ${version}`) }],
    ...changes,
  };
}
