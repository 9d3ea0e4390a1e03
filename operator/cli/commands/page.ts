import { writeFile } from "node:fs/promises";
import { UserError } from "../failure.ts";
import type { Terminal } from "../terminal.ts";

export async function writePage(file: string, page: string, terminal: Terminal): Promise<void> {
  try {
    await writeFile(file, page);
  } catch (error) {
    throw new UserError(`${file} can't be written: ${(error as Error).message}`);
  }
  terminal.tell(`written to ${file}`);
}

export function writeJson(value: unknown, terminal: Terminal): void {
  terminal.write(`${JSON.stringify(value, null, 2)}\n`);
}
