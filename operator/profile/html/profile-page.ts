/** A version's profile as one page. */
import type { DatasetVersionDetail, ExpectationResult } from "../../store/api.ts";
import { formatBytes, formatNumber, formatShare, formatTime } from "../format.ts";
import type { Subject } from "../subject.ts";
import { sensitiveNames, withholdSensitive } from "../withheld.ts";
import { sparkPicture } from "./charts.ts";
import { columnBadges, columnCard } from "./column-card.ts";
import { html, type Markup } from "./markup.ts";
import { facts, renderPage, tiles } from "./page.ts";

/** A table may have ten thousand columns; a page of as many cards would open nowhere. */
export const mostCards = 500;

export function profilePage(subject: Subject, found: DatasetVersionDetail): string {
  const version = withholdSensitive(found);
  const current = version.version === subject.current;
  return renderPage({
    title: `${subject.dataset}, version ${version.version}`,
    lead: html`<p class="soft">Dataset ${subject.dataset} in namespace ${subject.namespace}${current && " · current version"}</p>`,
    body: [
      overview(version),
      expectations(version.expectations),
      version.profile.length > 0 ? columnTable(version) : undefined,
      correlations(version),
      missing(version),
      version.profile.length > 0 ? cards(version) : undefined,
    ],
  });
}

function overview(version: DatasetVersionDetail): Markup {
  const cells = version.profile.reduce((sum, { count }) => sum + count, 0);
  const nulls = version.profile.reduce((sum, { nulls }) => sum + nulls, 0);
  const splits = Object.entries(version.splits);
  const parents = (version.parents ?? []).map(
    ({ dataset, version, split }) => `${dataset} version ${version}${split ? ` (split ${split})` : ""}`,
  );
  const rows: (readonly [string, Markup | string])[] = [
    ["Digest", html`<code>${version.digest}</code>`],
    ["Created", formatTime(version.createdAt)],
    ...(version.source ? [["Source", html`<code>${version.source.uri}</code>`] as const] : []),
    ...(parents.length > 0 ? [["Derived from", parents.join(", ")] as const] : []),
    ...(splits.length > 1
      ? [["Splits", splits.map(([name, rows]) => `${name} ${formatNumber(rows)}`).join(" · ")] as const]
      : []),
    ...(version.newest ? [["Newest row", formatTime(version.newest)] as const] : []),
  ];
  return html`${tiles([
    { name: "Rows", value: formatNumber(version.rows) },
    { name: "Columns", value: formatNumber(version.columns.length) },
    { name: "Size", value: formatBytes(version.bytes), note: version.format },
    ...(cells > 0 ? [{ name: "Missing cells", value: formatShare(nulls / cells) }] : []),
  ])}${facts(rows)}`;
}

function expectations(results: readonly ExpectationResult[] = []): Markup | undefined {
  if (results.length === 0) return undefined;
  const rows = results.map(
    ({ name, passed, message }) =>
      html`<tr><td class="${passed ? "good" : "bad"}">${passed ? "✓ kept" : "✗ broken"}</td><th scope="row">${name}</th><td>${message}</td></tr>`,
  );
  return html`<section><h2>Expectations</h2><div class="panel"><table><thead><tr><th scope="col">Result</th><th scope="col">Name</th><th scope="col">Found</th></tr></thead><tbody>${rows}</tbody></table></div></section>`;
}

function columnTable(version: DatasetVersionDetail): Markup {
  const described = new Map(version.columns.map((column) => [column.name, column]));
  const sensitive = sensitiveNames(version);
  const rows = version.profile.map((profile, index) => {
    const { name, nulls, count, distinct, type, mean, quantiles } = profile;
    const withheld = sensitive.has(name);
    const label = index < mostCards ? html`<a href="#c${index}">${name}</a>` : name;
    const number = (value: number | undefined) => (value === undefined || withheld ? "" : formatNumber(value));
    return html`<tr><th scope="row">${label}</th><td>${columnBadges(type, described.get(name))}</td><td class="n">${formatShare(count > 0 ? nulls / count : 0)}</td><td class="n">${formatNumber(distinct)}</td><td class="n">${number(mean)}</td><td class="n">${number(quantiles?.["0.5"])}</td><td>${withheld ? html`<span class="soft small">withheld</span>` : sparkPicture(profile)}</td></tr>
`;
  });
  return html`<section><h2>Columns</h2><div class="panel"><table><thead><tr><th scope="col">Name</th><th scope="col">Type</th><th scope="col" class="n">Nulls</th><th scope="col" class="n">Distinct</th><th scope="col" class="n">Mean</th><th scope="col" class="n">Median</th><th scope="col">Distribution</th></tr></thead><tbody>
${rows}</tbody></table></div></section>
`;
}

function cards(version: DatasetVersionDetail): Markup {
  const described = new Map(version.columns.map((column) => [column.name, column]));
  const shown = version.profile.slice(0, mostCards);
  const rest = version.profile.length - shown.length;
  return html`<section><h2>Column by column</h2><div class="cards">
${shown.map((profile, index) => columnCard(profile, described.get(profile.name), `c${index}`))}</div>${rest > 0 && html`<p class="soft">The other ${formatNumber(rest)} columns are in the table above.</p>`}</section>
`;
}

function correlations(version: DatasetVersionDetail): Markup | undefined {
  const label = version.columns.find(({ role }) => role === "Label")?.name;
  const ranked = version.profile
    .flatMap(({ name, correlation }) => (correlation === undefined || name === label ? [] : [{ name, correlation }]))
    .sort((a, b) => Math.abs(b.correlation) - Math.abs(a.correlation))
    .slice(0, 20);
  if (label === undefined || ranked.length === 0) return undefined;
  const rows = ranked.map(({ name, correlation }) => {
    const share = Number((Math.abs(correlation) * 50).toFixed(2));
    const bar =
      correlation < 0
        ? html`<i class="minus" style="right:50%;width:${share}%"></i>`
        : html`<i style="left:50%;width:${share}%"></i>`;
    return html`<tr><th scope="row">${name}</th><td class="n">${correlation.toFixed(3)}</td><td style="width:55%"><div class="diverging">${bar}</div></td></tr>`;
  });
  return html`<section><h2>Correlation with the label ${label}</h2><div class="panel"><table><caption>Pearson's r over rows that have both values; the strongest first.</caption><thead><tr><th scope="col">Column</th><th scope="col" class="n">r</th><th scope="col">−1 to 1</th></tr></thead><tbody>${rows}</tbody></table></div></section>`;
}

function missing({ missing = [], rows: all }: DatasetVersionDetail): Markup | undefined {
  const patterns = missing.filter(({ columns }) => columns.length > 0);
  if (patterns.length === 0) return undefined;
  const rows = patterns.map(({ columns, rows }) => {
    const share = all > 0 ? rows / all : 0;
    return html`<tr><th scope="row">${columns.join(", ")}</th><td class="n">${formatNumber(rows)}</td><td class="n">${formatShare(share)}</td><td style="width:30%"><div class="track"><i style="width:${Number((share * 100).toFixed(2))}%"></i></div></td></tr>`;
  });
  return html`<section><h2>Missing values</h2><div class="panel"><table><caption>Columns that are null in the same rows; the most frequent patterns.</caption><thead><tr><th scope="col">Null together</th><th scope="col" class="n">Rows</th><th scope="col" class="n">Share</th><th scope="col">Of all rows</th></tr></thead><tbody>${rows}</tbody></table></div></section>`;
}
