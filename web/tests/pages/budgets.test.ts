import { describe, expect, it } from "vitest";
import { amount, budgetName } from "@/pages/status/budgets";

const budget = { limit: null, spent: 0, unit: "usd" as const };

describe("budgets in words", () => {
  it("names the time instead of the scope", () => {
    expect(budgetName({ ...budget, scope: "day:2026-11-27:u_owner" })).toBe("Today: cost");
    expect(budgetName({ ...budget, scope: "turn:turn_1", unit: "tokens" })).toBe(
      "This turn: tokens",
    );
  });

  it("shows a scope it does not know by its kind", () => {
    expect(budgetName({ ...budget, scope: "team:t_1" })).toBe("team: cost");
  });

  it("has a unit with every amount", () => {
    expect(amount(1234, "tokens")).toBe("1.2k tokens");
    expect(amount(0.0042, "usd")).toBe("$0.0042");
    expect(amount(64, "seconds")).toBe("1 min 4 s");
  });
});
