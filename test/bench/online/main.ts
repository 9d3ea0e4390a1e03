/** The feature server under an open-loop load, beside a bare HTTP server that answers the same bytes, and Feast's. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { request } from "undici";
import { Child, freePorts } from "../../cluster/os/child.ts";
import { withProgress } from "../../cluster/progress.ts";
import { startStore } from "../../rig/store.ts";
import type { Report } from "../report.ts";
import { dataset, features, makeVersion } from "./data.ts";
import { closedLoop, describe, openLoop, type Target } from "./load.ts";

export const usage = `npm run bench -- online [--keys 1000000] [--seconds 20] [--rate 1000]
  --keys     keys, of 10 features each (1000000); Feast has at most 10000 of them
  --seconds  how long each load lasts (20)
  --rate     requests a second (1000); Feast is asked 70 % of what it can do, where that is less
The servers run on core 0, the load on core 1: two cores are needed, and python3.11 with PyPI for Feast.`;

const execute = promisify(execFile);
const batches = [1, 20] as const;
const requirements = ["feast==0.67.0"];
const feastKeys = 10_000;
const patience = 1_200_000;

interface Bench {
  folder: string;
  keys: number;
  seconds: number;
  rate: number;
  report: Report;
}

/** Starts a command on core 0 and measures while it is ready. */
async function withServer(
  { folder }: Bench,
  server: { name: string; command: readonly string[]; url: string; ready: string },
  use: () => Promise<void>,
): Promise<void> {
  const { name, command, url, ready } = server;
  const child = await Child.start({
    ...{ name, command: "taskset", args: ["-c", "0", ...command], logFile: join(folder, `${name}.log`) },
    env: { FEAST_USAGE: "False" },
    isReady: async () => {
      const answer = await request(url + ready).catch(() => undefined);
      await answer?.body.dump();
      return answer?.statusCode === 200;
    },
  });
  try {
    await use();
  } finally {
    await child.stop();
  }
}

const node = (...args: readonly string[]) => [process.execPath, join(import.meta.dirname, "server.ts"), ...args];

/** The first keys' answer; throws when it is not theirs. */
async function sample({ url, path, body }: Target, batch: number): Promise<string> {
  const keys = Array.from({ length: batch }, (_, key) => key);
  const headers = { "content-type": "application/json" };
  const answer = await request(url + path, { method: "POST", headers, body: body(keys) });
  const text = await answer.body.text();
  const { rows } = JSON.parse(text) as { rows?: ({ customer: number } | null)[] };
  if (keys.every((key) => rows?.[key]?.customer === key)) return text;
  throw new Error(`${answer.statusCode}: ${text}`);
}

/** The CSV file that was served. */
async function measureOurs(bench: Bench): Promise<string> {
  const { folder, keys, report, seconds, rate } = bench;
  const [port = 0, barePort = 0] = await freePorts(2);
  const store = await startStore(join(folder, "store"), folder);
  const storeUrl = store.url;
  try {
    const make = () => makeVersion(storeUrl, folder, keys);
    const csv = await withProgress(report.note, `a version of ${keys} keys`, make);
    const url = `http://127.0.0.1:${port}`;
    const body = (asked: readonly number[]) => JSON.stringify({ keys: asked.map((customer) => ({ customer })) });
    const target = { url, path: "/v1/features", body, keys };
    const ours = { name: "features", command: node("features", storeUrl, folder, `${port}`), url, ready: "/readyz" };
    await withServer(bench, ours, async () => {
      for (const batch of batches) {
        const file = join(folder, `answer-${batch}`);
        await writeFile(file, await sample(target, batch));
        const bareUrl = `http://127.0.0.1:${barePort}`;
        const bare = { name: "bare", command: node("bare", `${barePort}`, file), url: bareUrl, ready: "/" };
        const load = { batch, seconds, rate };
        const measured = await openLoop(target, load);
        await withServer(bench, bare, async () => {
          const plain = await openLoop({ ...target, url: bareUrl }, load);
          report.add({
            measure: `${rate} requests/s of ${batch} of ${keys} keys; a bare server with the same bytes; ratio of p99`,
            result: `${describe(measured)}; bare ${describe(plain)}`,
            ratio: measured.p99 / plain.p99,
          });
        });
      }
    });
    return csv;
  } finally {
    await store.kill();
  }
}

async function makeFeast({ folder, report, keys }: Bench, csv: string): Promise<string> {
  const repository = join(folder, "feast");
  await mkdir(repository);
  const venv = join(folder, "venv");
  const install = async () => {
    await execute("python3.11", ["-m", "venv", venv]);
    await execute(join(venv, "bin/pip"), ["install", "--quiet", ...requirements], { timeout: patience });
  };
  await withProgress(report.note, "Feast's packages", install);
  const script = join(import.meta.dirname, "repository.py");
  const args = [script, csv, `${Math.min(keys, feastKeys)}`];
  const options = { cwd: repository, timeout: patience, env: { ...process.env, FEAST_USAGE: "False" } };
  await withProgress(report.note, "Feast's online store", () => execute(join(venv, "bin/python"), args, options));
  return repository;
}

async function measureFeast(bench: Bench, csv: string): Promise<void> {
  const { folder, report, seconds } = bench;
  const keys = Math.min(bench.keys, feastKeys);
  const repository = await makeFeast(bench, csv);
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const feast = [join(folder, "venv/bin/feast"), "-c", repository, "serve", "-h", "127.0.0.1", "-p", `${port}`];
  const command = [...feast, "-w", "1", "--no-access-log"];
  const names = features.map((name) => `${dataset}:${name}`);
  const body = (asked: readonly number[]) => JSON.stringify({ features: names, entities: { customer: asked } });
  const target = { url, path: "/get-online-features", body, keys };
  await withServer(bench, { name: "feast", command, url, ready: "/health" }, async () => {
    for (const batch of batches) {
      const can = await closedLoop(target, { batch, seconds: Math.min(seconds, 5) });
      if (!can.rate) throw new Error(`Feast answers no request: ${can.errors} errors`);
      const rate = Math.max(1, Math.min(bench.rate, Math.floor(can.rate * 0.7)));
      const measured = await openLoop(target, { batch, seconds, rate });
      const most = `at most ${can.rate.toFixed(0)}/s, four callers`;
      report.add({
        measure: `Feast: ${rate} requests/s of ${batch} of ${keys} keys`,
        result: `${describe(measured)}; ${most}`,
      });
    }
  });
}

export async function run(args: readonly string[], report: Report): Promise<boolean> {
  const options = {
    keys: { type: "string", default: "1000000" },
    seconds: { type: "string", default: "20" },
    rate: { type: "string", default: "1000" },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  const [keys, seconds, rate] = [Number(values.keys), Number(values.seconds), Number(values.rate)];
  if (!(Number.isInteger(keys) && keys >= 20 && seconds > 0 && rate > 0)) return false;
  const folder = await mkdtemp(join(tmpdir(), "lemnis-bench-"));
  try {
    const bench = { folder, keys, seconds, rate, report };
    await execute("taskset", ["-a", "-p", "-c", "1", `${process.pid}`]);
    await measureFeast(bench, await measureOurs(bench));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return true;
}
