import { parseCommand } from "./arguments.ts";
import { Cluster } from "./cluster.ts";
import { showDiff } from "./commands/diff.ts";
import { showProfile } from "./commands/profile.ts";
import { refresh } from "./commands/refresh.ts";
import { showVersions } from "./commands/versions.ts";
import { failureText, UserError } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** Does what the arguments ask; the exit code. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<number> {
  let cluster: Cluster | undefined;
  try {
    const command = parseCommand(args);
    if (command.command === "help") {
      terminal.write(command.text);
      return 0;
    }
    cluster = await Cluster.connect(command);
    switch (command.command) {
      case "profile":
        await showProfile(cluster, command, terminal);
        break;
      case "diff":
        await showDiff(cluster, command, terminal);
        break;
      case "versions":
        await showVersions(cluster, command, terminal);
        break;
      case "refresh":
        await refresh(cluster, command, terminal);
        break;
    }
    return 0;
  } catch (error) {
    terminal.tell(`error: ${failureText(error)}`);
    return error instanceof UserError ? error.exitCode : 1;
  } finally {
    await cluster?.close();
  }
}
