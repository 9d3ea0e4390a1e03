/** `npm test`: sets up what the tests need, runs all of them, and says how many there were. `npm run verify`: no cluster. */

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensurePrograms, sourcePrograms } from "./cluster/os/host.ts";
import { terminalLog, withProgress } from "./cluster/progress.ts";
import { binary, type ToolName } from "./cluster/tools.ts";
import { azurite } from "./servers/azurite.ts";

const root = join(import.meta.dirname, "..");
const bin = (name: string) => join(root, "node_modules/.bin", name);
const log = terminalLog();
const usage = `npm test                run everything: verify, then the tests on real API servers and on a real cluster
npm run verify          format, lint, types, unused exports, generated files, unit tests
npm test -- GROUP …     only these: verify unit integration faults e2e`;

/** Real programs that the integration tests start. */
const tools: readonly ToolName[] = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kubectl",
  "helm",
  "versitygw",
  "promtool",
  "registry",
];
const groups = ["verify", "unit", "integration", "faults", "e2e"] as const;
type Group = (typeof groups)[number];

const totals = { passed: 0, failed: 0 };
const reports = mkdtempSync(join(tmpdir(), "lemnis-test-"));

function run(command: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}

async function check(title: string, command: string, args: readonly string[]): Promise<void> {
  const code = await withProgress(log, title, () => run(command, args));
  if (code === 0) totals.passed++;
  else totals.failed++;
}

async function verify(): Promise<void> {
  await check("format and lint", bin("biome"), ["check", "--error-on-warnings", "."]);
  await check("types", bin("tsc"), ["--noEmit"]);
  await check("unused exports and dependencies", bin("knip"), []);
  await check("generated files are fresh", bin("node"), ["scripts/generate.ts", "--check"]);
}

async function vitest(project: Exclude<Group, "verify" | "faults">): Promise<void> {
  const report = join(reports, `${project}.json`);
  const args = [
    "run",
    "--project",
    `${project}*`,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
  ];
  await withProgress(log, `${project} tests`, () => run(bin("vitest"), args));
  const { numPassedTests, numFailedTests, success } = JSON.parse(readFileSync(report, "utf8"));
  totals.passed += numPassedTests;
  // A suite that could not even begin has no failed test, and has failed all the same.
  totals.failed += numFailedTests || (success ? 0 : 1);
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(groups as readonly string[]).includes(name));
if (unknown.length > 0) {
  process.stdout.write(`${usage}\n`);
  process.exit(unknown.includes("--help") ? 0 : 2);
}
const wanted: readonly string[] = asked.length === 0 ? groups : asked.includes("verify") ? [...asked, "unit"] : asked;
try {
  if (wanted.includes("verify")) await verify();
  if (wanted.includes("unit")) await vitest("unit");
  if (wanted.includes("integration") && totals.failed === 0) {
    for (const tool of tools) await binary(tool, { log });
    await ensurePrograms(sourcePrograms, log);
    await azurite({ log });
    await vitest("integration");
  }
  if (wanted.includes("faults") && totals.failed === 0) {
    await check("faults, the short form of npm run faults", bin("node"), ["test/faults/main.ts", "--short"]);
  }
  if (wanted.includes("e2e") && totals.failed === 0) await vitest("e2e");
} finally {
  rmSync(reports, { recursive: true, force: true });
}
console.log(`\n${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed === 0 ? 0 : 1;
