import type { InjectOptions } from "fastify";
import pino from "pino";
import { beforeEach, describe, expect, test } from "vitest";
import type { Served } from "./load.ts";
import { createFeatureMetrics } from "./metrics.ts";
import { RowIndex } from "./row-index.ts";
import { createFeatureServer } from "./server.ts";

const digest = `sha256:${"a".repeat(64)}`;

function served(version = 3): Served {
  const index = new RowIndex(2);
  index.add("1:7", '{"customer":7,"spent":9007199254740993}');
  index.add("1:8", '{"customer":8,"spent":null}');
  index.seal();
  const createdAt = new Date(Date.now() - 60_000).toISOString();
  return { index, keys: [{ name: "customer", type: "Int64" }], version, digest, createdAt, bytes: 100 };
}

let current: Served | undefined;
let draining: boolean;
let log: string;
let app: ReturnType<typeof createFeatureServer>;

beforeEach(() => {
  current = served();
  draining = false;
  log = "";
  const logger = pino(
    { level: "trace" },
    {
      write: (line: string) => {
        log += line;
      },
    },
  );
  const metrics = createFeatureMetrics(() => current);
  app = createFeatureServer({ current: () => current, draining: () => draining, metrics, logger });
});

const ask = (keys: unknown) => app.inject({ method: "POST", url: "/v1/features", payload: { keys } as object });

test("rows come in the order of their keys, null for those there are not, with all digits", async () => {
  const answer = await ask([{ customer: 8 }, { customer: 9 }, { customer: "7" }, { customer: 8 }]);
  expect([answer.statusCode, answer.headers["content-type"]]).toEqual([200, "application/json"]);
  expect(answer.body).toBe(
    '{"rows":[{"customer":8,"spent":null},null,{"customer":7,"spent":9007199254740993},{"customer":8,"spent":null}]}\n',
  );
  expect(answer.headers["lemnis-dataset-version"]).toBe(`3;digest=${digest}`);
});

test("one row comes by GET, and none is 404", async () => {
  const found = await app.inject("/v1/features?customer=7");
  expect(found.body).toBe('{"customer":7,"spent":9007199254740993}');
  expect(found.headers["lemnis-dataset-version"]).toBe(`3;digest=${digest}`);
  const none = await app.inject("/v1/features?customer=9");
  expect([none.statusCode, none.json().error.message]).toEqual([404, "no row of version 3 has this key"]);
});

describe("a bad request is told what is allowed:", () => {
  test.each<[string, unknown, RegExp]>([
    ["no list", undefined, /^keys: must be a list, as in/],
    ["no keys", [], /^keys: must have 1 to 1000 items, and has 0$/],
    [
      "too many",
      Array.from({ length: 1001 }, () => ({ customer: 1 })),
      /^keys: must have 1 to 1000 items, and has 1001$/,
    ],
    ["another type", [{ customer: 7 }, { customer: "x" }], /^keys\[1\]\.customer: must be a whole number/],
    ["another name", [{ client: 7 }], /^keys\[0\]: client is no key of this Dataset; give customer$/],
  ])("%s", async (_, keys, says) => {
    const answer = await ask(keys);
    expect([answer.statusCode, answer.json().error.message]).toEqual([400, expect.stringMatching(says)]);
  });

  test.each<[string, InjectOptions, number, RegExp]>([
    ["GET without a key", { url: "/v1/features" }, 400, /customer is missing/],
    ["a key that comes twice", { url: "/v1/features?customer=7&customer=8" }, 400, /whole number/],
    [
      "no JSON",
      { method: "POST", url: "/v1/features", payload: "{", headers: { "content-type": "application/json" } },
      400,
      /JSON/,
    ],
    [
      "JSON null",
      { method: "POST", url: "/v1/features", payload: "null", headers: { "content-type": "application/json" } },
      400,
      /must be a list/,
    ],
    [
      "another type of body",
      { method: "POST", url: "/v1/features", payload: "customer=7", headers: { "content-type": "text/csv" } },
      415,
      /media type/i,
    ],
    [
      "a body that is too large",
      { method: "POST", url: "/v1/features", payload: { keys: ["x".repeat(1 << 20)] } },
      413,
      /at most 1048576 bytes/,
    ],
    ["another route", { url: "/v2/features" }, 404, /v1\/features/],
  ])("%s", async (_, request, status, says) => {
    const answer = await app.inject(request);
    expect([answer.statusCode, answer.json().error.message]).toEqual([status, expect.stringMatching(says)]);
  });
});

test("the version changes between two requests", async () => {
  current = served(4);
  expect((await ask([{ customer: 7 }])).headers["lemnis-dataset-version"]).toBe(`4;digest=${digest}`);
});

test("is ready with a version, until it drains; always healthy", async () => {
  const probe = async () =>
    [await app.inject("/healthz"), await app.inject("/readyz")].map(({ statusCode }) => statusCode);
  expect(await probe()).toEqual([200, 200]);
  current = undefined;
  expect(await probe()).toEqual([200, 503]);
  expect((await ask([{ customer: 7 }])).statusCode).toBe(503);
  current = served();
  draining = true;
  expect(await probe()).toEqual([200, 503]);
  const answer = await ask([{ customer: 7 }]);
  expect([answer.statusCode, answer.headers.connection]).toEqual([200, "close"]);
});

test("counts requests, keys, rows and the version's age, and logs no key", async () => {
  await ask([{ customer: 7 }, { customer: 1234567 }]);
  await app.inject("/v1/features?customer=7654321");
  await ask([{ customer: "1234567x" }]);
  const { body } = await app.inject("/metrics");
  expect(body).toMatch(/lemnis_features_request_duration_seconds_count\{method="POST",code="200"\} 1\n/);
  expect(body).toMatch(/lemnis_features_request_duration_seconds_count\{method="GET",code="404"\} 1\n/);
  expect(body).toMatch(/lemnis_features_keys_total\{result="found"\} 1\n/);
  expect(body).toMatch(/lemnis_features_keys_total\{result="unknown"\} 2\n/);
  expect(body).toMatch(/lemnis_features_rows 2\n/);
  expect(body).toMatch(/lemnis_features_version 3\n/);
  const age = Number(/lemnis_features_version_age_seconds (\d\S+)/.exec(body)?.[1]);
  expect(age).toBeGreaterThan(59);
  expect(log).not.toMatch(/1234567|7654321/);
});
