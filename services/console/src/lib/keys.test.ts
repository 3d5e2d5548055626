import { describe, expect, it } from "vitest";
import { folded } from "./fold";
import { namesOf } from "./keys";

const press = (key: string, code: string, held: Partial<Parameters<typeof namesOf>[0]> = {}) =>
  namesOf({ key, code, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...held });

describe("keys", () => {
  it("are known by what they write", () => {
    expect(press("c", "KeyC")).toEqual(["c"]);
    expect(press("C", "KeyC", { shiftKey: true })).toEqual(["c"]);
    expect(press("Enter", "Enter")).toEqual(["Enter"]);
    expect(press("k", "KeyK", { ctrlKey: true })).toEqual(["Control+k"]);
  });

  it("are known by their place where they write other letters", () => {
    expect(press("с", "KeyC")).toContain("c");
    expect(press("ν", "KeyN")).toContain("n");
    expect(press("+", "Digit1")).toContain("1");
    expect(press(".", "Slash")).toContain("/");
    expect(press(",", "Slash", { shiftKey: true })).toContain("?");
  });

  it("with Alt belong to the browser", () => {
    expect(press("c", "KeyC", { altKey: true })).toEqual([]);
  });
});

describe("a text that is searched", () => {
  it("has no case, no accents and one sigma", () => {
    expect(folded("ΠΕΛΆΤΗΣ")).toBe(folded("πελάτης"));
    expect(folded("Łódź")).toBe("lodz");
  });
});
