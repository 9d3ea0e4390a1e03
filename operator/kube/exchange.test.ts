import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Pool } from "undici";
import { afterEach, beforeEach, expect, test } from "vitest";
import { exchange } from "./exchange.ts";

let server: Server;
let pool: Pool;
/** Paths that were asked for, and their answers, which the test gives. */
let asked: string[];
let answers: ServerResponse[];

beforeEach(async () => {
  [asked, answers] = [[], []];
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    answers.push(response);
    server.emit("asked");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  pool = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { connections: 1 });
});
afterEach(async () => {
  await pool.destroy();
  server.closeAllConnections();
  server.close();
});

const ask = (path: string, terms: { deadlineMs?: number; signal?: AbortSignal } = {}) =>
  exchange(pool, { method: "GET", path }, { deadlineMs: 10_000, ...terms });

test("an answer comes whole, wherever its bytes were cut", async () => {
  const exchanged = ask("/");
  await once(server, "asked");
  answers[0]?.writeHead(429, { "retry-after": "7" });
  for (const byte of Buffer.from("größer ≥")) {
    answers[0]?.write(Buffer.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  answers[0]?.end();
  expect(await exchanged).toMatchObject({ status: 429, headers: { "retry-after": "7" }, text: "größer ≥" });
});

test("what nobody waits for any more is not sent when a connection becomes free", async () => {
  const first = ask("/first");
  await once(server, "asked");
  await expect(ask("/late", { deadlineMs: 20 })).rejects.toThrow("no answer within 20 ms");
  const stop = new AbortController();
  const stopped = ask("/stopped", { signal: stop.signal });
  stop.abort();
  await expect(stopped).rejects.toThrow("given up");
  await expect(ask("/never", { signal: stop.signal })).rejects.toThrow("given up");
  const last = ask("/last");
  answers[0]?.end();
  await first;
  await once(server, "asked");
  answers[1]?.end();
  await last;
  expect(asked).toEqual(["/first", "/last"]);
});

test("an answer that breaks off is an error", async () => {
  const exchanged = ask("/");
  await once(server, "asked");
  answers[0]?.writeHead(200, { "content-length": "10" }).write("half");
  setImmediate(() => answers[0]?.destroy());
  await expect(exchanged).rejects.toThrow();
});
