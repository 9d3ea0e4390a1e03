/** One column on a card: what it is, its numbers and its picture. */
import type { Column, ColumnProfile } from "../../store/api.ts";
import { formatNumber, formatShare } from "../format.ts";
import { formatValue } from "../shape.ts";
import { picture } from "./charts.ts";
import { html, type Markup } from "./markup.ts";

export const withheldNote = html`<p class="withheld">values withheld: the column is sensitive</p>`;

export function columnBadges(type: string, column: Column | undefined): Markup {
  return html`${column?.role && html`<span class="badge role">${column.role}</span>`}<span class="badge">${type}</span>`;
}

export function columnCard(profile: ColumnProfile, column: Column | undefined, id: string): Markup {
  const withheld = column?.sensitive === true;
  const image = withheld ? withheldNote : (picture({ profiles: [profile], id }) ?? noPicture(profile));
  return html`<article class="card" id="${id}"><header><h3>${profile.name}</h3><div class="badges">${columnBadges(profile.type, column)}</div></header>
${image}${statistics(profile, withheld)}</article>
`;
}

function noPicture({ count, nulls, distinct, min }: ColumnProfile): Markup {
  if (count === nulls) return html`<p class="withheld">every value is null</p>`;
  if (distinct === 1 && min !== undefined) return html`<p class="withheld">one single value: ${formatValue(min)}</p>`;
  return html`<p class="withheld">no picture for this type</p>`;
}

/** Name and number pairs, two on a line. */
function statistics(profile: ColumnProfile, withheld: boolean): Markup {
  const { nulls, count, distinct, min, max, mean, stddev, quantiles = {}, correlation } = profile;
  const share = count > 0 ? nulls / count : 0;
  const number = (value: number | undefined) => (value === undefined ? undefined : formatNumber(value));
  const values: (readonly [string, string | undefined])[] = [
    ["mean", number(mean)],
    ["std. dev.", number(stddev)],
    ["minimum", min === undefined ? undefined : formatValue(min)],
    ["maximum", max === undefined ? undefined : formatValue(max)],
    ["5 %", number(quantiles["0.05"])],
    ["95 %", number(quantiles["0.95"])],
    ["25 %", number(quantiles["0.25"])],
    ["75 %", number(quantiles["0.75"])],
    ["median", number(quantiles["0.5"])],
    ["r with label", correlation?.toFixed(3)],
  ];
  const pairs = [
    ["nulls", `${formatShare(share)}${nulls > 0 ? ` (${formatNumber(nulls)})` : ""}`] as const,
    ["distinct", formatNumber(distinct)] as const,
    ...(withheld ? [] : values),
  ].filter((pair): pair is readonly [string, string] => pair[1] !== undefined);
  const lines = Array.from({ length: Math.ceil(pairs.length / 2) }, (_, line) => pairs.slice(line * 2, line * 2 + 2));
  const cells = (pair: readonly [string, string]) => html`<th scope="row">${pair[0]}</th><td class="n">${pair[1]}</td>`;
  return html`<table aria-label="Statistics of ${profile.name}"><tbody>${lines.map((line) => html`<tr>${line.map(cells)}</tr>`)}</tbody></table>`;
}
