import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ColumnInput, versionDetail } from "../../../test/builders/profile.ts";
import { compareVersions } from "../compare.ts";
import { diffPage } from "./diff-page.ts";
import { html } from "./markup.ts";
import { mostCards, profilePage } from "./profile-page.ts";

const subject = { dataset: "wine", namespace: "team-a", current: 2 };
const range = (count: number, of: (index: number) => number | null) => Array.from({ length: count }, (_, i) => of(i));

/** Throws where a page is not well-formed XML: tags that don't match, attributes without quotes or twice, characters that must be escaped. */
function elements(page: string): { name: string; attributes: Map<string, string> }[] {
  const found: { name: string; attributes: Map<string, string> }[] = [];
  const open: string[] = [];
  const body = page.replace(/^<!DOCTYPE html>\n/, "").replace(/<style>[^<]*<\/style>/, "");
  const pattern = /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z0-9:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)|(.)/gsu;
  for (const { index: at, ...match } of body.matchAll(pattern)) {
    const { 0: whole, 1: end, 2: name = "", 3: list = "", 4: empty, 5: text, 6: other } = match;
    if (other !== undefined) throw new Error(`not well-formed at ${body.slice(at, at + 80)}`);
    const escaped = (text ?? list).replace(/&(amp|lt|gt|quot|#39);/g, "");
    if (/[&>]/.test(escaped)) throw new Error(`not escaped: ${escaped}`);
    if (/[\p{Cc}\p{Cs}\ufffe\uffff]/u.test(whole.replaceAll("\n", ""))) throw new Error("forbidden");
    if (text !== undefined) continue;
    if (end) {
      if (open.pop() !== name) throw new Error(`</${name}> closes nothing`);
      continue;
    }
    const attributes = [...list.matchAll(/([a-zA-Z0-9:-]+)="([^"]*)"/g)].map(
      ([, key = "", value = ""]) => [key, value] as const,
    );
    if (new Set(attributes.map(([key]) => key)).size < attributes.length) throw new Error(`twice in ${whole}`);
    found.push({ name, attributes: new Map(attributes) });
    if (!empty) open.push(name);
  }
  if (open.length > 0) throw new Error(`left open: ${open}`);
  return found;
}

const table: Record<string, ColumnInput> = {
  ...{
    alcohol: { values: range(200, (i) => i), correlation: -0.5 },
    holes: { values: range(200, (i) => (i % 4 ? null : 5)) },
  },
  colour: { type: "String", values: Array.from({ length: 200 }, (_, i) => (i % 4 ? "red" : "")) },
  mail: { type: "String", sensitive: true, values: ["secret@example.com"] },
  nothing: { values: [null, null] },
  day: { type: "Date", values: ["2026-01-01"] },
  class: { type: "Int64", role: "Label", values: range(200, (i) => i % 2) },
};
const version = versionDetail(2, table, {
  source: { uri: "https://host/wine.csv?a=1&b=<2>" },
  parents: [{ dataset: "raw", version: 7, digest: `sha256:${"0".repeat(64)}`, split: "train" }],
  splits: { train: 160, test: 40 },
  newest: "2026-03-01T10:00:00.000Z",
  expectations: [{ name: "enough", passed: false, message: "200 rows, fewer than 300" }],
  missing: [{ columns: ["holes", "nothing"], rows: 150 }],
});
const earlier = versionDetail(1, {
  ...table,
  alcohol: { values: range(100, (i) => i + 150) },
  gone: { values: [1, 2] },
});
const profile = profilePage(subject, version);
const diff = diffPage(subject, compareVersions(earlier, version));

describe.each([
  ["profile", profile],
  ["comparison", diff],
])("the page of a %s", (_, page) => {
  test("is well-formed, and says what each picture shows", () => {
    const found = elements(page);
    const pictures = found.filter(({ name, attributes }) => name === "svg" && attributes.get("aria-hidden") !== "true");
    expect(pictures.length).toBeGreaterThan(0);
    const ids = new Set(found.map(({ attributes }) => attributes.get("id")));
    for (const { attributes } of pictures) {
      const named = (attributes.get("aria-labelledby") ?? "none").split(" ");
      expect(named.filter((id) => !ids.has(id))).toEqual([]);
    }
    const links = found.flatMap(({ name, attributes }) => (name === "a" ? [attributes.get("href") ?? ""] : []));
    expect(links.length).toBeGreaterThan(3);
    expect(links.filter((href) => !ids.has(href.slice(1)))).toEqual([]);
    const all = found.flatMap(({ attributes }) => attributes.get("id") ?? []);
    expect(new Set(all).size).toBe(all.length);
  });

  test("loads nothing and runs nothing", () => {
    const found = elements(page);
    expect(found.filter(({ name }) => /^(script|link|img|iframe|object|embed|base|form)$/.test(name))).toEqual([]);
    const loads = found.flatMap(({ attributes }) =>
      [...attributes].filter(
        ([key, value]) => /^(src|on.*|srcset|xlink:href|action)$/.test(key) || /url\(|@import|javascript:/i.test(value),
      ),
    );
    expect(loads).toEqual([]);
    expect(
      found.filter(({ attributes }) => attributes.get("href") && !attributes.get("href")?.startsWith("#")),
    ).toEqual([]);
    expect(page).toContain("default-src &#39;none&#39;");
    expect(page.match(/<style>([^<]*)<\/style>/)?.[1]).not.toMatch(/url\(|@import|https?:/);
  });

  test("shows no value of a sensitive column, and says so", () => {
    expect(page).not.toContain("secret");
    expect(page).toContain("values withheld");
  });
});

test("a profile's page has what the version is, its expectations, correlations and missing values", () => {
  const parts = [
    ...[
      "wine, version 2",
      "team-a",
      "current version",
      "raw version 7 (split train)",
      "train 160 · test 40",
      "a=1&amp;b=&lt;2&gt;",
    ],
    ...["✗ broken", "200 rows, fewer than 300", "Correlation with the label class", "-0.500", "holes, nothing", "75%"],
    ...[
      "Histogram of alcohol",
      "every value is null",
      "one single value: 5",

      "(empty)",
      "2026-03-01 10:00 UTC",
    ],
  ];
  expect(parts.filter((part) => !profile.includes(part))).toEqual([]);
});

test("the axis of dates has dates", () => {
  const seconds = (day: number) => Date.UTC(2026, 0, day) / 1000;
  const { histogram: _, ...numbers } = versionDetail(2, { x: { values: [1] } }).profile[0] ?? {
    name: "",
    type: "Date",
    count: 0,
    nulls: 0,
    distinct: 0,
  };
  const day = {
    ...numbers,
    name: "day",
    type: "Date" as const,
    histogram: { edges: [seconds(1), seconds(11), seconds(21)], counts: [3, 1] },
  };
  const page = profilePage(subject, { ...version, profile: [day] });
  for (const part of ["2026-01-01", "2026-01-11", "2026-01-21"]) expect(page).toContain(`>${part}</text>`);
});

test("a comparison's page has both versions, changes first", () => {
  expect(
    ["wine, version 1 → 2", "much drift", "removed", 'class="past"'].filter((part) => !diff.includes(part)),
  ).toEqual([]);
  expect(diff.indexOf(">gone<")).toBeLessThan(diff.indexOf(">alcohol<"));
  expect(diffPage(subject, compareVersions(version, version))).toContain("nothing has changed");
});

test("whatever names and values are, they stay text", () => {
  const character = fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code));
  const hostile = fc.oneof(
    fc.string({ unit: character, minLength: 1, maxLength: 60 }),
    fc.constantFrom(
      "</style><script>alert(1)</script>",
      `" onload="alert(1)`,
      "' onclick='x",
      "<!--",
      "]]>",
      "&lt;",
      "\u0000\u202e\ud800",
      "__proto__",
    ),
  );
  const allowed = new Set([...elements(profile), ...elements(diff)].map(({ name }) => name));
  fc.assert(
    fc.property(hostile, hostile, (name, value) => {
      const input = { [`${name}x`]: { type: "String" as const, values: [value, null] }, y: { values: [1, 2] } };
      const changes = {
        source: { uri: value },
        missing: [{ columns: [name], rows: 1 }],
        expectations: [{ name, passed: true, message: value }],
      };
      const hurt = versionDetail(2, input, changes);
      for (const page of [
        profilePage(subject, hurt),
        diffPage(subject, compareVersions(versionDetail(1, { y: { values: [1, 9] } }), hurt)),
      ]) {
        const foreign = elements(page).filter(
          ({ name, attributes }) => !allowed.has(name) || [...attributes.keys()].some((key) => key.startsWith("on")),
        );
        expect(foreign).toEqual([]);
      }
    }),
    { numRuns: 25 },
  );
  expect(html`<b title="${`"'<>&`}">${"\n\u202e"}</b>`.text).toBe('<b title="&quot;&#39;&lt;&gt;&amp;">⏎\\u202e</b>');
});

test("ten thousand columns make a page that opens: cards for the first five hundred, a row for each", () => {
  const one = versionDetail(2, { x: { values: [1, 2, 4] } });
  const names = Array.from({ length: 10_000 }, (_, index) => `c${index}`);
  const of = <T extends object>(part: readonly T[]) => names.map((name) => ({ ...(part[0] as T), name }));
  const page = profilePage(subject, { ...one, columns: of(one.columns), profile: of(one.profile) });
  expect(page.match(/<article/g)).toHaveLength(mostCards);
  expect(page).toContain("The other 9,500 columns are in the table above.");
  expect(page.length).toBeLessThan(20e6);
  expect(profile.length).toBeLessThan(60_000);
});
