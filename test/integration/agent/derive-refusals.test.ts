/** Transforms that make no version, and what is said of them. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { DeriveTask } from "../../../operator/agent/tasks.ts";
import { datasetInput } from "../../builders/store.ts";
import { deriveTask, makeInput, uploaded } from "./derived.ts";
import { namespace, startWorld, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

const dearCard = "card\n4111111111111111\n";
const hidden = [{ name: "card", type: "String", sensitive: true }] as const;

describe("refused for good:", () => {
  test.each<[string, Partial<DeriveTask>, string, RegExp]>([
    [
      "files",
      { sql: "SELECT * FROM read_text('/etc/passwd')" },
      "TransformInvalid",
      /must not read with read_text\(\)/,
    ],
    [
      "a column that is not there",
      { sql: "SELECT nope FROM raw" },
      "TransformInvalid",
      /"nope" not found.*Candidate bindings: "card"/s,
    ],
    [
      "a list",
      { sql: "SELECT [1, 2] AS pair FROM raw" },
      "TransformInvalid",
      /the column pair is INTEGER\[\].*pair::VARCHAR/,
    ],
    ["parameters", { sql: "SELECT $1 FROM raw" }, "TransformInvalid", /parameter/],
    [
      "a number that is too large",
      { sql: "SELECT 170141183460469231731687303715884105727 AS x FROM raw" },
      "TransformInvalid",
      /Conversion Error/,
    ],
    ["no rows", { sql: "SELECT * FROM raw WHERE false" }, "EmptyDataset", /returned no rows/],
    [
      "a column of the contract that is not in the result",
      { sql: "SELECT 1 AS x FROM raw", columns: [{ name: "y" }] },
      "SchemaViolation",
      /y/,
    ],
  ])("%s", async (_, changes, reason, says) => {
    const raw = await makeInput(world, "raw", dearCard, [...hidden]);
    const { code, message, log } = await world.run(deriveTask({ raw }, changes));
    expect([code, message]).toEqual([3, { reason, message: expect.stringMatching(says) }]);
    expect(`${message.message}${log}`).not.toContain("4111111111111111");
    expect((await world.store.dataset(namespace, "derived")).versions).toEqual([]);
  });

  test("what fails on a sensitive value, without telling it; on another, with it", async () => {
    const raw = await makeInput(world, "raw", dearCard, [...hidden]);
    const sql = "SELECT (card || 'x')::BIGINT AS x FROM raw";
    const { message, log } = await world.run(deriveTask({ raw }, { sql }));
    expect(message).toEqual({ reason: "TransformInvalid", message: expect.stringContaining("Conversion Error") });
    expect(`${message.message}${log}`).not.toContain("4111111111111111");
    const open = await makeInput(world, "open", "card\n12\n", [{ name: "card", type: "String" }]);
    const other = await world.run(deriveTask({ open }, { sql: sql.replace("raw", "open") }));
    expect(other.message.message).toContain("12x");
  });

  test.each([
    [
      "a query that never ends",
      "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS i FROM n",
    ],
    ["a product that is too large", "SELECT count(*) AS n FROM range(1000000000) a, range(1000000000) b"],
  ])("%s", async (_, sql) => {
    const raw = await makeInput(world, "raw", dearCard, [...hidden]);
    const { code, message } = await world.run(deriveTask({ raw }, { sql }), { timing: { transform: 600 } });
    expect([code, message]).toEqual([
      3,
      { reason: "TransformInvalid", message: expect.stringMatching(/did not end within 0.01 minutes/) },
    ]);
  });

  test("an input that is no table", async () => {
    const file = { path: "all/a.png", ...(await uploaded(world, "a.png", "bytes")) };
    const { digest } = await world.store.registerDatasetVersion(
      namespace,
      "pictures",
      datasetInput([file], { format: "Files" }),
    );
    const { message } = await world.run(deriveTask({ pictures: digest }, { sql: "FROM pictures" }));
    expect(message).toEqual({ reason: "TransformInvalid", message: expect.stringContaining("format Files") });
  });
});
