/** The IPv4 addresses that an IPv6 address may lead to: mapped, compatible, NAT64 (RFC 6052) and 6to4 (RFC 3056). */
export function embeddedIPv4(address: string): string[] {
  const groups = address.includes(":") ? ipv6Groups(address) : undefined;
  if (!groups) return [];
  const [a, b, c, d, e, f, g, h] = groups as [number, number, number, number, number, number, number, number];
  const quad = (high: number, low: number) => [high >> 8, high & 255, low >> 8, low & 255].join(".");
  const leading = [a, b, c, d, e].every((group) => group === 0);
  if (leading && (f === 0xffff || f === 0)) return [quad(g, h)];
  if (a === 0x64 && b === 0xff9b) return [quad(g, h)];
  return a === 0x2002 ? [quad(b, c)] : [];
}

function ipv6Groups(address: string): number[] | undefined {
  const url = URL.parse(`http://[${address.replace(/%.*$/, "")}]/`);
  if (!url) return undefined;
  const [head = "", tail] = url.hostname.slice(1, -1).split("::");
  const read = (part: string) => (part ? part.split(":").map((group) => Number.parseInt(group, 16)) : []);
  const [before, after] = [read(head), read(tail ?? "")];
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
}
