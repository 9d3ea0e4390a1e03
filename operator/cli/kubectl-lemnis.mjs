#!/usr/bin/env node
// The plugin's way in. The program is TypeScript, which Node runs from 22.18 on; an older one hands over to the Node that
// `npm install` puts beside it.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const main = new URL("./main.ts", import.meta.url);
if (process.features.typescript) {
  await import(main.href);
} else {
  const node = fileURLToPath(new URL("../../node_modules/node/bin/node", import.meta.url));
  if (!existsSync(node)) {
    process.stderr.write(
      `kubectl-lemnis needs Node 22.18 or later, and this is ${process.version}: run npm install in its repository\n`,
    );
    process.exit(1);
  }
  const { status, error } = spawnSync(node, [fileURLToPath(main), ...process.argv.slice(2)], { stdio: "inherit" });
  if (error) throw error;
  process.exit(status ?? 1);
}
