import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { toolsDir } from "./layout.ts";
import { binaryKey, pinnedVersion } from "./tools.ts";

const goMod = readFileSync(join(toolsDir, "kubernetes", "go.mod"), "utf8");

test("the version comes from the requirement, not from a replacement or a longer module path", () => {
  expect(pinnedVersion("require (\n\tk8s.io/api/v2 v9.9.9\n\tk8s.io/api v1.2.3 // indirect\n)", "k8s.io/api")).toBe(
    "v1.2.3",
  );
  expect(pinnedVersion("require k8s.io/api v1.2.3", "k8s.io/api")).toBe("v1.2.3");
  expect(() => pinnedVersion("module x", "k8s.io/api")).toThrow("does not require k8s.io/api");
});

test("all of Kubernetes is of one release", () => {
  const [, minor, patch] = pinnedVersion(goMod, "k8s.io/kubernetes").split(".");
  const staging = [...goMod.matchAll(/^\t(k8s\.io\/\S+) => \S+ (\S+)$/gm)];
  expect(staging.length).toBeGreaterThan(30);
  for (const [, module, version] of staging) expect(`${module} ${version}`).toBe(`${module} v0.${minor}.${patch}`);
});

test("every tool with dependencies is pinned by checksums", () => {
  for (const tool of readdirSync(toolsDir)) {
    const text = readFileSync(join(toolsDir, tool, "go.mod"), "utf8");
    expect(existsSync(join(toolsDir, tool, "go.sum")), tool).toBe(text.includes("require"));
  }
});

test("a binary's key changes with its flags", () => {
  const folder = join(toolsDir, "pause");
  expect(binaryKey(folder, "-s")).toBe(binaryKey(folder, "-s"));
  expect(binaryKey(folder, "-s")).not.toBe(binaryKey(folder, "-w"));
});
