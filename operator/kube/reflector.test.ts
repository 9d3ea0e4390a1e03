import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { KubeClient } from "./client.ts";
import { ApiError, ConnectionError } from "./errors.ts";
import { Reflector, type RestartReason } from "./reflector.ts";
import { configMaps } from "./resources.ts";
import type { KubeObject } from "./types.ts";

const pauses: number[] = [];
// Pauses take no time, and are written down.
vi.mock("node:timers/promises", () => ({ setTimeout: async (ms: number) => void pauses.push(ms) }));

type Page = { items: KubeObject[]; resourceVersion: string; next?: string };

/** What the server answers to each list and watch in turn; a watch that has no script is silent until it is aborted. */
let pages: (Page | Error | Promise<Page>)[];
let watches: (string[] | Error)[];
let asked: string[];
let told: string[];
let restarts: RestartReason[];
let errors: unknown[];
/** What a test does when it is told of a change. */
let onTold: () => void;
let stop: AbortController;
let running: Promise<void>;

const client = {
  async list(_: unknown, query: { continue?: string }) {
    asked.push(query.continue ? `list ${query.continue}` : "list");
    const page = await (pages.shift() ?? { items: [], resourceVersion: "1" });
    if (page instanceof Error) throw page;
    const { items, resourceVersion, next } = page;
    return { items, metadata: { resourceVersion, ...(next ? { continue: next } : {}) } };
  },
  async *watch(_: unknown, query: { resourceVersion: string }, { signal }: { signal: AbortSignal }) {
    asked.push(`watch ${query.resourceVersion}`);
    const script = watches.shift();
    if (script instanceof Error) throw script;
    if (script) return yield* script;
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
    throw new ConnectionError("watch ConfigMap", signal.reason);
  },
} as unknown as KubeClient;

const object = (name: string, version: number, uid = name): KubeObject => ({
  ...{ apiVersion: "", kind: "" },
  metadata: { name, namespace: "a", uid, resourceVersion: String(version) },
});
const line = (type: string, of: object) => JSON.stringify({ type, object: of });
const page = (version: number, ...items: KubeObject[]): Page => ({ items, resourceVersion: String(version) });

function start(): Reflector<KubeObject> {
  const reflector = new Reflector<KubeObject>(client, configMaps, {
    onChange: ({ type, object: { metadata }, listed }) => {
      told.push(`${type} ${metadata.name}/${metadata.uid}${listed ? " listed" : ""}`);
      onTold();
    },
    onRestart: (reason, error) => {
      restarts.push(reason);
      errors.push(error);
    },
  });
  running = reflector.run(stop.signal);
  return reflector;
}
/** Waits until the reflector has nothing to do but to listen. */
const settled = (line: string) => vi.waitFor(() => expect(asked.at(-1)).toBe(line));

beforeEach(() => {
  [pages, watches, asked, told, restarts, errors] = [[], [], [], [], [], []];
  pauses.length = 0;
  onTold = () => {};
  stop = new AbortController();
});
afterEach(async () => {
  vi.useRealTimers();
  stop.abort();
  await running;
});

test("a watch that broke is behind until the server is heard again, by a watch or a list", async () => {
  const states: [string, boolean][] = [];
  const heard = line("MODIFIED", object("x", 3));
  pages = [page(2, object("x", 2))];
  watches = [[], new ConnectionError("watch ConfigMap", "reset"), [], [heard], new ApiError("watch", 410, undefined)];
  const reflector = start();
  onTold = () => states.push(["told", reflector.isBehind]);
  const seen = reflector.isBehind;
  await settled("watch 1");
  expect(seen).toBe(false);
  expect(restarts).toEqual(["ended", "error", "ended", "ended", "gone"]);
  expect(states).toEqual([
    ["told", false],
    ["told", false],
    ["told", true],
  ]);
  expect(reflector.isBehind).toBe(false);
});

describe("a watch that ends", () => {
  test("goes on where it ended, at the last event or bookmark, without a list", async () => {
    pages = [page(5, object("wine", 3))];
    watches = [
      [line("MODIFIED", object("wine", 6)), ""],
      [line("BOOKMARK", { metadata: { resourceVersion: "9" } })],
      [line("ERROR", { code: 500, message: "etcd" })],
    ];
    start();
    await settled("watch 9");
    await vi.waitFor(() => expect(restarts).toEqual(["ended", "ended", "error"]));
    expect(asked).toEqual(["list", "watch 5", "watch 6", "watch 9", "watch 9"]);
    expect(told).toEqual(["added wine/wine listed", "modified wine/wine"]);
  });

  test.each<[RestartReason, string[] | Error]>([
    ["gone", [line("ERROR", { code: 410 })]],
    ["gone", new ApiError("watch ConfigMap", 410)],
    ["unparseable", ['{"type": "ADD']],
  ])("because it is %s lists again, and finds what it has missed", async (reason, ended) => {
    pages = [
      page(5, object("kept", 1), object("gone", 2), object("remade", 3, "old")),
      page(9, object("kept", 1), object("remade", 8, "new"), object("made", 7)),
    ];
    watches = [ended];
    start();
    await settled("watch 9");
    expect(restarts).toEqual([reason]);
    expect(told.slice(3)).toEqual([
      "deleted remade/old listed",
      "added remade/new listed",
      "added made/made listed",
      "deleted gone/gone listed",
    ]);
  });

  test("because it was silent for longer than bookmarks are apart lists again: the versions may have begun anew", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    pages = [page(500, object("wine", 300)), page(20, object("wine", 10))];
    const { cache } = start();
    await vi.waitFor(() => expect(asked.at(-1)).toBe("watch 500"));
    vi.advanceTimersByTime(149_000);
    expect(restarts).toEqual([]);
    vi.advanceTimersByTime(1_000);
    await vi.waitFor(() => expect(asked.at(-1)).toBe("watch 20"));
    expect(restarts).toEqual(["stalled"]);
    expect(cache.get("a", "wine")?.metadata.resourceVersion).toBe("10");
  });
});

describe("a server in trouble", () => {
  test("is asked ever less often, with jitter, and told why", async () => {
    const refused = new ApiError("list ConfigMap", 403, { message: "forbidden" });
    pages = Array.from({ length: 14 }, () => refused);
    const reflector = start();
    await reflector.whenSynced;
    expect(errors.slice(0, 14)).toEqual(Array(14).fill(refused));
    for (const [index, pause] of pauses.slice(0, 14).entries()) {
      const middle = Math.min(30_000, 100 * 2 ** (index + 1));
      expect(pause).toBeGreaterThanOrEqual(middle * 0.5);
      expect(pause).toBeLessThanOrEqual(middle * 1.5);
    }
  });

  test("is not stormed when it ends every watch at once", async () => {
    watches = Array.from({ length: 10 }, () => []);
    start();
    await vi.waitFor(() => expect(asked.filter((it) => it.startsWith("watch"))).toHaveLength(11));
    expect(pauses).toHaveLength(10);
    expect(pauses.at(-1)).toBeGreaterThan(10_000);
  });
});

test("a list whose next page has expired begins anew, and is not called whole before its end", async () => {
  pages = [
    { ...page(5, object("a", 1), object("b", 2)), next: "more" },
    new ApiError("list ConfigMap", 410, { reason: "Expired" }),
    { ...page(9, object("a", 1)), next: "rest" },
    page(9, object("c", 8)),
  ];
  const reflector = start();
  expect(reflector.cache.synced).toBe(false);
  await reflector.whenSynced;
  expect(asked.slice(0, 4)).toEqual(["list", "list more", "list", "list rest"]);
  expect(told).toEqual(["added a/a listed", "added b/b listed", "added c/c listed", "deleted b/b listed"]);
});

describe("a kind that vanishes", () => {
  test("leaves an empty cache that is not synced, until it is back and listed", async () => {
    pages = [page(5, object("wine", 3))];
    const reflector = start();
    await reflector.whenSynced;
    stop.abort();
    reflector.clear();
    await running;
    expect(told.at(-1)).toBe("deleted wine/wine listed");
    expect([reflector.cache.size, reflector.cache.synced]).toEqual([0, false]);
    let back = false;
    const whenBack = reflector.whenSynced.then(() => {
      back = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(back).toBe(false);
    stop = new AbortController();
    running = reflector.run(stop.signal);
    await whenBack;
    expect(reflector.cache.synced).toBe(true);
  });

  test("while it is being listed leaves nothing in the cache either", async () => {
    const late = Promise.withResolvers<Page>();
    pages = [late.promise];
    const reflector = start();
    await vi.waitFor(() => expect(asked).toEqual(["list"]));
    stop.abort();
    reflector.clear();
    late.resolve(page(5, object("wine", 3)));
    await running;
    expect(told).toEqual([]);
    expect([reflector.cache.size, reflector.cache.synced]).toEqual([0, false]);
  });

  test("is not put back by events that were on their way", async () => {
    watches = [[line("ADDED", object("first", 6)), line("ADDED", object("second", 7))]];
    onTold = () => {
      if (stop.signal.aborted) return;
      stop.abort();
      reflector.clear();
    };
    const reflector = start();
    await running;
    expect(told).toEqual(["added first/first", "deleted first/first listed"]);
    expect([reflector.cache.size, reflector.cache.synced]).toEqual([0, false]);
  });
});
