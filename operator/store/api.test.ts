import fc from "fast-check";
import { expect, test } from "vitest";
import { fileOf } from "../../test/builders/store.ts";
import { manifestDigest, objectName, relativePath } from "./api.ts";

test.each(["model.joblib", "train/data.csv", "a/b/c d.txt", "..a/b"])("the path %s is taken", (path) => {
  expect(relativePath.safeParse(path).success).toBe(true);
});

test.each(["", "/etc/passwd", "../secret", "a/../b", "a//b", "a/", "./a", "a\\b", "a\u0000b", "x".repeat(1025)])(
  "the path %j is refused",
  (path) => {
    expect(relativePath.safeParse(path).success).toBe(false);
  },
);

test.each(["../other", "A", "a_b", "-a", "", "a/b"])("the name %j is refused", (name) => {
  expect(objectName.safeParse(name).success).toBe(false);
});

test("a manifest's digest does not depend on the order of its files, but on all that they are", () => {
  const content = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(content, fc.nat(), (names, seed) => {
      const files = names.map((name) => fileOf(name, name));
      const turned = [...files.slice(seed % files.length), ...files.slice(0, seed % files.length)];
      expect(manifestDigest(turned)).toBe(manifestDigest(files));
      expect(manifestDigest([...files, fileOf("more", "more-than-eight")])).not.toBe(manifestDigest(files));
    }),
  );
});
