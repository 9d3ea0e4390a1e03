/** `kubectl lemnis` on a cluster where the operator and the store run as pods: a version, a refresh, what has changed. */
import { mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CommandError, run } from "../cluster/command.ts";
import { kubeconfigPath } from "../cluster/layout.ts";
import { makeWorld, type World } from "./world.ts";

const plugin = join(import.meta.dirname, "../../operator/cli/kubectl-lemnis.mjs");
let world: World;
let folder: string;

/** A hundred rows; half of them red, but for the share that is not. */
function csv(shift: number, lost = 0): string {
  const lines = Array.from(
    { length: 100 },
    (_, i) => `${i < lost ? "" : i + shift},${i % 2 ? "red" : "white"},${i % 3}`,
  );
  return ["size,colour,class", ...lines, ""].join("\n");
}

const source = (content: string) => ({
  ...{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "wine" } },
  data: { "wine.csv": content },
});

/** What it wrote; as CommandError when it failed. */
function lemnis(...args: string[]): Promise<string> {
  const env = { ...process.env, KUBECONFIG: kubeconfigPath, PATH: `${folder}:${process.env.PATH}`, NO_COLOR: "1" };
  return run(world.target.kubectl[0], ["lemnis", ...args, "-n", world.target.namespace], { env });
}

beforeAll(async () => {
  world = await makeWorld("plugin");
  folder = await mkdtemp(join(tmpdir(), "lemnis-plugin-"));
  await symlink(plugin, join(folder, "kubectl-lemnis"));
  const columns = [{ name: "class", type: "Int64", role: "Label" }];
  const spec = { source: { uri: "configmap://wine/wine.csv" }, schema: { columns } };
  await world.apply(source(csv(0)), { kind: "Dataset", metadata: { name: "wine" }, spec });
  await world.reason("dataset", "wine", "VersionCurrent");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("a profile is told by the store, by way of the API server", async () => {
  const text = await lemnis("profile", "wine");
  expect(text).toContain("wine version 1 (current)");
  expect(text).toMatch(/size +Int64 .*█/);
  expect(text).toMatch(/colour +String .*red 50% · white 50%/);
});

test("a refresh waits for the new version, and a comparison tells what is new in it", async () => {
  await world.apply(source(csv(60, 10)));
  await lemnis("refresh", "wine", "--wait", "--timeout", "3m");
  expect(await lemnis("versions", "wine")).toMatch(/\n +2 +\* +sha256:[^\n]*\n +1 +sha256:/);
  const text = await lemnis("diff", "wine", "1");
  expect(text).toContain("wine version 1 → 2");
  expect(text).toMatch(/size +much .*0% → 10%/);
  const page = join(folder, "wine.html");
  await lemnis("diff", "wine", "1", "2", "--output", page);
  expect(await readFile(page, "utf8")).toContain("much drift");
});

test("a refresh that fails says why, and the last good version stays", async () => {
  await world.apply(source("size,colour,class\n1,red\n"));
  const failure = await lemnis("refresh", "wine", "--wait", "--timeout", "3m").catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(CommandError);
  expect((failure as CommandError).output).toMatch(/error: \w+: .*version 2 stays current/);
  expect(await lemnis("profile", "wine")).toContain("version 2 (current)");
});
