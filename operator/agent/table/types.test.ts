/** Which texts are dates, and values of Parquet beside a column that is wanted as another type. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openTestDatabase } from "../../../test/builders/database.ts";
import type { ColumnType } from "../../store/api.ts";
import type { DeclaredColumn } from "../tasks.ts";
import { profileTable } from "./profile.ts";
import { openRaw } from "./raw.ts";
import { makeTyped } from "./typed.ts";

const { folder, database } = await openTestDatabase();

describe("a column of Parquet keeps its values when another one is declared with another type", () => {
  test.each([
    ["18446744073709551615::UBIGINT", "Double", "1.8446744073709552e+19"],
    ["12345678901234567890::DECIMAL(38,0)", "Double", "1.2345678901234567e+19"],
    ["12345678901234567890.5::DECIMAL(38,2)", "Double", "1.2345678901234567e+19"],
    ["0.5::DECIMAL(38,20)", "Double", "0.5"],
    ["'infinity'::DOUBLE", "Double", "inf"],
    ["9223372036854775807::BIGINT", "Int64", "9223372036854775807"],
    ["255::UTINYINT", "Int64", "255"],
    ["true", "Boolean", "true"],
    ["DATE '12026-01-01'", "Date", "12026-01-01"],
    ["TIMESTAMPTZ '2026-01-01 10:00:00+02'", "Timestamp", "2026-01-01 08:00:00"],
    ["TIMESTAMP_NS '2026-01-01 00:00:00.123456789'", "Timestamp", "2026-01-01 00:00:00.123456"],
  ])("%s", async (value, type, shown) => {
    const local = join(folder, "a.parquet");
    await database.run(`COPY (SELECT 1::BIGINT AS id, ${value} AS x) TO '${local}' (FORMAT parquet)`);
    for (const declared of [[], [{ name: "id", type: "String" as const }]]) {
      const raw = await openRaw(database, { format: "Parquet", files: [{ path: "a.parquet", local }], folder });
      const [id, x] = await makeTyped(database, raw, { declared, folder });
      expect([id?.type, x?.type]).toEqual([declared.length > 0 ? "String" : "Int64", type]);
      expect(await database.rows("SELECT c0::VARCHAR AS id, c1::VARCHAR AS x FROM cells")).toEqual([
        { id: "1", x: shown },
      ]);
    }
  });
});

test.each([
  ["TIMESTAMP '294246-01-01'", undefined],
  ["'infinity'::TIMESTAMP", undefined],
  ["TIMESTAMP '12026-01-01'", Date.UTC(12026, 0, 1)],
])("the newest time is one that can be told: %s", async (value, newest) => {
  const local = join(folder, "newest.parquet");
  await database.run(`COPY (SELECT ${value} AS x) TO '${local}' (FORMAT parquet)`);
  const raw = await openRaw(database, { format: "Parquet", files: [{ path: "newest.parquet", local }], folder });
  const columns = await makeTyped(database, raw, { declared: [{ name: "x", role: "Timestamp" }], folder });
  expect((await profileTable(database, columns)).newest).toBe(newest);
});

describe("a date or a time is written with a year of four digits", () => {
  const read = async (values: readonly string[], declared: DeclaredColumn[]) => {
    const local = join(folder, "a.csv");
    writeFileSync(local, `x\n${values.join("\n")}\n`);
    const raw = await openRaw(database, { format: "CSV", files: [{ path: "a.csv", local }], folder });
    return (await makeTyped(database, raw, { declared, folder }))[0]?.type;
  };

  const odd = ["infinity", "-infinity", "12026-01-01", "0044-03-15 (BC)"];
  describe.each<ColumnType>(["Date", "Timestamp"])("%s", (type) => {
    test.each(type === "Date" ? odd : [...odd, "12026-01-01 10:00:00", "0044-03-15 (BC) 10:00:00"])(
      "%s is none",
      async (value) => {
        await expect(read(["2026-01-01", value], [{ name: "x", type }])).rejects.toMatchObject({
          reason: "SchemaViolation",
          message: `column x must be ${type}, but 1 value is not: "${value}" (a.csv, row 2)`,
        });
        const usual = type === "Date" ? "2026-01-01" : "2026-01-01 10:00:00";
        expect(await read([...new Array<string>(10_001).fill(usual), value], [])).toBe("String");
      },
    );
  });

  test.each<[ColumnType, string[]]>([
    ["Date", ["0001-01-01", "9999-12-31"]],
    ["Timestamp", ["0001-01-01 00:00:00", "9999-12-31T23:59:59.999999", "9999-12-31 23:59:59Z", "2026-01-01"]],
  ])("as all others are: %s", async (type, values) => {
    expect(await read(values, [{ name: "x", type }])).toBe(type);
    expect(await read(values, [])).toBe(type);
  });
});
