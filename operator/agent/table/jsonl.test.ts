/** Which columns JSON lines have, and what is said of lines that are none. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openTestDatabase } from "../../../test/builders/database.ts";
import { openRaw } from "./raw.ts";
import { makeTyped } from "./typed.ts";

const { folder, database } = await openTestDatabase();

async function read(...contents: string[]): Promise<{ names: string[]; rows: unknown[][] }> {
  const files = contents.map((content, index) => {
    const path = `${index}.jsonl`;
    writeFileSync(join(folder, path), content);
    return { path, local: join(folder, path) };
  });
  const raw = await openRaw(database, { format: "JSONL", files, folder });
  await makeTyped(database, raw, { declared: [], folder });
  const cells = raw.columns.map(({ cell }) => `${cell}::VARCHAR AS ${cell}`).join(", ");
  const rows = await database.rows(`SELECT ${cells} FROM cells ORDER BY file, row`);
  return { names: raw.columns.map(({ name }) => name), rows: rows.map((row) => Object.values(row)) };
}

const lines = (objects: readonly object[]) => objects.map((object) => `${JSON.stringify(object)}\n`).join("");

describe("the columns are all keys", () => {
  test("in the order in which they first appear, over lines and files", async () => {
    const { names, rows } = await read('{"z": 1, "b": 2}\n{"b": 3, "a": 4, "z": 5}\n', '{"y": 6, "z": 7}\n');
    expect(names).toEqual(["z", "b", "a", "y"]);
    expect(rows).toEqual([
      ["1", "2", null, null],
      ["5", "3", "4", null],
      ["7", null, null, "6"],
    ]);
  });

  test("however seldom each is there: 30 lines with a key of their own", async () => {
    const { names, rows } = await read(lines(Array.from({ length: 30 }, (_, index) => ({ [`k${index}`]: index }))));
    expect(names).toEqual(Array.from({ length: 30 }, (_, index) => `k${index}`));
    rows.forEach((row, index) => {
      expect(row.flatMap((value, place) => (value === null ? [] : [[place, value]]))).toEqual([[index, `${index}`]]);
    });
  });

  test("also one that is called json, and one that looks like another's second name", async () => {
    expect(await read('{"json": 1}\n')).toEqual({ names: ["json"], rows: [["1"]] });
    expect(await read('{"a": 1, "a_1": 2}\n')).toEqual({ names: ["a", "a_1"], rows: [["1", "2"]] });
  });

  test("lines without any are rows where others have some", async () => {
    expect(await read('{}\n{"a": 1}\n{}\n')).toEqual({ names: ["a"], rows: [[null], ["1"], [null]] });
    await expect(read("{}\n{}\n")).rejects.toMatchObject({ reason: "EmptyDataset" });
    await expect(read("\n\n")).rejects.toMatchObject({ reason: "EmptyDataset" });
  });

  test.each([
    [
      "in two lines",
      ['{"A": 1}\n', '{"a": 2}\n'].join(""),
      /^0\.jsonl: columns A and a differ only by case: rename one$/,
    ],
    ["in one", '{"a": 1, "A": 2}\n', /^0\.jsonl: columns a and A differ only by case/],
  ])("those that differ by case alone are refused: %s", async (_, content, says) => {
    await expect(read(content)).rejects.toMatchObject({
      reason: "SourceInvalid",
      message: expect.stringMatching(says),
    });
  });

  test("the file is named whose key differs from another file's by case alone", async () => {
    await expect(read('{"a": 1}\n', '{"A": 1}\n')).rejects.toThrow(/^1\.jsonl: columns a and A differ only by case/);
  });

  test("more than a version can have are refused", async () => {
    const many = lines(Array.from({ length: 10_001 }, (_, index) => ({ [`k${index}`]: index })));
    await expect(read(many)).rejects.toMatchObject({
      reason: "SourceInvalid",
      message: "0.jsonl: more than 10000 columns: leave some out, or put them into rows",
    });
  });
});

test.each([
  ["a list", '{"a": 1}\n[2]\n'],
  ["a number", '{"a": 1}\n2\n'],
  ["null", '{"a": 1}\nnull\n'],
  ["lists alone", "[1]\n[2]\n"],
])("a line that is no object is refused: %s", async (_, content) => {
  await expect(read(content)).rejects.toThrow(
    /^0\.jsonl, line [12]: not an object; every line must be one JSON object/,
  );
});

describe("what is said of a bad line holds no excerpt of it", () => {
  test.each<[string, string, string]>([
    ["a word", '{"id":1,"ssn":S123456789}', "line 2: not valid JSON (column 15: Unexpected token)"],
    [
      "a quote inside a text",
      '{"id":1,"name":"Smith"Jones"}',
      "line 2: not valid JSON (column 23: Expected ',' or '}' after property value)",
    ],
    [
      "a number with dashes",
      '{"ssn":987-65-4321}',
      "line 2: not valid JSON (column 11: Expected ',' or '}' after property value)",
    ],
    ["no value", '{"ssn":  }', "line 2: not valid JSON (column 10: Unexpected token)"],
    [
      "a wrong word after others",
      '{"a": NaN, "b": -Infinity, "c": nulx}',
      "line 2: not valid JSON (column 36: Unexpected token)",
    ],
    [
      "half an object",
      '{"ssn": "1234"',
      "line 2: not valid JSON (column 15: Expected ',' or '}' after property value)",
    ],
    ["an open text", '{"ssn": "1234', "line 2: not valid JSON (column 14: Unterminated string)"],
    ["nothing after a colon", '{"ssn":', "line 2: not valid JSON (column 8: Unexpected end)"],
    [
      "two objects",
      '{"ssn":"1234"}{"ssn":"5678"}',
      "line 2: not valid JSON (column 15: Unexpected non-whitespace character after JSON)",
    ],
    ["a key twice", '{"ssn":"1234","b":1,"ssn":"5678"}', "row 2: a key comes twice"],
    [
      "half a character",
      '{"ssn":"1234\\ud800"}',
      "0.jsonl can't be read as JSONL: byte 19 of a line: no low surrogate in string",
    ],
  ])("%s", async (_, line, says) => {
    const reading = read(`{"id": 1}\n${line}\n{"id": 3}\n`);
    await expect(reading).rejects.toMatchObject({
      reason: "SourceInvalid",
      message: expect.stringMatching(/^0\.jsonl[, ]/),
    });
    const { message } = (await reading.catch((error: unknown) => error)) as Error;
    expect(message).toContain(says);
    expect(message).not.toMatch(/1234|4321|5678|Smith|Jones|S12/);
  });
});
