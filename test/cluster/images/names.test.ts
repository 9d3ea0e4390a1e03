import { expect, test } from "vitest";
import { pipSettings } from "./buildah.ts";
import { imageDigest } from "./load.ts";
import { fileName, fullReference } from "./reference.ts";

test.each([
  ["node", "docker.io/library/node:latest"],
  ["lemnis/operator:dev", "docker.io/lemnis/operator:dev"],
  ["localhost/lemnis:1", "localhost/lemnis:1"],
  ["registry.local:5000/a/b", "registry.local:5000/a/b:latest"],
  ["example.com/a@sha256:00", "example.com/a@sha256:00"],
])("%s is kept as %s", (name, full) => {
  expect(fullReference(name)).toBe(full);
  expect(fileName(full)).not.toMatch(/[/:@]/);
});

test("a build gets the machine's package indexes, and nothing else of its pip settings", () => {
  const list =
    "global.cert='/etc/ca.crt'\n:env:.index-url='https://pypi.example/simple'\nglobal.extra-index-url='https://a\\nhttps://b'\n";
  const expected = "[global]\nindex-url = https://pypi.example/simple\nextra-index-url = https://a\n  https://b\n";
  expect(pipSettings(list)).toBe(expected);
  expect(pipSettings("global.cert='/etc/ca.crt'\n")).toBe("");
});

test("the digest of an image is found by its whole name", () => {
  const table = [
    "REF                 TYPE                                    DIGEST       SIZE",
    "localhost/a:1-old   application/vnd.oci.image.manifest.v1+json sha256:0000 1.0 MiB",
    "localhost/a:1       application/vnd.oci.image.manifest.v1+json sha256:1111 1.0 MiB",
  ].join("\n");
  expect(imageDigest(table, "localhost/a:1")).toBe("sha256:1111");
  expect(imageDigest(table, "localhost/a")).toBeUndefined();
});
