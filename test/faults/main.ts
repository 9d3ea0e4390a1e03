/** `npm run faults`: every fault, every run of it; a table of runs and violations. */
import { parseArgs } from "node:util";
import { terminalLog } from "../cluster/progress.ts";
import { Campaign } from "./campaign.ts";
import { rows } from "./rows.ts";

const usage = `npm run faults [-- --seed N] [--every N] [--only TEXT]
  --seed   decides all that is random; the table names it (1)
  --every  of a fault with a run for each write, make one in so many (1: all)
  --only   only faults whose name contains this text`;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    every: { type: "string", default: "1" },
    only: { type: "string", default: "" },
    help: { type: "boolean" },
  },
});
const [seed, every] = [Number(values.seed), Number(values.every)];
if (values.help || !Number.isInteger(seed) || !(every >= 1)) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}

const log = terminalLog();
const { campaign, reference } = await Campaign.start(seed);
const lines: string[] = [];
let failed = reference.violations.length;
for (const violation of reference.violations) log(`undisturbed: ${violation}`);
try {
  log(`undisturbed: ${reference.writes.length} writes in ${reference.seconds.toFixed(1)} s`);
  for (const { fault, runs } of rows.filter(({ fault: name }) => name.includes(values.only))) {
    const chosen = runs(reference.writes).filter((_, index) => index % every === 0);
    let violations = 0;
    for (const run of chosen) {
      const result = await campaign.run(run);
      violations += result.violations.length;
      const how = `${result.seconds.toFixed(1)} s, ${result.writes.length} writes, ${result.restarts} restarts`;
      log(`${fault}: ${run.name}: ${how}, ${result.violations.length} violations`);
      for (const violation of result.violations) log(`  ${violation}`);
    }
    failed += violations;
    lines.push(`| ${fault} | ${chosen.length} | ${violations} |`);
  }
} finally {
  await campaign.stop();
}
console.log(["| fault | runs | violations |", "|---|---|---|", ...lines].join("\n"));
console.log(`\nseed ${seed}: ${failed} violations`);
process.exitCode = failed === 0 ? 0 : 1;
