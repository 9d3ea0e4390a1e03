import { expect, test } from "vitest";
import { ApiError } from "../kube/errors.ts";
import { createLogger } from "./logger.ts";

test("a line is JSON with the level's name, an ISO time and the error's status; quieter levels are left out", () => {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger("info", { write: (line: string) => void lines.push(JSON.parse(line)) });
  logger.debug("unheard");
  logger.warn({ object: "a/wine", err: new ApiError("apply Service wine", 403) }, "reconcile failed");
  expect(lines).toEqual([
    {
      level: "warn",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      object: "a/wine",
      err: expect.objectContaining({ message: "apply Service wine: 403", status: 403 }),
      msg: "reconcile failed",
    },
  ]);
});
