import fc from "fast-check";
import { expect, test } from "vitest";
import { parseGlob } from "./glob.ts";

test.each([
  ["a/*.csv", "a/b.csv", true],
  ["a/*.csv", "a/.csv", true],
  ["a/*.csv", "a/b/c.csv", false],
  ["a/*.csv", "a/bxcsv", false],
  ["day=*/part-?.csv", "day=1/part-1.csv", true],
  ["day=*/part-?.csv", "day=1/part-10.csv", false],
  ["day=*/part-?.csv", "day=1/part-/.csv", false],
  ["**/a.csv", "a.csv", true],
  ["**/a.csv", "x/y/a.csv", true],
  ["**/a.csv", "xa.csv", false],
  ["x/**", "x/y/z", true],
  ["x/**/z", "x/z", true],
  ["x/**/z", "x/yz", false],
  ["(a|b)+[c].*", "(a|b)+[c].d", true],
  ["(a|b)+[c].*", "ac.d", false],
])("%s and %s: %s", (pattern, key, matches) => {
  expect(parseGlob(pattern)?.matches(key)).toBe(matches);
});

test("a key without wildcards is none", () => {
  expect(parseGlob("a/b.csv")).toBeUndefined();
  expect(parseGlob("wine/day=*/a.csv")?.prefix).toBe("wine/day=");
});

test("says what the pattern says as a regular expression, and takes no long time over a bad one", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 8 });
  const patterns = fc.array(fc.constantFrom("a", "b", "/", "*", "?", "**/"), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(patterns, letters, (tokens, key) => {
      const pattern = tokens.join("");
      // Stars that touch are one `**`, which the plain translation below does not know.
      fc.pre(/[*?]/.test(pattern) && !/\*\*(?!\/)|\*{3}/.test(pattern));
      const source = pattern.replace(/\*\*\/|\*|\?/g, (t) => (t === "**/" ? "(?:.*/)?" : t === "*" ? "[^/]*" : "[^/]"));
      expect(parseGlob(pattern)?.matches(key)).toBe(new RegExp(`^${source}$`).test(key));
    }),
  );
  expect(parseGlob(`${"*a".repeat(200)}b`)?.matches("a".repeat(1024))).toBe(false);
});
