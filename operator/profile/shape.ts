/** What the renderings share: how a profile's numbers are made ready to be drawn. */
import type { ColumnProfile } from "../store/api.ts";
import { formatNumber } from "./format.ts";
import { rebin } from "./rebin.ts";

type Histogram = NonNullable<ColumnProfile["histogram"]>;

/** Shares of rows by bin, between common edges. */
export interface Shares {
  edges: number[];
  /** One list for each histogram. */
  shares: number[][];
}

/** Equal-width bins over the range of all of them. Undefined where there is no range: one single value, or none. */
export function commonBins(histograms: readonly (Histogram | undefined)[], count = 20): Shares | undefined {
  const known = histograms.filter((histogram): histogram is Histogram => (histogram?.edges.length ?? 0) > 0);
  const min = Math.min(...known.map(({ edges }) => edges[0] ?? 0));
  const max = Math.max(...known.map(({ edges }) => edges.at(-1) ?? 0));
  const width = (max - min) / count;
  if (known.length === 0 || !(width > 0) || !Number.isFinite(width)) return undefined;
  const own = known[0]?.edges ?? [];
  const isOwn = known.length === 1 && own.length === count + 1;
  const edges = isOwn ? own : Array.from({ length: count + 1 }, (_, bin) => (bin === count ? max : min + bin * width));
  return {
    edges,
    shares: histograms.map((histogram) => {
      const rows = histogram ? rebin(histogram, { edges, whole: false }) : new Array<number>(count).fill(0);
      const all = rows.reduce((sum, row) => sum + row, 0);
      return rows.map((row) => (all > 0 ? row / all : 0));
    }),
  };
}

export interface ValueShare {
  value: string;
  /** Of rows that have a value, in each version; undefined where the version's list is too short to tell. */
  shares: (number | undefined)[];
}

/** The most frequent values in the order of the last version that has them. */
export function commonValues(profiles: readonly (ColumnProfile | undefined)[], limit: number): ValueShare[] {
  const lists = profiles.map((profile) => new Map(profile?.topValues?.map(({ value, count }) => [value, count])));
  const values = [...new Set([...lists].reverse().flatMap((list) => [...list.keys()].slice(0, limit)))].slice(0, limit);
  return values.map((value) => ({
    value,
    shares: profiles.map((profile, index) => {
      const list = lists[index];
      const rows = profile ? profile.count - profile.nulls : 0;
      const listed = [...(list?.values() ?? [])].reduce((sum, count) => sum + count, 0);
      const count = list?.get(value) ?? (listed >= rows ? 0 : undefined);
      return count === undefined || rows === 0 ? undefined : count / rows;
    }),
  }));
}

/** The range of a column's values, for people. */
export function formatValue(value: ColumnProfile["min"]): string {
  return typeof value === "number" ? formatNumber(value) : value === undefined ? "" : String(value);
}
