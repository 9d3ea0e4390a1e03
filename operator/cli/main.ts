/** The program of `kubectl lemnis`: the user's arguments, environment and terminal in, an exit code out. */
import { runCli } from "./run.ts";

const { argv, env, stdout, stderr } = process;

// A reader that has seen enough, such as head, is no failure.
stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

const screen = {
  width: stdout.columns ?? 160,
  color: stdout.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb",
};
process.exitCode = await runCli(argv.slice(2), {
  screen,
  write: (text) => stdout.write(text),
  tell: (line) => stderr.write(`${line}\n`),
});
