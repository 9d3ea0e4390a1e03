import { expect, test } from "vitest";
import { ApiError, ConnectionError, classify } from "./errors.ts";

test.each([
  [409, "Conflict", "conflict"],
  [409, "AlreadyExists", "exists"],
  [403, "Forbidden", "forbidden"],
  [404, "NotFound", "notFound"],
  [410, "Expired", "gone"],
  [422, "Invalid", "invalid"],
  [429, "TooManyRequests", "throttled"],
  [401, "Unauthorized", "transient"],
  [500, "InternalError", "transient"],
  [503, "", "transient"],
  [400, "BadRequest", "terminal"],
])("%i %s is %s", (status, reason, kind) => {
  expect(classify(new ApiError("get Pod a", status, { reason }))).toBe(kind);
});

test("a connection that broke may work later, a bug will not", () => {
  expect(classify(new ConnectionError("get Pod a", new Error("reset")))).toBe("transient");
  expect(classify(new TypeError("x is undefined"))).toBe("terminal");
});

test("an error says what was asked, what came back, and when to come again", () => {
  const error = new ApiError("apply Service wine", 429, { message: "too many", details: { retryAfterSeconds: 3 } });
  expect(error).toMatchObject({ message: "apply Service wine: 429 too many", retryAfterMs: 3000 });
});
