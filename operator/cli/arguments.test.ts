import { describe, expect, test } from "vitest";
import { parseCommand } from "./arguments.ts";
import { runCli } from "./run.ts";

const parse = (line: string) => parseCommand(line.split(" ").filter((word) => word !== ""));
const target = {
  name: "wine",
  namespace: undefined,
  context: undefined,
  store: { namespace: "lemnis-system", name: "lemnis-store" },
};
const digest = `sha256:${"ab".repeat(32)}`;

test.each([
  ["profile wine", { command: "profile", ...target, version: undefined, output: { kind: "text" } }],
  [
    "profile wine 3 -n a -o json",
    { command: "profile", ...target, namespace: "a", version: "3", output: { kind: "json" } },
  ],
  [`profile wine ${digest}`, { command: "profile", ...target, version: digest, output: { kind: "text" } }],
  [
    "--context c profile wine --output p.html",
    { command: "profile", ...target, context: "c", version: undefined, output: { kind: "page", file: "p.html" } },
  ],
  ["diff wine 3", { command: "diff", ...target, before: "3", after: undefined, output: { kind: "text" } }],
  ["diff wine 3 4", { command: "diff", ...target, before: "3", after: "4", output: { kind: "text" } }],
  [
    "versions wine --store ml/my-store",
    { command: "versions", ...target, store: { namespace: "ml", name: "my-store" }, output: { kind: "text" } },
  ],
  ["refresh wine", { command: "refresh", ...target, wait: false, timeoutMs: 600_000 }],
  ["refresh wine --wait --timeout 90s", { command: "refresh", ...target, wait: true, timeoutMs: 90_000 }],
])("%s", (line, command) => {
  expect(parse(line)).toEqual(command);
});

describe("is refused with what to do", () => {
  test.each([
    ["profiles wine", 'there is no command "profiles"'],
    ["constructor wine", 'there is no command "constructor"'],
    ["profile", "profile needs the name of a Dataset"],
    ["profile wine 3 4", 'profile does not take "4"'],
    ["profile wine three", '"three" is no version'],
    ["profile wine 0", '"0" is no version'],
    ["profile wine ../1", '"../1" is no version'],
    ["profile wine --wait", "profile takes no --wait"],
    ["profile wine --output page.pdf", "--output takes json or the name of a page"],
    ["profile wine --colour", "Unknown option '--colour'"],
    ["diff wine", "diff needs the version to compare with"],
    ["versions wine 3", 'versions does not take "3"'],
    ["versions wine -o v.html", "versions writes no page"],
    ["refresh wine --timeout soon", "--timeout takes a duration such as 90s or 10m"],
    ["refresh wine --timeout 0s", "--timeout takes a duration"],
    ["versions wine --store lemnis", "--store takes NAMESPACE/SERVICE"],
    ["versions wine --store a/../b", "--store takes NAMESPACE/SERVICE"],
  ])("%s", (line, problem) => {
    expect(() => parse(line)).toThrow(problem);
    expect(() => parse(line)).toThrow(/See: kubectl lemnis .*--help/);
  });
});

test.each([
  ["", "Commands, each"],
  ["--help", "Commands, each"],
  ["help diff", "Usage: kubectl lemnis diff"],
])("%j prints help", (line, text) => {
  expect(parse(line)).toMatchObject({ command: "help", text: expect.stringContaining(text) });
});

test.each(["profile", "diff", "versions", "refresh"])(
  "%s has a help of its own, with every option that it takes",
  (name) => {
    const help = parse(`${name} --help`);
    const text = help.command === "help" ? help.text : "";
    expect(text).toContain(`Usage: kubectl lemnis ${name} NAME`);
    const options = name === "refresh" ? ["--wait", "--timeout"] : ["--output"];
    for (const option of [...options, "--namespace", "--context", "--store", "--help"]) expect(text).toContain(option);
  },
);

test("a wrong command line ends with code 2, told on standard error and without what could steer the terminal", async () => {
  const told: string[] = [];
  const written: string[] = [];
  const terminal = {
    screen: { width: 80, color: false },
    write: (text: string) => void written.push(text),
    tell: (line: string) => void told.push(line),
  };
  expect(await runCli(["\u001b[2Jx"], terminal)).toBe(2);
  expect(told).toEqual(['error: there is no command "\\u{1b}[2Jx"\nSee: kubectl lemnis --help']);
  expect(await runCli(["diff", "--help"], terminal)).toBe(0);
  expect(written).toHaveLength(1);
});
