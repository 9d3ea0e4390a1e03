/** The feature server on the real store: what it serves, how it follows new versions, how it ends. */
import { Agent, request } from "undici";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FeaturesTask } from "../../../operator/agent/tasks.ts";
import { freePorts } from "../../cluster/os/child.ts";
import { customer, makeInput, seen } from "./derived.ts";
import { namespace, type Outcome, startWorld, type World } from "./world.ts";

let world: World;
let url: string;
let stop: AbortController;
let ended: Promise<Outcome> | undefined;
beforeEach(async () => {
  world = await startWorld();
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await ended;
  await world.close();
});

async function start(changes: Partial<FeaturesTask> = {}): Promise<void> {
  const [port = 0] = await freePorts(1);
  url = `http://127.0.0.1:${port}`;
  const task: FeaturesTask = { verb: "features", namespace, dataset: "spending", keys: ["customer"], port, ...changes };
  ended = world.run(task, { timing: { reload: 50, drain: 300 }, signal: stop.signal });
}

async function get(path: string): Promise<{ status: number; version: string; body: string }> {
  const { statusCode, headers, body } = await request(url + path);
  return { status: statusCode, version: `${headers["lemnis-dataset-version"]}`, body: await body.text() };
}

/** Waits for an answer, through what comes before the server listens. */
async function until(path: string, is: (answer: Awaited<ReturnType<typeof get>>) => boolean): Promise<void> {
  for (const deadline = performance.now() + 30_000; ; ) {
    const answer = await get(path).catch(() => undefined);
    if (answer && is(answer)) return;
    if (performance.now() > deadline) throw new Error(`${path}: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const header = "customer,seen,spent,n,day,ok,name\n";
const columns = [
  customer,
  seen,
  { name: "spent", type: "Double" },
  { name: "n", type: "Int64" },
  { name: "day", type: "Date" },
  { name: "ok", type: "Boolean" },
  { name: "name", type: "String", sensitive: true },
] as const;
const rows = [
  '1,2026-01-02T10:00:00Z,2.5,9007199254740993,2026-01-02,true,"the ""newest"", é"',
  "1,2026-01-01T10:00:00Z,1,1,2026-01-01,false,older",
  "2,2026-01-01T10:00:00.25Z,nan,,,,",
  "2,,7,7,2026-01-07,true,without a time",
  ",2026-01-03T10:00:00Z,9,9,2026-01-09,true,without a key",
];

describe("the newest row by key", () => {
  test("is served as it is, digits and fractions too", async () => {
    await makeInput(world, "spending", `${header}${rows.join("\n")}\n`, [...columns]);
    await start();
    await until("/readyz", ({ status }) => status === 200);
    const first = await get("/v1/features?customer=1");
    expect(first.version).toMatch(/^1;digest=sha256:[0-9a-f]{64}$/);
    expect(first.body).toBe(
      '{"customer":1,"seen":"2026-01-02T10:00:00Z","spent":2.5,"n":9007199254740993,"day":"2026-01-02","ok":true,"name":"the \\"newest\\", é"}',
    );
    expect((await get("/v1/features?customer=2")).body).toBe(
      '{"customer":2,"seen":"2026-01-01T10:00:00.25Z","spent":null,"n":null,"day":null,"ok":null,"name":null}',
    );
    expect((await get("/metrics")).body).toMatch(/lemnis_features_rows 2\n/);
  });

  test("without a time is the last, of all splits; several columns are one key", async () => {
    await makeInput(world, "spending", "customer,name,x\n1,a,1\n1,b,2\n1,a,3\n", [
      { name: "customer", type: "Int64" },
      { name: "name", type: "String" },
      { name: "x", type: "Int64" },
    ]);
    await start({ keys: ["name", "customer"] });
    await until("/readyz", ({ status }) => status === 200);
    expect((await get("/v1/features?customer=1&name=a")).body).toBe('{"customer":1,"name":"a","x":3}');
    expect((await get("/v1/features?customer=1&name=b")).body).toBe('{"customer":1,"name":"b","x":2}');
  });
});

test("a new version is served without a gap, and one that can't be leaves the one before", async () => {
  const csv = (spent: number) =>
    `customer,spent\n${Array.from({ length: 20_000 }, (_, id) => `${id},${spent}\n`).join("")}`;
  const typed = [customer, { name: "spent", type: "Int64" as const }];
  await start();
  await until("/readyz", ({ status }) => status === 503);
  await makeInput(world, "spending", csv(1), typed);
  await until("/readyz", ({ status }) => status === 200);
  const agent = new Agent({ connections: 4 });
  const answers: string[] = [];
  let asking = true;
  const askers = Array.from({ length: 4 }, async () => {
    while (asking) {
      const { statusCode, headers, body } = await request(`${url}/v1/features?customer=19999`, { dispatcher: agent });
      const { spent } = (await body.json()) as { spent: number };
      answers.push(`${statusCode} ${`${headers["lemnis-dataset-version"]}`.split(";")[0]} ${spent}`);
    }
  });
  await makeInput(world, "spending", csv(2), typed);
  await until("/v1/features?customer=1", ({ version }) => version.startsWith("2;"));
  await makeInput(world, "spending", "client\n1\n", [{ name: "client", type: "Int64" }]);
  await until("/metrics", ({ body }) => /lemnis_features_reload_failures_total 1\n/.test(body));
  asking = false;
  await Promise.all(askers);
  await agent.close();
  expect(new Set(answers)).toEqual(new Set(["200 1 1", "200 2 2"]));
  stop.abort();
  const { log } = (await ended) as Outcome;
  expect(log).toContain("online.keys: version 3 of Dataset spending has no column customer; it has client");
});

test("a version whose columns were declared anew is read anew", async () => {
  const csv = "customer,seen,name\n1,2026-02-01,new\n1,2026-01-01,old\n";
  const name = { name: "name", type: "String" } as const;
  await makeInput(world, "spending", csv, [customer, { name: "seen", type: "Timestamp" }, name]);
  await start();
  await until("/v1/features?customer=1", ({ body }) => body.includes("old"));
  await makeInput(world, "spending", csv, [customer, seen, name]);
  await until("/v1/features?customer=1", ({ body, version }) => body.includes("new") && version.startsWith("1;"));
  stop.abort();
  const { log } = (await ended) as Outcome;
  expect(log.match(/serving a version/g)).toHaveLength(2);
});

test.each([
  [
    "customer",
    "String",
    ["client"],
    /online.keys: version 1 of Dataset spending has no column client; it has customer/,
  ],
  ["customer", "Double", ["customer"], /online.keys: customer is Double; a key is Int64, String, Boolean, Date/],
] as const)(
  "a first version with %s as %s can't be served by %j: it ends, and says why",
  async (name, type, keys, says) => {
    await makeInput(world, "spending", `${name}\n1\n`, [{ name, type }]);
    await start({ keys: [...keys] });
    const { code, message } = (await ended) as Outcome;
    expect([code, message]).toEqual([3, { reason: "SchemaViolation", message: expect.stringMatching(says) }]);
  },
);

test("told to end, it is not ready, answers for a while, and then ends well", async () => {
  await makeInput(world, "spending", "customer\n1\n", [{ name: "customer", type: "Int64" }]);
  await start();
  await until("/readyz", ({ status }) => status === 200);
  stop.abort();
  expect((await get("/readyz")).status).toBe(503);
  expect((await get("/v1/features?customer=1")).body).toBe('{"customer":1}');
  expect((await ended)?.code).toBe(0);
  await expect(get("/healthz")).rejects.toThrow();
});
