import { describe, expect, it } from "vitest";
import { decimalOf, digitsOf, formatMoney, parseAmount } from "./money";

const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, " ");

describe("money", () => {
  it("is exact beyond what a double holds", () => {
    const money = { minor_units: "9007199254740993017", currency_code: "EUR" };
    expect(formatMoney(money, "en-GB")).toBe("€90,071,992,547,409,930.17");
    expect(plain(formatMoney(money, "pl-PL"))).toBe("90 071 992 547 409 930,17 €");
  });

  it("has the digits of its currency", () => {
    expect(digitsOf("JPY")).toBe(0);
    expect(formatMoney({ minor_units: "1234", currency_code: "JPY" }, "en-GB")).toBe("¥1,234");
    expect(formatMoney({ minor_units: "5", currency_code: "GBP" }, "en-GB")).toBe("£0.05");
    expect(formatMoney({ minor_units: "-12050", currency_code: "EUR" }, "en-GB")).toBe("-€120.50");
    expect(decimalOf("1", 3)).toBe("0.001");
  });

  it("is shown with three letters that are no currency of ISO 4217", () => {
    expect(formatMoney({ minor_units: "150", currency_code: "X1" }, "en-GB")).toBe("1.50 X1");
    expect(formatMoney(undefined, "en-GB")).toBe("");
  });

  it("is read as people write it", () => {
    expect(parseAmount("1 234,50", 2)).toBe("123450");
    expect(parseAmount("1,234.5", 2)).toBe("123450");
    expect(parseAmount("1.234", 2)).toBe("123400");
    expect(parseAmount("12", 0)).toBe("12");
    expect(parseAmount("0", 2)).toBe("0");
    for (const none of ["", "a", "12a", "-", "1-2"]) expect(parseAmount(none, 2)).toBeNull();
  });
});
