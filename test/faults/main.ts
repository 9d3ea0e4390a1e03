/** `npm run faults`: every fault, every run of it; a table of runs and violations. */
import { parseArgs } from "node:util";
import { terminalLog } from "../cluster/progress.ts";
import { Campaign, type Result, type Row, type Run } from "./campaign.ts";
import { rows } from "./rows/index.ts";

const usage = `npm run faults [-- --seed N] [--every N] [--only TEXT] [--short] [--lanes N]
  --seed   decides all that is random; the table names it (1)
  --every  of the runs for each write of a story, make one in so many (1: all)
  --only   only faults whose name contains this text
  --short  as in npm test: of the runs for each write one, and none of the very long runs
  --lanes  runs at once, each on API servers of its own (2)`;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    every: { type: "string", default: "1" },
    only: { type: "string", default: "" },
    lanes: { type: "string", default: "2" },
    short: { type: "boolean", default: false },
    help: { type: "boolean" },
  },
});
const [seed, every, lanes] = [Number(values.seed), Number(values.every), Number(values.lanes)];
if (values.help || ![seed, every, lanes].every(Number.isInteger) || every < 1 || lanes < 1) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}

const log = terminalLog();
// What is mounted and started ends with this process, if it ends by itself.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

interface Task {
  row: Row;
  run: Run;
  /** Of the write that it waits for. */
  index?: number;
}

/** Which of the writes' runs are made, the seed decides. */
function chosen(row: Row, writes: number): Task[] {
  const { runs = [], perWrite } = row;
  const step = values.short ? writes : Math.min(every, writes);
  const indexes = Array.from({ length: writes }, (_, index) => index).filter(
    (index) => (index + 17 * seed) % step === 0,
  );
  const tasks = perWrite ? indexes.map((index) => ({ row, run: perWrite(index), index })) : [];
  return [...runs.filter(({ long }) => !(values.short && long)).map((run) => ({ row, run })), ...tasks];
}

function tell(fault: string, { run, violations, notes, seconds, writes, restarts }: Result): void {
  const how = [`${seconds.toFixed(1)} s`, `${writes.length} writes`, `${restarts} restarts`, ...notes].join(", ");
  log(`${fault}: ${run.name}: ${how}, ${violations.length} violations`);
  for (const violation of violations) log(`  ${violation}`);
  if (violations.length > 0) log(`  again: npm run faults -- --seed ${seed} --only "${fault}"`);
}

const started = await Promise.allSettled(Array.from({ length: lanes }, () => Campaign.start(seed)));
const campaigns = started.flatMap((lane) => (lane.status === "fulfilled" ? [lane.value] : []));
const failure = started.find((lane) => lane.status === "rejected");
const found = new Map<Row, Result[]>();

/** A run counts only when it meets what it waits for: of a write that did not come, one that does is waited for instead. */
function earlier({ row, index = 0 }: Task): Task | undefined {
  const before = Math.floor(index / 2);
  return row.perWrite && before < index ? { row, run: row.perWrite(before), index: before } : undefined;
}

async function work({ campaign }: (typeof campaigns)[number], queue: Task[]): Promise<void> {
  for (let next = queue.shift(); next; next = queue.shift()) {
    const result = await campaign.run(next.run);
    const again = result.isMet ? undefined : earlier(next);
    if (again) {
      log(`${next.row.fault}: ${next.run.name}: there was no such write this time`);
      queue.unshift(again);
      if (result.violations.length === 0) continue;
    } else if (!result.isMet) result.violations.push("the fault has found no occasion");
    tell(next.row.fault, result);
    found.set(next.row, [...(found.get(next.row) ?? []), result]);
  }
}

const references = campaigns.map(({ reference }) => reference);
for (const reference of references) tell("undisturbed", reference);
const asked = rows.filter(({ fault }) => fault.includes(values.only));
try {
  if (failure) throw failure.reason;
  const queue = asked.flatMap((row) => chosen(row, references[0]?.told ?? 0));
  await Promise.all(campaigns.map((lane) => work(lane, queue)));
} finally {
  await Promise.all(campaigns.map(({ campaign }) => campaign.stop()));
}

const count = (results: readonly Result[]) => results.reduce((sum, { violations }) => sum + violations.length, 0);
const lines = asked.map((row) => {
  const results = found.get(row) ?? [];
  const longer = values.short && row.runs?.some(({ long }) => long) ? " (more in the long form)" : "";
  return `| ${row.fault}${longer} | ${results.length} | ${count(results)} |`;
});
const results = [...found.values()].flat();
const failed = count(references) + count(results);
console.log(["| fault | runs | violations |", "|---|---|---|", ...lines].join("\n"));
console.log(`\nseed ${seed}: ${results.length} runs, ${failed} violations`);
process.exit(failed === 0 ? 0 : 1);
