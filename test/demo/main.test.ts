import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { freshNamespace } from "./install.ts";

const demo = (...args: string[]) =>
  spawnSync(process.execPath, [join(import.meta.dirname, "main.ts"), ...args], { encoding: "utf8" });

test("--help says what the demo does and what it can be told", () => {
  const { status, stdout } = demo("--help");
  expect(status).toBe(0);
  for (const option of ["--context NAME", "--image IMAGE", "--namespace NAME"]) expect(stdout).toContain(option);
});

describe("what can't be is said, before anything is made", () => {
  test.each([
    [["--context", "kind"], /--context needs --image/],
    [["--image", "lemnis:1"], /--image goes with --context/],
    [["--imgae", "lemnis:1"], /Unknown option '--imgae'/],
  ])("%s", (args, says) => {
    const { status, stderr } = demo(...args);
    expect(status).toBe(1);
    expect(stderr).toMatch(says);
  });
});

test("each demo has a namespace of its own, with a name that Kubernetes takes", () => {
  const [first, second] = [new Date("2026-03-01T10:07:01Z"), new Date("2026-03-01T10:07:02Z")].map(freshNamespace);
  expect(first).toBe("lemnis-demo-0301-100701");
  expect(second).not.toBe(first);
});
