import { beforeEach, describe, expect, test, vi } from "vitest";
import { batched } from "./batched.ts";

let asked: string[];
let failure: Error | undefined;
let read: (namespace: string, name: string) => Promise<string | undefined>;

beforeEach(() => {
  asked = [];
  failure = undefined;
  read = batched(async (namespace, names) => {
    asked.push(`${namespace}: ${names.join(" ")}`);
    if (failure) throw failure;
    return Object.fromEntries(names.filter((name) => name !== "absent").map((name) => [name, `${namespace}/${name}`]));
  });
});

describe("reads of one turn", () => {
  test("become one request a namespace, and each gets its own answer", async () => {
    const answers = await Promise.all([read("a", "x"), read("b", "x"), read("a", "y"), read("a", "x")]);
    expect(answers).toEqual(["a/x", "b/x", "a/y", "a/x"]);
    expect(asked).toEqual(["a: x y", "b: x"]);
  });

  test("are not so many that their names would not go into a URL", async () => {
    const names = Array.from({ length: 100 }, (_, index) => `n${index}`);
    expect(await Promise.all(names.map((name) => read("a", name)))).toEqual(names.map((name) => `a/${name}`));
    expect(asked.map((line) => line.split(" ").length - 1)).toEqual([48, 48, 4]);
  });

  test("fail together", async () => {
    failure = new Error("away");
    const answers = await Promise.allSettled([read("a", "x"), read("a", "y")]);
    expect(answers.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });
});

describe("soon after a request", () => {
  test("reads wait for more, and become one; a failure of the one before is not theirs", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "performance"] });
    try {
      failure = new Error("away");
      await expect(read("a", "x")).rejects.toThrow("away");
      failure = undefined;
      const answers = [read("a", "y")];
      await new Promise((resolve) => setImmediate(resolve));
      answers.push(read("b", "y"), read("a", "z"));
      await vi.advanceTimersByTimeAsync(19);
      expect(asked).toEqual(["a: x"]);
      await vi.advanceTimersByTimeAsync(1);
      expect(await Promise.all(answers)).toEqual(["a/y", "b/y", "a/z"]);
      expect(asked).toEqual(["a: x", "a: y z", "b: y"]);
    } finally {
      vi.useRealTimers();
    }
  });

  test("many do not wait", async () => {
    await read("a", "x");
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    try {
      await Promise.all(Array.from({ length: 20 }, (_, index) => read("a", `n${index}`)));
    } finally {
      vi.useRealTimers();
    }
    expect(asked.map((line) => line.split(" ").length - 1)).toEqual([1, 20]);
  });
});

test("a read that is asked for later is another request: an answer is never older than the question", async () => {
  await read("a", "x");
  await read("a", "x");
  expect(asked).toEqual(["a: x", "a: x"]);
});

test("what the store does not know has no answer", async () => {
  expect(await read("a", "absent")).toBeUndefined();
});
