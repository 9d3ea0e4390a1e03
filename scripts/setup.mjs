/** Runs before every npm script that a newcomer may call first: installs the dependencies when they are not there. Built-ins only. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const stamp = join(root, "node_modules/.lemnis-lock");
const wanted = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");
const installed = existsSync(stamp) && existsSync(join(root, "node_modules/.bin/node")) && readFileSync(stamp, "utf8");

if (installed !== wanted) {
  process.stderr.write("installing the dependencies (npm install) …\n");
  execFileSync("npm", ["install", "--no-save", "--no-audit", "--no-fund"], { cwd: root, stdio: ["ignore", 2, 2] });
  writeFileSync(stamp, wanted);
}
