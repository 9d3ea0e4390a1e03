/** What the documents say of the repository is so. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { paths, read, root, sources } from "./tree.ts";

const documents = paths.filter((path) => path.endsWith(".md"));
const program = sources.filter(({ path }) => path.startsWith("operator/") && !path.endsWith(".test.ts"));
const code = program.map(({ text }) => text).join("\n");

test("README's map names every folder there is, and no other", () => {
  const map = read("README.md").split("## Map of the repository")[1]?.split("\n## ")[0] ?? "";
  const named = [...map.matchAll(/^\| `([^`]+)\/`/gm)].map(([, folder = ""]) => folder);
  expect(named.filter((folder) => !existsSync(join(root, folder)))).toEqual([]);
  const folders = (depth: number, under = "") => [
    ...new Set(
      paths
        .filter((path) => path.startsWith(under) && path.split("/").length > depth)
        .map((path) => path.split("/").slice(0, depth).join("/")),
    ),
  ];
  const expected = [...folders(1).filter((folder) => folder !== ".ci"), ...folders(2, "operator/")];
  expect(expected.filter((folder) => !named.some((name) => name === folder || name.startsWith(`${folder}/`)))).toEqual(
    [],
  );
});

/** GitHub's anchor of a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, "")
    .trim()
    .replaceAll(" ", "-");

/** Without blocks of code: a comment in one is no heading, and a bracket no link. */
const prose = (document: string) => read(document).replace(/^```[\s\S]*?^```/gm, "");

test.each(documents)("the links of %s lead somewhere", (document) => {
  const broken = [...prose(document).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = ""]) => link)
    .filter((link) => {
      if (/^[a-z]+:/.test(link)) return false;
      const [file = "", anchor] = link.split("#");
      const target = file ? join(dirname(document), file) : document;
      // Of the repository, not only of this machine.
      const folder = target.replace(/\/?$/, "/");
      if (!paths.some((path) => path === target || path.startsWith(folder))) return true;
      return (
        anchor !== undefined &&
        ![...prose(target).matchAll(/^#+ (.*)$/gm)].some(([, heading = ""]) => anchorOf(heading) === anchor)
      );
    });
  expect(broken).toEqual([]);
});

describe("docs/concepts.md", () => {
  const concepts = read("docs/concepts.md").split("## Conditions")[1] ?? "";
  const documented = new Set([...concepts.matchAll(/`([A-Z][A-Za-z]+)`/g)].map(([, name = ""]) => name));

  test("explains every reason that a condition can have", () => {
    // Given at once, by a choice between two, through a function that takes it first, or from the table of why pods don't start.
    const controllers = program.filter(({ path }) => path.startsWith("operator/controllers/"));
    const places =
      /\breason(?::| =) [^,;}\n]*|\b(?:waiting|missing|condition)\((?:\w+, )?\s*"\w+"|: "[A-Z]\w+(?:Failed|Invalid)",/g;
    const given = controllers
      .flatMap(({ text }) => text.match(places) ?? [])
      .flatMap((place) => [...place.matchAll(/"([A-Z][A-Za-z]+)"/g)].map(([, name = ""]) => name));
    expect(given).toEqual(
      expect.arrayContaining(["GatesPassed", "NameTaken", "ImagePullFailed", "CodeNotFound", "KedaNotFound"]),
    );
    const told = [
      ...(read("operator/agent/tasks.ts").match(/reason: z\.enum\(\[([^\]]*)\]/)?.[1] ?? "").matchAll(/"([^"]+)"/g),
    ].map(([, name = ""]) => name);
    expect(told.length).toBeGreaterThan(10);
    expect([...new Set([...given, ...told])].filter((reason) => !documented.has(reason)).sort()).toEqual([]);
  });

  test("explains no reason that there is not", () => {
    const rows = [...concepts.matchAll(/^\| (`[A-Z][^|]*) \|/gm)].flatMap(([, cell = ""]) => [
      ...cell.matchAll(/`([A-Z][A-Za-z]+)`/g),
    ]);
    expect(rows.map(([, reason = ""]) => reason).filter((reason) => !code.includes(`"${reason}"`))).toEqual([]);
  });
});

test("docs/operations.md names the metrics that there are, and all of them", () => {
  const metrics = (text: string) => [...new Set([...text.matchAll(/\blemnis_[a-z_]+/g)].map(([name]) => name))].sort();
  const defined = metrics([...code.matchAll(/name: "(lemnis_[a-z_]+)"/g)].map(([, name]) => name).join(" "));
  expect(metrics(read("docs/operations.md"))).toEqual(defined);
});

test("the changelog has an entry for what is not released yet", () => {
  expect(read("CHANGELOG.md")).toMatch(/## \[Unreleased\]\n\n### /);
});

test.each(documents)("%s has no placeholder left", (document) => {
  expect(read(document)).not.toMatch(/<!--|TODO|TBD|FIXME/);
});
