/** Does an object, as the server keeps it, hold all that is wanted? The server adds defaults and writes quantities its own way. */

/** Lists that server-side apply merges item by item, by a key in each: what others add to them is theirs, and stays. */
const mergedLists = new Set([
  ...["containers", "initContainers", "volumes", "imagePullSecrets", "env", "volumeMounts", "ports"],
  "ownerReferences",
]);

export function holds(observed: unknown, desired: unknown, key = ""): boolean {
  // What is undefined is not sent. The server may add defaults to an empty object; that something was wanted in it
  // before, the applied hash tells.
  if (desired === undefined || (isEmpty(desired) && isEmpty(observed))) return true;
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
  // An item holds another only if its key does.
  if (mergedLists.has(key)) return desired.every((item) => observed.some((other) => holds(other, item)));
  return observed.length === desired.length && desired.every((item, index) => holds(observed[index], item));
}

/** The server leaves out what is empty, zero or false. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false || value === 0) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.keys(value).length === 0;
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
