import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lineFeed, readRecords } from "./records.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lemnis-records-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function recordsOf(content: string, delimiter = ","): Promise<string[]> {
  const csv = { quote: 0x22, delimiter: Buffer.from(delimiter), lineEnd: lineFeed };
  const local = join(folder, "file");
  writeFileSync(local, content);
  const found: string[] = [];
  for await (const { bytes, ends } of readRecords({ path: "file", local }, csv)) {
    ends.forEach((end, index) => {
      found.push(bytes.subarray(ends[index - 1] ?? 0, end).toString());
    });
  }
  return found;
}

const cell = fc.oneof(
  fc.stringMatching(/^[a-z ]{0,4}$/),
  fc.stringMatching(/^[a-z]"[a-z"]{0,3}$/),
  fc
    .tuple(
      fc.constantFrom("", " "),
      fc.array(fc.constantFrom('""', '" "', "\n", "\r\n", ",", "€", "x"), { maxLength: 5 }),
      fc.constantFrom("", "  "),
    )
    .map(([before, parts, after]) => `${before}"${parts.join("")}"${after}`),
);
const cells = fc.array(cell, { minLength: 2, maxLength: 4 });

test.each([
  [",", ""],
  ["€", ""],
  [",", "\ufeff"],
])(
  "records end where their cells do, whatever is quoted, with the delimiter %s after %j",
  async (delimiter, mark) => {
    await fc.assert(
      fc.asyncProperty(fc.array(cells, { minLength: 1, maxLength: 20 }), async (rows) => {
        const [first, ...others] = rows.map((row) => `${row.join(delimiter)}\n`);
        const records = [mark + first, ...others];
        expect(await recordsOf(records.join(""), delimiter)).toEqual(records);
      }),
      { numRuns: 60 },
    );
  },
  60_000,
);

test("records longer than a chunk, and one without a line end", async () => {
  const records = ["a,b\n", `"${"x\n".repeat(1 << 20)}",1\n`, `${"y".repeat(3 << 20)},2\n`, "3,4"];
  expect(await recordsOf(records.join(""))).toEqual(records);
});

test("a record that never ends is refused before it is held", async () => {
  await expect(recordsOf(`a,b\n${"y".repeat(18 << 20)}`)).rejects.toMatchObject({
    reason: "SourceInvalid",
    message: "file, line 2: longer than 16 MiB",
  });
});
