/** Of a row and its key. */
export const maxRowBytes = 65_535;
/** Rows in one segment: few enough that the place of each in it is a 32-bit number. */
const segmentRows = 65_536;

/**
 * Rows as JSON text, found by key. All lies in flat memory outside of the garbage collector's: beside its own text and its
 * key's, a row takes 12 to 17 bytes.
 */
export class RowIndex {
  readonly #segments: Segment[] = [];
  /** Numbers of rows from 1, by hash; 0: none. */
  readonly #slots: Uint32Array;
  readonly #scratch = Buffer.allocUnsafe(maxRowBytes);
  #building = new Building();
  #size = 0;

  /** For at most so many rows. */
  constructor(rows: number) {
    this.#slots = new Uint32Array(slotsFor(rows));
  }

  /** Bytes that an index takes of so many rows, whose texts and keys take so many. */
  static bytes(rows: number, textBytes: number): number {
    return textBytes + rows * 6 + slotsFor(rows) * 4;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a row whose key is not there yet, both of at most `maxRowBytes`; after the last, `seal`. */
  add(key: string, row: string): void {
    const hash = hashOf(this.#scratch, this.#scratch.write(key));
    this.#building.add(key, row);
    this.#size++;
    let slot = hash & (this.#slots.length - 1);
    while (this.#slots[slot] !== 0) slot = (slot + 1) & (this.#slots.length - 1);
    this.#slots[slot] = this.#size;
    if (this.#building.rows === segmentRows) this.seal();
  }

  seal(): void {
    if (this.#building.rows === 0) return;
    this.#segments.push(this.#building.finish());
    this.#building = new Building();
  }

  /** The row's JSON text; undefined where no row has the key. */
  find(key: string): Buffer | undefined {
    if (Buffer.byteLength(key) > maxRowBytes) return undefined;
    const length = this.#scratch.write(key);
    let slot = hashOf(this.#scratch, length) & (this.#slots.length - 1);
    for (;;) {
      const number = this.#slots[slot] as number;
      if (number === 0) return undefined;
      const segment = this.#segments[Math.floor((number - 1) / segmentRows)] as Segment;
      const row = segment.match((number - 1) % segmentRows, this.#scratch, length);
      if (row) return row;
      slot = (slot + 1) & (this.#slots.length - 1);
    }
  }
}

/** A power of two of which at most three quarters are taken. */
function slotsFor(rows: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(16, (rows * 4) / 3)));
}

/** Keys and rows one after the other: key, row, key, row. */
class Segment {
  readonly #bytes: Buffer;
  readonly #ends: Uint32Array;
  readonly #keyBytes: Uint16Array;

  constructor(bytes: Buffer, ends: Uint32Array, keyBytes: Uint16Array) {
    this.#bytes = bytes;
    this.#ends = ends;
    this.#keyBytes = keyBytes;
  }

  /** The row, where its key is the first `length` bytes of `key`. */
  match(row: number, key: Buffer, length: number): Buffer | undefined {
    if (this.#keyBytes[row] !== length) return undefined;
    const start = row === 0 ? 0 : (this.#ends[row - 1] as number);
    if (this.#bytes.compare(key, 0, length, start, start + length) !== 0) return undefined;
    return this.#bytes.subarray(start + length, this.#ends[row]);
  }
}

class Building {
  #bytes = Buffer.allocUnsafe(1 << 20);
  #used = 0;
  readonly #ends = new Uint32Array(segmentRows);
  readonly #keyBytes = new Uint16Array(segmentRows);
  rows = 0;

  add(key: string, row: string): void {
    const most = 3 * (key.length + row.length);
    if (this.#used + most > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#used + most));
      this.#bytes.copy(larger, 0, 0, this.#used);
      this.#bytes = larger;
    }
    const keyBytes = this.#bytes.write(key, this.#used);
    this.#used += keyBytes;
    this.#used += this.#bytes.write(row, this.#used);
    this.#keyBytes[this.rows] = keyBytes;
    this.#ends[this.rows] = this.#used;
    this.rows++;
  }

  finish(): Segment {
    const bytes = Buffer.from(this.#bytes.subarray(0, this.#used));
    return new Segment(bytes, this.#ends.slice(0, this.rows), this.#keyBytes.slice(0, this.rows));
  }
}

/** FNV-1a with MurmurHash3's finish, so that the low bits depend on all. */
function hashOf(bytes: Buffer, length: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < length; index++) hash = Math.imul(hash ^ (bytes[index] as number), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
