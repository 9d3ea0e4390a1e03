import { describe, expect, test } from "vitest";
import { servingRuntime } from "../../test/builders/kinds.ts";
import { resolveTemplate } from "./runtime-template.ts";

const named = (name: string, ...formats: string[]) => ({
  ...servingRuntime,
  metadata: { name },
  spec: { ...servingRuntime.spec, formats: formats.map((format) => ({ name: format })), container: { image: name } },
});
const runtimes = [named("b", "sklearn"), named("a", "sklearn", "onnx"), named("c", "xgboost")];
const resolve = (wish: Parameters<typeof resolveTemplate<{ container: { image: string } }>>[0]) =>
  resolveTemplate(wish, runtimes, "ServingRuntime");

describe("the container is", () => {
  test.each([
    ["the manifest's own", { template: { container: { image: "own" } }, format: "sklearn" }, "own"],
    ["the runtime's that is named, whatever it lists", { runtimeRef: { name: "c" }, format: "sklearn" }, "c"],
    ["the first one's by name that lists the format", { format: "sklearn" }, "a"],
  ])("%s", (_, wish, image) => {
    expect(resolve(wish)).toMatchObject({ container: { image } });
    expect(resolve(wish)).not.toHaveProperty("formats");
  });
});

test.each([
  [{ runtimeRef: { name: "z" } }, "ServingRuntime z does not exist; the cluster has: a, b, c"],
  [{ format: "torch" }, "no ServingRuntime lists the format torch; the cluster has: a, b, c"],
])("what is missing is named: %j", (wish, message) => {
  expect(resolve(wish)).toEqual({ state: "waiting", reason: "RuntimeNotFound", message });
});
