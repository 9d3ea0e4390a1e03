import fc from "fast-check";
import { expect, test } from "vitest";
import { type ConditionInput, setCondition } from "./conditions.ts";

const input: ConditionInput = { type: "Ready", status: "False", reason: "A", message: "a", observedGeneration: 1 };
const at = (seconds: number) => new Date(Date.UTC(2026, 2, 1, 10, 0, seconds, 123));

test("a condition keeps its transition time while its status stays, and has whole seconds", () => {
  const first = setCondition([], input, at(1));
  expect(first.lastTransitionTime).toBe("2026-03-01T10:00:01Z");
  const told = setCondition([first], { ...input, reason: "B", message: "b", observedGeneration: 2 }, at(2));
  expect(told).toEqual({ ...first, reason: "B", message: "b", observedGeneration: 2 });
  expect(setCondition([told], { ...input, status: "True" }, at(3)).lastTransitionTime).toBe("2026-03-01T10:00:03Z");
});

test("other types' conditions are not looked at", () => {
  const other = setCondition([], { ...input, type: "Stalled" }, at(1));
  expect(setCondition([other], input, at(2)).lastTransitionTime).toBe("2026-03-01T10:00:02Z");
});

test("through any history, the transition time is that of the last change of status", () => {
  const step = fc.record({
    status: fc.constantFrom("True" as const, "False" as const),
    reason: fc.constantFrom("A", "B"),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), (steps) => {
      let conditions: ReturnType<typeof setCondition>[] = [];
      let changed = 0;
      for (const [second, { status, reason }] of steps.entries()) {
        if (status !== steps[second - 1]?.status) changed = second;
        conditions = [setCondition(conditions, { ...input, status, reason }, at(second))];
      }
      expect(conditions).toEqual([
        { ...input, ...steps.at(-1), lastTransitionTime: at(changed).toISOString().replace(".123Z", "Z") },
      ]);
    }),
  );
});

test("setting the same again changes nothing, at any time", () => {
  const status = fc.constantFrom("True" as const, "False" as const, "Unknown" as const);
  fc.assert(
    fc.property(status, fc.string(), fc.nat(59), fc.nat(59), (value, message, first, second) => {
      const set = setCondition([], { ...input, status: value, message }, at(first));
      expect(setCondition([set], { ...input, status: value, message }, at(second))).toEqual(set);
    }),
  );
});
