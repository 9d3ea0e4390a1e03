import { expect, test } from "vitest";
import { readinessOf } from "./health.ts";

const node = (status: string) => ({
  status: 200,
  body: JSON.stringify({
    status: {
      conditions: [
        { type: "Ready", status, message: "so says the kubelet", lastHeartbeatTime: "2026-01-01T00:00:10Z" },
      ],
    },
  }),
});
const at = (second: number) => Date.UTC(2026, 0, 1, 0, 0, second);

test("the kubelet's own condition decides", () => {
  expect(readinessOf(node("True"), 0)).toEqual({ ready: true, message: "so says the kubelet" });
  expect(readinessOf(node("False"), 0)).toEqual({ ready: false, message: "so says the kubelet" });
  expect(readinessOf({ status: 200, body: "{}" }, 0).ready).toBe(false);
});

test("what a kubelet said before it was started anew does not count", () => {
  expect(readinessOf(node("True"), at(10)).ready).toBe(true);
  expect(readinessOf(node("True"), at(12)).ready).toBe(false);
});

test("an API server that does not answer, or refuses, is not a ready node", () => {
  expect(readinessOf(undefined, 0).ready).toBe(false);
  expect(readinessOf({ status: 401, body: "" }, 0).message).toContain("401");
});
