/** Does an object, as the server keeps it, hold all that is wanted? The server adds defaults and writes quantities its own way. */

/** Keys that tell the items of a list apart, as Kubernetes merges them. */
const itemKeys = ["name", "uid", "mountPath", "type", "port"];

export function holds(observed: unknown, desired: unknown, key = ""): boolean {
  // The server may add defaults to an empty object; that something was wanted in it before, the applied hash tells.
  if (isEmpty(desired)) return isEmpty(observed) || (isObject(desired) && isObject(observed));
  if (Array.isArray(desired)) return Array.isArray(observed) && listHolds(observed, desired, key);
  if (typeof desired === "object" && desired !== null) {
    if (typeof observed !== "object" || observed === null) return false;
    const quantities = key === "requests" || key === "limits";
    return Object.entries(desired).every(([name, value]) => {
      const other = (observed as Record<string, unknown>)[name];
      return quantities ? sameQuantity(other, value) : holds(other, value, name);
    });
  }
  return observed === desired;
}

function listHolds(observed: readonly unknown[], desired: readonly unknown[], key: string): boolean {
  if (observed.length !== desired.length) return false;
  const itemKey = itemKeys.find((candidate) =>
    desired.every((item) => isObject(item) && item[candidate] !== undefined),
  );
  return desired.every((item, index) => {
    if (!itemKey) return holds(observed[index], item, key);
    const value = (item as Record<string, unknown>)[itemKey];
    return observed.some((other) => isObject(other) && other[itemKey] === value && holds(other, item, key));
  });
}

/** The server leaves out what is empty, zero or false. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false || value === 0) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.keys(value).length === 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const factors: Record<string, number> = {
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** 1 and "1000m" are the same quantity. */
function sameQuantity(a: unknown, b: unknown): boolean {
  return a === b || (a !== undefined && parseQuantity(String(a)) === parseQuantity(String(b)));
}

function parseQuantity(text: string): number | string {
  const [, number, unit = ""] = /^([0-9.]+)([A-Za-z]*)$/.exec(text) ?? [];
  const factor = factors[unit];
  return number === undefined || factor === undefined ? text : Number((Number(number) * factor).toPrecision(15));
}
