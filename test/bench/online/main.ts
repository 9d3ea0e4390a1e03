/** Look-ups by key at a fixed rate, beside a bare HTTP server that answers as many bytes. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Pool } from "undici";
import { Child, freePorts } from "../../cluster/os/child.ts";
import { isHealthy } from "../../cluster/os/http.ts";
import { inMs, type Report } from "../report.ts";

export const usage = `npm run bench -- online [--keys 1000000] [--rate 1000] [--seconds 20]
  --keys     rows of 10 features that the server holds (1000000)
  --rate     requests a second, begun whether or not earlier ones have ended (1000)
  --seconds  how long each load lasts (20)
The server has one core.`;

const patienceMs = 600_000;

interface Load {
  rate: number;
  seconds: number;
  /** The body of the request number n. */
  body: (n: number) => string;
}

interface Latencies {
  p50: number;
  p99: number;
  failed: number;
}

/** Latency counts from when a request was due, so that a server that stalls is not asked less. */
async function measure(url: string, { rate, seconds, body }: Load): Promise<Latencies> {
  const pool = new Pool(url, { connections: 64 });
  const times: number[] = [];
  let failed = 0;
  const ask = async (n: number, due: number) => {
    try {
      const answer = await pool.request({
        ...{ method: "POST", path: "/v1/features", body: body(n) },
        headers: { "content-type": "application/json" },
      });
      await answer.body.dump();
      if (answer.statusCode !== 200) failed++;
      times.push(performance.now() - due);
    } catch {
      failed++;
    }
  };
  const begun = performance.now();
  const asked: Promise<void>[] = [];
  const count = rate * seconds;
  while (asked.length < count) {
    const due = Math.min(count, Math.floor(((performance.now() - begun) / 1000) * rate));
    while (asked.length < due) asked.push(ask(asked.length, begun + (asked.length / rate) * 1000));
    await nextTurn();
  }
  await Promise.all(asked);
  await pool.close();
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), failed };
}

async function withServer(what: string, path: string, use: (url: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "lemnis-bench-"));
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const server = await Child.start({
    name: `served-${what}`,
    command: "taskset",
    args: ["-c", "0", process.execPath, join(import.meta.dirname, "served.ts"), String(port), what],
    logFile: join(folder, "server.log"),
    isReady: () => isHealthy(`${url}${path}`),
    timeoutMs: patienceMs,
  });
  try {
    await use(url);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

export async function run(args: readonly string[], report: Report): Promise<boolean> {
  const options = {
    keys: { type: "string", default: "1000000" },
    rate: { type: "string", default: "1000" },
    seconds: { type: "string", default: "20" },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  const [keys, rate, seconds] = [Number(values.keys), Number(values.rate), Number(values.seconds)];
  if (![keys, rate, seconds].every((value) => Number.isInteger(value) && value > 0)) return false;
  const bodyOf = (batch: number) => (n: number) =>
    JSON.stringify({ keys: Array.from({ length: batch }, (_, i) => ({ customer: (n * 7919 + i * 104_729) % keys })) });
  const add = (measure: string, { p50, p99, failed }: Latencies, bare?: Latencies) =>
    report.add({
      measure,
      result: `p50 ${p50.toFixed(2)} ms, p99 ${inMs(p99)}, ${failed} failed`,
      ...(bare ? { ratio: bare.p50 / p50 } : {}),
    });
  let bare: Latencies | undefined;
  await withServer("bare", "/", async (url) => {
    bare = await measure(url, { rate, seconds, body: bodyOf(1) });
    add(`a bare HTTP server, ${rate} requests/s`, bare);
  });
  report.note(`loading ${keys} rows`);
  await withServer(String(keys), "/readyz", async (url) => {
    for (const batch of [1, 20]) {
      const found = await measure(url, { rate, seconds, body: bodyOf(batch) });
      add(`${batch} of ${keys} keys a request, ${rate} requests/s`, found, bare);
    }
  });
  return true;
}
