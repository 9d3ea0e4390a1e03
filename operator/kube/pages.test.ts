import { describe, expect, test } from "vitest";
import type { ObjectList } from "./client.ts";
import { inPages } from "./pages.ts";

const page = (items: string[], next?: string): ObjectList<string> => ({
  items,
  metadata: { resourceVersion: "1", ...(next ? { continue: next } : {}) },
});

/** Answers from a script; remembers what it was asked for. */
function server(answers: Record<string, ObjectList<string> | Error>) {
  const asked: string[] = [];
  const ask = async (token = "first") => {
    asked.push(token);
    const answer = answers[token];
    if (answer instanceof Error || !answer) throw answer;
    return answer;
  };
  return { asked, ask };
}
const three = { first: page(["a"], "second"), second: page(["b"], "third"), third: page(["c"]) };

describe("a list in pages", () => {
  test("comes whole and in order", async () => {
    const { ask } = server(three);
    const found: string[] = [];
    for await (const { items } of inPages(ask)) found.push(...items);
    expect(found).toEqual(["a", "b", "c"]);
  });

  test("has the next page asked for while one is looked through, and no more than that", async () => {
    const { asked, ask } = server(three);
    const seen: string[][] = [];
    for await (const _ of inPages(ask)) {
      await new Promise((resolve) => setImmediate(resolve));
      seen.push([...asked]);
    }
    expect(seen).toEqual([
      ["first", "second"],
      ["first", "second", "third"],
      ["first", "second", "third"],
    ]);
  });

  test("fails where the page that failed would have been", async () => {
    const { ask } = server({ ...three, second: new Error("gone") });
    const found: string[] = [];
    const list = async () => {
      for await (const { items } of inPages(ask)) found.push(...items);
    };
    await expect(list()).rejects.toThrow("gone");
    expect(found).toEqual(["a"]);
  });

  test("that is left early leaves no failure behind", async () => {
    const { asked, ask } = server({ ...three, second: new Error("gone") });
    for await (const _ of inPages(ask)) break;
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toEqual(["first", "second"]);
  });
});
