import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { derivedDataset, versionOf } from "../../../test/builders/datasets.ts";
import { dataset, metadataOf } from "../../../test/builders/kinds.ts";
import type { Dataset } from "../../api/v1alpha1/dataset.ts";
import { ancestors, type Others, resolveInputs } from "./inputs.ts";

type Status = NonNullable<Dataset["status"]>;

function source(name: string, version?: number, status: Partial<Status> = {}): Dataset {
  const { spec, ...rest } = dataset();
  const found = version ? { status: { ...versionOf(name, version), ...status } as Status } : {};
  return { ...rest, metadata: metadataOf(name, "dataset"), spec, ...found };
}

/** Derived from these versions of others. */
function derived(name: string, version: number, from: Record<string, number>): Dataset {
  const parents = Object.entries(from).map(([parent, number]) => ({ name: parent, ...versionOf(parent, number) }));
  return derivedDataset(name, Object.keys(from), { ...versionOf(name, version), parents });
}

const others = (...all: Dataset[]): Others => new Map(all.map((one) => [one.metadata.name, one]));
const subject = (...from: string[]) => derivedDataset("subject", from);
const of = (spec: object) => ({ ...subject("a"), spec: { ...subject("a").spec, ...spec } }) as Dataset;

describe("a derived Dataset", () => {
  test("is made from the current versions", () => {
    expect(resolveInputs(subject("a", "b"), others(source("a", 3), source("b", 1)))).toEqual([
      { name: "a", dataset: "a", ...versionOf("a", 3) },
      { name: "b", dataset: "b", ...versionOf("b", 1) },
    ]);
  });

  test.each<[string, Dataset[], string, RegExp]>([
    ["an input that is not there", [source("a", 1)], "InputMissing", /Dataset b does not exist/],
    ["an input without a version", [source("a", 1), source("b")], "InputNotReady", /Dataset b has no version yet/],
    [
      "an input that is still to follow its own",
      [source("a", 2), derived("b", 1, { a: 1 })],
      "InputNotReady",
      /Dataset b is still to follow/,
    ],
    [
      "an input whose inputs are still to follow theirs",
      [source("a", 2), derived("b", 1, { c: 1 }), derived("c", 1, { a: 1 })],
      "InputNotReady",
      /Dataset b is still to follow/,
    ],
  ])("waits for %s", (_, all, reason, message) => {
    const verdict = resolveInputs(subject("a", "b"), others(...all));
    expect(verdict).toMatchObject({ state: "waiting", reason, message: expect.stringMatching(message) });
  });

  test("waits for an input that is to follow how another one's version is read", () => {
    const revised = source("a", 1, { revision: 2 });
    const following = derived("b", 1, { a: 1 });
    const waits = resolveInputs(subject("a", "b"), others(revised, following));
    expect(waits).toMatchObject({ state: "waiting", reason: "InputNotReady" });
    const parents = [{ name: "a", ...versionOf("a", 1), revision: 2 }];
    const followed = { ...following, status: { ...following.status, parents } as Status };
    expect(resolveInputs(subject("a", "b"), others(revised, followed))).toMatchObject([{ revision: 2 }, {}]);
  });

  test("does not wait for one that has failed, and takes its last good version", () => {
    const failed = derived("b", 1, { a: 1 });
    const conditions = [
      { type: "Stalled", status: "True" as const, reason: "x", message: "x", lastTransitionTime: "x" },
    ];
    const stalled = { ...failed, status: { ...failed.status, conditions } as Status };
    expect(resolveInputs(subject("a", "b"), others(source("a", 2), stalled))).toMatchObject([
      { version: 2 },
      { version: 1 },
    ]);
  });

  test.each<[string, string | undefined, Record<string, number>, string | undefined]>([
    ["the split train, where there is one", undefined, { train: 8, test: 2 }, "train"],
    ["all rows, where there are no splits", undefined, { all: 10 }, undefined],
    ["the split that is named", "test", { train: 8, test: 2 }, "test"],
    ["all rows, where that is asked for", "all", { train: 8, test: 2 }, undefined],
  ])("reads %s", (_, split, splits, expected) => {
    const from = [{ name: "a", datasetRef: { name: "a", split } }];
    const [input] = resolveInputs(of({ from }), others(source("a", 1, { splits }))) as { split?: string }[];
    expect(input?.split).toBe(expected);
  });

  test.each<[string, string | undefined, Record<string, number>, string]>([
    [
      "a split that an input has not",
      "dev",
      { train: 8, test: 2 },
      "Dataset a has no rows in a split dev; it has train, test",
    ],
    [
      "the name of one, where none is called train",
      undefined,
      { fit: 8, holdout: 2 },
      "Dataset a has the splits fit, holdout: name one of them in datasetRef.split",
    ],
  ])("waits for %s", (_, split, splits, message) => {
    const from = [{ name: "a", datasetRef: { name: "a", split } }];
    const verdict = resolveInputs(of({ from }), others(source("a", 1, { splits })));
    expect(verdict).toMatchObject({ state: "waiting", reason: "SplitNotFound", message });
  });
});

describe("a circle", () => {
  test.each<[string, Dataset[], string]>([
    ["of one", [subject("subject")], "subject ← subject"],
    ["of two", [derivedDataset("b", ["subject"])], "subject ← b ← subject"],
    [
      "behind others",
      [source("a", 1), derivedDataset("b", ["a", "c"]), derivedDataset("c", ["subject"])],
      "subject ← b ← c ← subject",
    ],
  ])("%s is told", (_, all, circle) => {
    const start = all[0]?.metadata.name === "subject" ? subject("subject") : subject("b");
    const verdict = resolveInputs(start, others(...all));
    expect(verdict).toMatchObject({ state: "stalled", reason: "InputCycle", message: expect.stringContaining(circle) });
  });

  test("of others is theirs to tell: this one waits", () => {
    const all = others(derivedDataset("b", ["c"]), derivedDataset("c", ["b"]));
    expect(resolveInputs(subject("b"), all)).toMatchObject({ state: "waiting", reason: "InputNotReady" });
    const withVersions = others(derived("b", 1, { c: 1 }), derived("c", 1, { b: 1 }));
    expect(resolveInputs(subject("b"), withVersions)).toMatchObject([{ version: 1 }]);
  });
});

test("a net of Datasets with very many ways through it is looked at quickly", () => {
  const layers = Array.from({ length: 40 }, (_, layer) => [`l${layer}a`, `l${layer}b`]);
  const all = layers.flatMap((names, layer) =>
    names.map((name) => {
      const before = layers[layer - 1];
      return before ? derived(name, 1, Object.fromEntries(before.map((other) => [other, 1]))) : source(name, 1);
    }),
  );
  const found = others(...all);
  const last = subject(...(layers.at(-1) ?? []));
  expect(ancestors(last, (name) => found.get(name)).size).toBe(80);
  expect(resolveInputs(last, found)).toHaveLength(2);
});

test("however Datasets are derived from each other, those in a circle are told so, and no others", () => {
  const names = ["a", "b", "c", "d", "e"];
  const graphs = fc.dictionary(fc.constantFrom(...names), fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 }));
  fc.assert(
    fc.property(graphs, (graph) => {
      const all = names.map((name) => (graph[name] ? derivedDataset(name, graph[name]) : source(name, 1)));
      const found = others(...all);
      /** By walking as far as there are names. */
      const reaches = (from: string, to: string, steps = names.length): boolean =>
        steps > 0 && (graph[from] ?? []).some((next) => next === to || reaches(next, to, steps - 1));
      for (const one of all.filter(({ spec }) => spec.from)) {
        const { name } = one.metadata;
        const verdict = resolveInputs(
          one,
          ancestors(one, (other) => found.get(other)),
        );
        expect("reason" in verdict && verdict.reason === "InputCycle").toBe(reaches(name, name));
      }
    }),
  );
});
