import fc from "fast-check";
import { expect, test } from "vitest";
import { Packing } from "./packing.ts";

const object = fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue(), { maxKeys: 3 });

test("whatever is packed is read as it was, in any order", () => {
  fc.assert(
    fc.property(fc.array(object, { maxLength: 10 }), (objects) => {
      const packing = new Packing();
      const packed = objects.map((each) => packing.pack(each));
      const read = packed.toReversed().map((each) => packing.unpack(each));
      expect(read.toReversed()).toEqual(objects.map((each) => JSON.parse(JSON.stringify(each))));
    }),
  );
});

test("what is like the first takes a tenth of the room", () => {
  const packing = new Packing();
  const fields = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`field${index}`, `value ${index}`]));
  const [, second = ""] = ["wine", "beer"].map((name) => packing.pack({ ...fields, name }));
  expect(second.length).toBeLessThan(JSON.stringify(fields).length / 10);
  expect(packing.unpack(second)).toEqual({ ...fields, name: "beer" });
});

test("the shapes that are remembered are not more and more", () => {
  const packing = new Packing();
  const many = (length: number) => ({ names: Array.from({ length }, (_, index) => `name ${index}`) });
  for (let length = 0; length < 200; length++) expect(packing.unpack(packing.pack(many(length)))).toEqual(many(length));
  expect(packing.pack(many(199))).toBe(JSON.stringify(many(199)));
  expect(packing.pack(many(20)).length).toBeLessThan(10);
});
