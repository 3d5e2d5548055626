import { describe, expect, it } from "vitest";
import { addsUp } from "./ledger";
import { cloudEventOf } from "./rejected";

describe("the ledger", () => {
  const source = {
    received: "9007199254740999",
    duplicates: "2",
    written: "9007199254740991",
    pending: "1",
    skipped: "2",
    rejected: "2",
    late: "1",
  };

  it("adds up, beyond the whole numbers of a double too", () => {
    expect(addsUp(source)).toBe(true);
    expect(addsUp({ ...source, late: "2" })).toBe(false);
    expect(addsUp({ ...source, received: "9007199254741000" })).toBe(false);
  });
});

describe("what was rejected", () => {
  it("can be offered again as it was when it is an object of JSON", () => {
    expect(cloudEventOf('{"id": "call/1"}')).toEqual({ id: "call/1" });
    for (const content of ["this is no row", "[1]", "null", '"text"', "12", ""]) {
      expect(cloudEventOf(content)).toBeNull();
    }
  });
});
