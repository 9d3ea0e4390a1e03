import fc from "fast-check";
import { expect, test } from "vitest";
import { codeDigest, jsonDigest, sha256, shortDigest } from "./digest.ts";

test("a digest is the sha256 that other tools print", () => {
  expect(sha256("abc")).toBe("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  expect(shortDigest(sha256("abc"))).toBe("ba7816bf8f");
});

/** The same value with its keys written in the opposite order, at every depth. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, turned(member)]),
  );
}

test("the order of keys does not count, nor do members that are undefined; all else does", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      expect(jsonDigest(turned(value))).toBe(jsonDigest(value));
      expect(jsonDigest({ ...value, absent: undefined })).toBe(jsonDigest(value));
      expect(jsonDigest({ ...value, "another key": 1 })).not.toBe(jsonDigest(value));
    }),
  );
  expect(jsonDigest([1, 2])).not.toBe(jsonDigest([2, 1]));
});

test("code is named by its files' names and contents", () => {
  expect(codeDigest({ "a.py": "1", "b.py": "2" })).toBe(codeDigest({ "b.py": "2", "a.py": "1" }));
  expect(codeDigest({ "a.py": "1" })).not.toBe(codeDigest({ "b.py": "1" }));
});
