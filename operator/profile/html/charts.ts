/** Pictures of a column's values, as SVG with a title and a description for those who don't see it. */
import type { ColumnProfile } from "../../store/api.ts";
import { formatEdge, formatNumber, formatShare } from "../format.ts";
import { commonBins, commonValues, type Shares } from "../shape.ts";
import { html, type Markup } from "./markup.ts";

const width = 320;
const height = 96;
const left = 34;
const base = height - 18;
const top = 8;

/** A position in the picture; two decimals are finer than a screen. */
const at = (value: number) => Number(value.toFixed(2));

export interface Pictured {
  /** One version, or an earlier and a later one. */
  profiles: readonly (ColumnProfile | undefined)[];
  /** Names the picture's parts; unique on the page. */
  id: string;
}

/** Histogram or most frequent values, whichever tells more; undefined where there is neither. */
export function picture(pictured: Pictured): Markup | undefined {
  const { profiles } = pictured;
  const few = profiles.some((profile) => profile?.topValues && profile.topValues.length <= 8);
  const bins = few ? undefined : commonBins(profiles.map((profile) => profile?.histogram));
  if (bins) return histogram(bins, pictured);
  return valueBars(profiles);
}

function histogram({ edges, shares }: Shares, { profiles, id }: Pictured): Markup {
  const now = shares.at(-1) ?? [];
  const then = shares.length > 1 && profiles[0] ? shares[0] : undefined;
  const highest = Math.max(...now, ...(then ?? []), 0.0001);
  const [first = 0, last = 1] = [edges[0], edges.at(-1)];
  const x = (value: number) => at(left + ((value - first) / (last - first)) * (width - left - 6));
  const y = (share: number) => at(base - (share / highest) * (base - top));
  const { name = "", type = "Double" } = profiles.at(-1) ?? profiles[0] ?? {};
  const edge = (value: number) => formatEdge(value, type, last - first);
  const bars = now.map((share, bin) => {
    const [from, to] = [edges[bin] ?? 0, edges[bin + 1] ?? 0];
    const before = then ? `, before ${formatShare(then[bin] ?? 0)}` : "";
    const title = `${edge(from)} to ${edge(to)}: ${formatShare(share)} of values${before}`;
    const room = Math.max(x(to) - x(from) - 1, 0.5);
    // A bin that is not empty is seen, however few its rows are.
    const tall = share > 0 ? Math.max(base - y(share), 1) : 0;
    return html`<rect class="bar" x="${x(from)}" y="${at(base - tall)}" width="${at(room)}" height="${at(tall)}"><title>${title}</title></rect>`;
  });
  const outline = then && html`<path class="past" d="${stepPath(then, edges, { x, y })}"/>`;
  const middle = (first + last) / 2;
  const ticks = [
    [first, "start"],
    [middle, "middle"],
    [last, "end"],
  ] as const;
  return html`<figure><svg class="${then ? "pair" : "one"}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-t ${id}-d"><title id="${id}-t">Histogram of ${name}</title><desc id="${id}-d">${describe(now, edges, edge)}</desc>
<line class="axis" x1="${left}" x2="${width - 6}" y1="${top}" y2="${top}"/><line class="axis" x1="${left}" x2="${width - 6}" y1="${base}" y2="${base}"/>
<text x="${left - 5}" y="${top + 4}" text-anchor="end">${formatShare(highest)}</text><text x="${left - 5}" y="${base + 3}" text-anchor="end">0</text>
${bars}${outline}${ticks.map(([value, anchor]) => html`<text x="${x(value)}" y="${height - 4}" text-anchor="${anchor}">${edge(value)}</text>`)}
</svg></figure>`;
}

interface Scale {
  x: (value: number) => number;
  y: (share: number) => number;
}

function stepPath(shares: readonly number[], edges: readonly number[], { x, y }: Scale): string {
  const steps = shares.map((share, bin) => `V${y(share)}H${x(edges[bin + 1] ?? 0)}`);
  return `M${x(edges[0] ?? 0)} ${base}${steps.join("")}V${base}`;
}

function describe(shares: readonly number[], edges: readonly number[], edge: (value: number) => string): string {
  const highest = shares.indexOf(Math.max(...shares));
  const [first = 0, last = 0] = [edges[0], edges.at(-1)];
  const peak = `${formatShare(shares[highest] ?? 0)} of values between ${edge(edges[highest] ?? 0)} and ${edge(edges[highest + 1] ?? 0)}`;
  return `${shares.length} bins from ${edge(first)} to ${edge(last)}; the highest has ${peak}.`;
}

const shownValues = 8;

function valueBars(profiles: readonly (ColumnProfile | undefined)[]): Markup | undefined {
  const values = commonValues(profiles, shownValues);
  if (values.length === 0) return undefined;
  const highest = Math.max(...values.flatMap(({ shares }) => shares.map((share) => share ?? 0)), 0.0001);
  const rows = values.map(({ value, shares }) => {
    const texts = shares.flatMap((share, index) =>
      profiles[index] ? [share === undefined ? "?" : formatShare(share)] : [],
    );
    const tracks = shares.map(
      (share, index) =>
        html`<div class="track"><i${index < shares.length - 1 && html` class="then"`} style="width:${at(((share ?? 0) / highest) * 100)}%"></i></div>`,
    );
    return html`<dt title="${value}">${value === "" ? html`<span class="soft">(empty)</span>` : value}</dt><dd>${tracks}</dd><dd class="number">${texts.join(" → ")}</dd>`;
  });
  const last = profiles.at(-1) ?? profiles[0];
  const others = (last?.distinct ?? 0) - values.length;
  return html`<figure><dl class="values">${rows}</dl>${others > 0 && html`<p class="soft small">and ${formatNumber(others)} more</p>`}</figure>`;
}

/** A histogram as small as a word, for tables; what it shows is told elsewhere. */
export function sparkPicture(profile: ColumnProfile): Markup | undefined {
  const shares =
    commonBins([profile.histogram])?.shares[0] ?? commonValues([profile], 20).map(({ shares: [share = 0] }) => share);
  if (shares.length === 0) return undefined;
  const highest = Math.max(...shares, 0.0001);
  const step = Math.min(120 / shares.length, 24);
  const bars = shares.map((share, bin) => {
    const tall = share > 0 ? Math.max((share / highest) * 22, 1) : 0;
    return html`<rect class="bar" x="${at(bin * step)}" y="${at(24 - tall)}" width="${at(step - 1)}" height="${at(tall)}"/>`;
  });
  return html`<svg class="spark" viewBox="0 0 120 24" aria-hidden="true">${bars}</svg>`;
}
