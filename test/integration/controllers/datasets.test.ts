/** Datasets on a real API server: derived in order, blocked and warned, grown old, served by key, and at rest. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Manifest, ready, reason } from "./wine.ts";
import { type RunningOperator, resourceOf, type Seen, startWorld, type World } from "./world.ts";

let world: World;
let operator: RunningOperator;
const namespace = "data";

beforeAll(async () => {
  world = await startWorld();
  operator = await world.startOperator();
  await world.makeNamespace(namespace);
});
afterAll(() => world?.stop());

const source = (name: string, spec: object = {}, annotations: Record<string, string> = {}): Manifest => ({
  kind: "Dataset",
  metadata: { name, annotations },
  spec: { source: { uri: `http://host/${name}.csv` }, ...spec },
});
const derived = (name: string, from: string[], spec: object = {}): Manifest => ({
  kind: "Dataset",
  metadata: { name },
  spec: {
    from: from.map((other) => ({ name: other, datasetRef: { name: other } })),
    transform: { sql: `SELECT * FROM ${from[0]}` },
    ...spec,
  },
});
const until = (name: string, is: (object: Seen) => boolean) => world.until(namespace, "Dataset", name, is);
const condition = ({ status }: Seen, type: string) => status?.conditions?.find((one: Seen) => one.type === type);
const jobsOf = async (name: string) =>
  (await world.list(namespace, "Job")).filter(({ metadata }) => metadata.labels?.["lemnis.dev/dataset"] === name);
const look = (name: string, spec: object = {}) =>
  world.apply(namespace, source(name, spec, { "lemnis.dev/refresh": String(performance.now()) }));

async function settle(): Promise<number> {
  for (let before = await operator.writes(); ; ) {
    await sleep(1_500);
    const now = await operator.writes();
    if (now === before) return now;
    before = now;
  }
}

describe("derived Datasets", () => {
  test("wait for what they are derived from, whatever the order they are applied in", async () => {
    await world.apply(namespace, derived("report", ["raw", "clean"]), derived("clean", ["raw"]));
    await until("clean", (object) => reason(object) === "InputMissing");
    await world.apply(namespace, source("raw", { splits: { train: 80, test: 20 } }));
    const report = await until("report", ready);
    const [raw, clean] = [await until("raw", ready), await until("clean", ready)];
    expect(report.status.parents).toEqual([
      { name: "raw", version: 1, digest: raw.status.digest },
      { name: "clean", version: 1, digest: clean.status.digest },
    ]);
  });

  test("follow new versions in order, each made once", async () => {
    world.player.data.set(namespace, "more rows");
    await look("raw", { splits: { train: 80, test: 20 } });
    const report = await until("report", (object) => object.status?.version === 2 && ready(object));
    expect(report.status.parents).toMatchObject([
      { name: "raw", version: 2 },
      { name: "clean", version: 2 },
    ]);
    await settle();
    // Never of the new raw and the old clean.
    expect((await world.get(namespace, "Dataset", "report")).status.versions).toHaveLength(2);
  });

  test("follow a version whose columns are declared anew, in order too", async () => {
    const columns = [{ name: "class", type: "Int64" as const, nullable: false }];
    for (const name of ["raw", "clean", "report"])
      world.player.outcomes.set(`${namespace}/${name}`, { facts: { columns } });
    await look("raw", { splits: { train: 80, test: 20 } });
    const report = await until("report", ({ status }) => status?.revision === 2);
    expect(report.status).toMatchObject({
      version: 2,
      parents: [
        { name: "raw", version: 2, revision: 2 },
        { name: "clean", version: 2, revision: 2 },
      ],
    });
    await settle();
    expect((await world.get(namespace, "Dataset", "report")).status).toMatchObject({ version: 2, revision: 2 });
  });

  test("that are derived from each other say so, until one of them is not any more", async () => {
    await world.apply(namespace, derived("hen", ["egg"]), derived("egg", ["hen"]));
    const hen = await until("hen", (object) => reason(object) === "InputCycle");
    expect(condition(hen, "Stalled").message).toContain("hen ← egg ← hen");
    await until("egg", (object) => reason(object) === "InputCycle");
    await world.apply(namespace, derived("egg", ["raw"]));
    await until("hen", ready);
  });
});

describe("data that is not as expected", () => {
  const expectations = [{ name: "enough", rows: { min: 10 } }];

  test("makes no version, and the last good one stays current", async () => {
    await world.apply(namespace, source("strict", { expectations }));
    await until("strict", ready);
    const failure = { reason: "ExpectationFailed" as const, message: "enough: 3 rows are fewer than 10" };
    world.player.outcomes.set(`${namespace}/strict`, { failure });
    await look("strict", { expectations });
    const blocked = await until("strict", (object) => reason(object) === "ExpectationFailed");
    expect(blocked.status).toMatchObject({ version: 1, rows: 100 });
    expect(condition(blocked, "ExpectationsMet")).toMatchObject({ status: "False", message: failure.message });
    world.player.outcomes.delete(`${namespace}/strict`);
    await look("strict", { expectations });
    await until("strict", ready);
  });

  test("makes a version that says so, where it only warns", async () => {
    const result = [{ name: "enough", passed: false, message: "3 rows are fewer than 10" }];
    world.player.outcomes.set(`${namespace}/lenient`, { facts: { expectations: result } });
    const warn = [{ ...expectations[0], onViolation: "Warn" }];
    await world.apply(namespace, source("lenient", { expectations: warn }));
    const lenient = await until("lenient", ready);
    expect(lenient.status.expectations).toEqual(result);
    expect(condition(lenient, "ExpectationsMet")).toMatchObject({ status: "False", reason: "ExpectationWarning" });
    await vi.waitFor(
      async () => {
        const events = await world.list(namespace, "Event");
        expect(events.filter(({ reason }) => reason === "ExpectationWarning")).toHaveLength(1);
      },
      { timeout: 20_000 },
    );
  });

  test("grows old by time alone: nothing is read, the version stays", async () => {
    const newest = new Date(Date.now() + 6_000).toISOString();
    world.player.outcomes.set(`${namespace}/news`, { facts: { newest } });
    const fresh = {
      schema: { columns: [{ name: "at", role: "Timestamp" }] },
      expectations: [{ name: "fresh", freshness: { maxAge: "1s" } }],
    };
    await world.apply(namespace, source("news", fresh));
    await until("news", (object) => ready(object) && condition(object, "Fresh")?.status === "True");
    const stale = await until("news", (object) => condition(object, "Fresh")?.reason === "DataStale");
    expect(stale.status).toMatchObject({ version: 1 });
    expect(ready(stale)).toBe(true);
    expect(await jobsOf("news")).toHaveLength(1);
  });
});

test("how far a reading has come is in the status while it runs", async () => {
  world.player.paused = true;
  await world.apply(namespace, source("large"));
  await until("large", (object) => reason(object) === "Snapshotting");
  const store = world.storeOf(namespace);
  const body = { phase: "Reading", bytes: 2 ** 30, totalBytes: 3 * 2 ** 30, rows: 12_000_000 };
  await store.write({ method: "PUT", path: `namespaces/${namespace}/datasets/large/progress`, body });
  const large = await until("large", ({ status }) => status?.progress !== undefined);
  expect(large.status.progress).toBe("Reading 1.0 GiB of 3.0 GiB, 12 million rows");
  world.player.paused = false;
  expect((await until("large", ready)).status).not.toHaveProperty("progress");
});

describe("features", () => {
  const schema = { columns: [{ name: "id", role: "Key" }] };

  test("are served from the first version on, by as many pods as are asked for", async () => {
    await world.apply(namespace, derived("features", ["raw"], { schema, online: { replicas: 2 } }));
    const served = await until("features", (object) => condition(object, "FeaturesServed")?.status === "True");
    expect(served.status.url).toBe("http://features-features.data.svc");
    expect(await world.get(namespace, "Service", "features-features")).toMatchObject({
      spec: { ports: [{ port: 80 }] },
    });
    await vi.waitFor(
      async () => {
        const { status } = await world.get(namespace, "Deployment", "features-features");
        expect(status.readyReplicas).toBe(2);
      },
      { timeout: 20_000 },
    );
  });

  test("are served no more when the manifest says so", async () => {
    await world.apply(namespace, derived("features", ["raw"], { schema }));
    await vi.waitFor(
      async () => {
        const left = (await Promise.all(["Deployment", "Service"].map((kind) => world.list(namespace, kind)))).flat();
        expect(left.map(({ metadata }) => metadata.name)).toEqual([]);
      },
      { timeout: 20_000, interval: 200 },
    );
    expect((await until("features", ready)).status).not.toHaveProperty("url");
  });
});

test("a Dataset that is deleted and applied again has its versions, and nothing is lost that something was made from", async () => {
  const before = await world.get(namespace, "Dataset", "raw");
  await world.client.delete(resourceOf("Dataset"), { namespace, name: "raw", uid: before.metadata.uid ?? "" });
  await until("clean", (object) => reason(object) === "InputMissing");
  await world.apply(namespace, source("raw", { splits: { train: 80, test: 20 } }));
  const after = await until("raw", ready);
  expect(after.status.versions).toEqual(before.status.versions);
  await until("report", ready);
  // The cluster takes its time to collect the Job of the one before.
  await vi.waitFor(async () => expect(await jobsOf("raw")).toHaveLength(1), { timeout: 45_000, interval: 500 });
});

test("at rest nothing is written or asked, also after a restart", async () => {
  await settle();
  await operator.stop();
  operator = await world.startOperator();
  await vi.waitFor(async () => expect(await operator.isLeader()).toBe(true), { timeout: 20_000 });
  const quiet = async (ms: number) => {
    const asked = await world.storeRequests();
    await sleep(ms);
    expect(await world.storeRequests()).toBe(asked);
  };
  // Each object is looked at once.
  await vi.waitFor(() => quiet(2_000), { timeout: 40_000 });
  await quiet(7_000);
  expect(await operator.writes()).toBe(0);
});
