import { describe, expect, it } from "vitest";
import { flag, many, oneOf, text, withParams } from "./search-params";

const params = { owner: text(), period: oneOf("6", "3"), kinds: many(), open: flag() };

describe("search parameters", () => {
  it("leave out what is usual, and keep those of others", () => {
    expect(withParams("?x=1&owner=anna", params, { owner: "", period: "6" })).toBe("?x=1");
    expect(withParams("", params, { period: "3", open: true })).toBe("?period=3&open=1");
    expect(withParams("?owner=a", params, { owner: "" })).toBe("");
  });

  it("read what was written, and what nobody wrote as the usual", () => {
    expect(params.period.read("7")).toBe("6");
    expect(params.kinds.read(params.kinds.write(["a", "b"]))).toEqual(["a", "b"]);
    expect(params.kinds.read(null)).toEqual([]);
    expect(params.open.read("1")).toBe(true);
  });
});
