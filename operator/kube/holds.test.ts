import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { holds } from "./holds.ts";

describe("what the server keeps holds what is wanted", () => {
  test.each<[string, unknown, unknown]>([
    ["with defaults added", { a: 1, added: "by the server" }, { a: 1 }],
    [
      "with quantities written another way",
      { limits: { cpu: "1", memory: "1024Mi" } },
      { limits: { cpu: "1000m", memory: "1Gi" } },
    ],
    ["with a number for a quantity", { requests: { cpu: "2" } }, { requests: { cpu: 2 } }],
    ["without what is empty", {}, { a: [], b: {}, c: "", d: false, e: 0, f: null, g: undefined }],
    ["with what is not sent", { a: 1 }, { a: undefined }],
    ["with defaults in what is empty", { emptyDir: { medium: "" }, labels: { b: "1" } }, { emptyDir: {}, labels: {} }],
    [
      "with containers in another order",
      { containers: [{ name: "b" }, { name: "a", x: 1 }] },
      { containers: [{ name: "a" }, { name: "b" }] },
    ],
    ["with defaults inside list items", { ports: [{ port: 80, protocol: "TCP" }] }, { ports: [{ port: 80 }] }],
    [
      "with variables of others",
      {
        env: [
          { name: "THEIRS", value: "1" },
          { name: "OURS", value: "2" },
        ],
      },
      { env: [{ name: "OURS", value: "2" }] },
    ],
    ["with an owner of others", { ownerReferences: [{ uid: "x" }, { uid: "u" }] }, { ownerReferences: [{ uid: "u" }] }],
    ["with variables of others where none is wanted", { env: [{ name: "THEIRS" }] }, { env: [] }],
  ])("%s", (_, observed, desired) => {
    expect(holds(observed, desired)).toBe(true);
  });
});

describe("it does not", () => {
  test.each<[string, unknown, unknown]>([
    ["with another value", { a: { b: 1 } }, { a: { b: 2 } }],
    ["without the member", { a: {} }, { a: { b: 1 } }],
    ["with an item more in a list that is one value", { args: ["a", "b"] }, { args: ["a"] }],
    ["with another item", { containers: [{ name: "b" }] }, { containers: [{ name: "a" }] }],
    ["with another value in an item", { env: [{ name: "a", value: "1" }] }, { env: [{ name: "a", value: "2" }] }],
    [
      "with the same port of another protocol",
      { ports: [{ port: 80, protocol: "UDP" }] },
      { ports: [{ port: 80, protocol: "TCP" }] },
    ],
    ["with plain items in another order", ["b", "a"], ["a", "b"]],
    ["with another quantity", { limits: { memory: "1G" } }, { limits: { memory: "1Gi" } }],
    ["with something where nothing is wanted", { a: [1] }, { a: [] }],
    ["with true where false is wanted", { a: true }, { a: false }],
    ["with a list where an object is wanted", { a: [] }, { a: { b: 1 } }],
  ])("%s", (_, observed, desired) => {
    expect(holds(observed, desired)).toBe(false);
  });
});

test("any JSON holds itself, also when the server adds members", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
      const kept = JSON.parse(JSON.stringify(object));
      expect(holds(kept, object)).toBe(true);
      expect(holds({ ...kept, "added-by-the-server": 1 }, object)).toBe(true);
    }),
  );
});
