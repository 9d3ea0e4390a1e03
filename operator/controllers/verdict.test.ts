import { describe, expect, test } from "vitest";
import { model, start } from "../../test/builders/kinds.ts";
import { outcomeOf } from "./outcome.ts";
import { conditionsOf, type Verdict } from "./verdict.ts";

const verdict = (state: Verdict["state"], ready?: boolean): Verdict => ({
  ...{ state, reason: "Because", message: "of it" },
  ...(ready === undefined ? {} : { ready }),
});
const typesOf = (given: Verdict) =>
  conditionsOf(model(), { verdict: given }, start).map(({ type, status }) => `${type}=${status}`);

describe("conditions follow kstatus: abnormal ones are there only while they hold", () => {
  test.each<[Verdict, string[]]>([
    [verdict("ready"), ["Ready=True"]],
    [verdict("progressing"), ["Ready=False", "Reconciling=True"]],
    [verdict("waiting"), ["Ready=False", "Reconciling=True"]],
    [verdict("progressing", true), ["Ready=True", "Reconciling=True"]],
    [verdict("stalled"), ["Ready=False", "Stalled=True"]],
    [verdict("stalled", true), ["Ready=True", "Stalled=True"]],
    [verdict("suspended"), ["Ready=False"]],
  ])("%j", (given, types) => {
    expect(typesOf(given)).toEqual(types);
  });

  test("and name the generation that they speak of", () => {
    expect(conditionsOf(model(), { verdict: verdict("ready") }, start)[0]).toMatchObject({ observedGeneration: 1 });
  });
});

test("a message is of a length that the API server takes, and no character is cut in two", () => {
  const long = { ...verdict("ready"), message: `${"x".repeat(4092)}😀${"x".repeat(40_000)}` };
  const message = conditionsOf({ metadata: {} }, { verdict: long }, start)[0]?.message ?? "";
  expect(message.length).toBe(4096);
  expect(message.isWellFormed()).toBe(true);
});

test("half a character, which others have left, is written as the API server would", () => {
  const cut = { ...verdict("ready"), message: "a\ud83d" };
  const [condition] = conditionsOf({ metadata: {} }, { verdict: cut }, start);
  expect(condition?.message).toBe("a\ufffd");
});

describe("when to look again", () => {
  const later = (ms: number) => new Date(start.getTime() + ms);

  test.each<[string, Verdict, (Date | undefined)[], object]>([
    ["never by itself, once settled", verdict("ready"), [undefined], { kind: "settled" }],
    ["never, while only an edit can mend it", verdict("stalled"), [], { kind: "stalled" }],
    ["when a watch tells, while it waits", verdict("waiting"), [], { kind: "waiting" }],
    [
      "at the earliest of the times",
      verdict("ready"),
      [later(5000), later(900)],
      { kind: "waiting", requeueAfterMs: 950 },
    ],
    ["at once, when a time has passed", verdict("stalled"), [later(-1)], { kind: "waiting", requeueAfterMs: 50 }],
  ])("%s", (_, given, times, outcome) => {
    expect(outcomeOf(given, times, start)).toEqual(outcome);
  });
});
