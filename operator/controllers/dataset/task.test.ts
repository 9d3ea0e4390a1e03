/** What the pods of looks are told. */
import { describe, expect, test } from "vitest";
import { derivedDataset, observedDataset, versionOf } from "../../../test/builders/datasets.ts";
import { dataset, metadataOf, start } from "../../../test/builders/kinds.ts";
import { settings } from "../../../test/builders/settings.ts";
import { task as taskSchema } from "../../agent/tasks.ts";
import type { Dataset } from "../../api/v1alpha1/dataset.ts";
import { datasetSpec } from "../../api/v1alpha1/dataset.ts";
import { planDataset } from "./plan.ts";

interface PodSpec {
  containers: {
    name: string;
    env: { name: string; value: string }[];
    resources: object;
    volumeMounts: { name: string }[];
  }[];
  volumes: { name: string; secret?: object }[];
}

function planned(subject: Dataset, others: Dataset[] = []) {
  const found = new Map(others.map((other) => [other.metadata.name, other]));
  return planDataset(observedDataset({ dataset: subject, others: found }), settings, start);
}

function lookOf(subject: Dataset, others: Dataset[] = []) {
  const { apply } = planned(subject, others);
  const job = apply[0]?.object as unknown as { metadata: { name: string }; spec: { template: { spec: PodSpec } } };
  const pod = job.spec.template.spec;
  const value = pod.containers[0]?.env.find(({ name }) => name === "LEMNIS_TASK")?.value ?? "";
  return { name: job.metadata.name, pod, task: taskSchema.parse(JSON.parse(value.replaceAll("$$", "$"))) };
}

function named(name: string, spec: object, version?: number): Dataset {
  const status = version ? { ...versionOf(name, version), splits: { all: 1 } } : undefined;
  return { ...dataset(spec, status), metadata: metadataOf(name, "dataset") };
}

describe("a snapshot", () => {
  test("carries everything that decides what the version is", () => {
    const { name, task, pod } = lookOf(
      dataset({
        source: { uri: "git+ssh://git@host/wine", ref: "main", path: "data", secretRef: { name: "git" } },
        csv: { delimiter: ";", nullValues: ["NA"] },
        schema: {
          columns: [
            { name: "at", role: "Timestamp" },
            { name: "id", nullable: false, sensitive: true },
          ],
        },
        expectations: [
          { name: "fresh", freshness: { maxAge: "1h30m" } },
          { name: "class", column: "class", in: [1, "a"], onViolation: "Warn" },
        ],
        timeSplits: [{ name: "train" }, { name: "test", from: "2026-01-01" }],
        resources: { limits: { memory: "1Gi" } },
      }),
    );
    expect(name).toMatch(/^wine-snapshot-[0-9a-f]{10}$/);
    expect(task).toMatchObject({
      verb: "snapshot",
      source: {
        uri: "git+ssh://git@host/wine",
        ref: "main",
        path: "data",
        secret: true,
        deniedRanges: ["10.96.0.0/12"],
      },
      ...{ format: "CSV", csv: { delimiter: ";", header: true, nullValues: ["NA"] }, storage: "Copy" },
      columns: [
        { name: "at", role: "Timestamp", nullable: true },
        { name: "id", nullable: false, sensitive: true },
      ],
      expectations: [
        { name: "fresh", freshness: { maxAge: 5_400_000 }, onViolation: "Block" },
        { name: "class", column: "class", in: [1, "a"], onViolation: "Warn" },
      ],
      splits: { times: [{ name: "train" }, { name: "test", from: "2026-01-01" }] },
    });
    expect(pod.containers[0]?.resources).toEqual({ limits: { memory: "1Gi" } });
    expect(pod.volumes).toContainEqual({ name: "secret", secret: { secretName: "git" } });
  });

  test("splits by group, in an order that stays", () => {
    const splits = { train: 80, test: 20 };
    expect(lookOf(dataset({ splits, splitBy: "customer", splitSeed: 7 })).task).toMatchObject({
      splits: {
        shares: [
          { name: "test", percent: 20 },
          { name: "train", percent: 80 },
        ],
        seed: 7,
        by: "customer",
      },
    });
  });

  test.each(["postgres://h/db", "gs://b/k", "az://a/c/k", "oci://h/r:1", "https://h/a", "git+https://h/a"])(
    "of %s has the Secret mounted",
    (uri) => {
      const query = uri.startsWith("postgres") ? { query: "SELECT 1" } : {};
      const { pod, task } = lookOf(dataset({ source: { uri, secretRef: { name: "secret" }, ...query } }));
      expect(pod.containers[0]?.volumeMounts.map(({ name }) => name)).toContain("secret");
      expect(task).toMatchObject({ source: { uri, secret: true, ...query } });
    },
  );

  test("that would not fit into a variable is refused", () => {
    const columns = Array.from({ length: 1000 }, (_, index) => ({ name: `${"x".repeat(200)}${index}` }));
    const { apply, status, outcome } = planned(dataset({ schema: { columns } }));
    expect({ apply, outcome }).toEqual({ apply: [], outcome: { kind: "stalled" } });
    expect(status.conditions?.[0]).toMatchObject({
      reason: "SpecTooLarge",
      message: expect.stringMatching(/\d{6} bytes/),
    });
  });
});

describe("a derivation", () => {
  const raw = named("raw", {}, 3);

  test("carries the inputs' digests, the SQL and the join", () => {
    const subject = derivedDataset("wine", ["raw", "prices"]);
    const pointInTime = { rows: "raw", features: ["prices"], maxAge: "30d" };
    const spec = datasetSpec.parse({
      from: subject.spec.from,
      transform: { sql: "SELECT * FROM joined", pointInTime },
    });
    const { name, task } = lookOf({ ...subject, spec }, [raw, named("prices", {}, 1)]);
    expect(name).toMatch(/^wine-derive-[0-9a-f]{10}$/);
    expect(task).toMatchObject({
      verb: "derive",
      inputs: [
        { name: "raw", dataset: "raw", digest: versionOf("raw", 3).digest },
        { name: "prices", dataset: "prices" },
      ],
      ...{ sql: "SELECT * FROM joined", pointInTime: { ...pointInTime, maxAge: 30 * 86_400_000 } },
    });
  });

  test("is another look when an input has another version, and only then", () => {
    const subject = derivedDataset("wine", ["raw"]);
    const { name } = lookOf(subject, [raw]);
    expect(lookOf(subject, [named("raw", { description: "other" }, 3)]).name).toBe(name);
    expect(lookOf(subject, [named("raw", {}, 4)]).name).not.toBe(name);
  });

  test("is another look when an input's version is read in another way, and only then", () => {
    const before = named("raw", {}, 3);
    const revised = { ...before, status: { ...before.status, revision: 2 } } as Dataset;
    const subject = derivedDataset("wine", ["raw"]);
    expect(lookOf(subject, [revised]).name).not.toBe(lookOf(subject, [before]).name);
    expect(lookOf(subject, [revised]).task).toEqual(lookOf(subject, [before]).task);
  });

  const stored = (name: string, secret: string) => {
    const source = { uri: `s3://bucket/${name}/`, region: "eu-1", secretRef: { name: secret } };
    return named(name, { source, storage: "Reference", format: "Parquet" }, 1);
  };

  test("of versions by reference reads them where they are, with their Secret", () => {
    const { task, pod } = lookOf(derivedDataset("wine", ["a", "b", "raw"]), [
      stored("a", "s3"),
      stored("b", "s3"),
      raw,
    ]);
    const location = { region: "eu-1", secret: true, deniedRanges: ["10.96.0.0/12"] };
    expect(task).toMatchObject({
      inputs: [
        { dataset: "a", location: { uri: "s3://bucket/a/", ...location } },
        { dataset: "b", location: { uri: "s3://bucket/b/", ...location } },
        { dataset: "raw" },
      ],
    });
    expect(pod.volumes.filter(({ secret }) => secret)).toEqual([{ name: "secret", secret: { secretName: "s3" } }]);
  });

  test("of versions by reference with different Secrets has both, each for its own", () => {
    const { task, pod } = lookOf(derivedDataset("wine", ["a", "b"]), [stored("a", "one"), stored("b", "two")]);
    expect(task).toMatchObject({ inputs: [{ dataset: "a" }, { dataset: "b", location: { mount: "2" } }] });
    expect(task).not.toHaveProperty("inputs.0.location.mount");
    expect(pod.volumes.filter(({ secret }) => secret)).toEqual([
      { name: "secret", secret: { secretName: "one" } },
      { name: "secret-2", secret: { secretName: "two" } },
    ]);
  });
});
