import fc from "fast-check";
import { expect, test } from "vitest";
import { ExpressionError, evaluate, parseExpression } from "../../../src/kernels/raster/expression.ts";

function value(text: string, bands: Record<string, number> = {}): number {
  const expression = parseExpression(text);
  const out = new Float64Array(1);
  evaluate(
    expression,
    expression.names.map((name) => Float64Array.of(bands[name]!)),
    out,
  );
  return out[0]!;
}

test.each([
  ["1 + 2 * 3", 7],
  ["(1 + 2) * 3", 9],
  ["2 ^ 3 ^ 2", 512],
  ["-2 ^ 2", -4],
  ["7 % 4 - -1", 4],
  ["1 < 2 and not 3 < 2", 1],
  ["1 > 2 || 2 != 2", 0],
  ["1 > 2 ? 5 : 2 == 2 ? 6 : 7", 6],
  ["max(1, min(5, 3), 2)", 3],
  ["clamp(12, 0, 10)", 10],
  ["round(-2.5) + round(2.5)", 0],
  ["atan2(1, 1) * 4 - pi", 0],
  ["1 / 0", Number.NaN],
  ["sqrt(-1)", Number.NaN],
  ["coalesce(1 / 0, 4)", 4],
  ["observed(0 / 0)", 0],
  ["1e3 + .5", 1000.5],
])("%s is %s", (text, expected) => {
  if (Number.isNaN(expected)) expect(value(text)).toBeNaN();
  else expect(value(text)).toBeCloseTo(expected, 12);
});

test("bands go by any name", () => {
  expect(value('"band 1" / b_2 + B', { "band 1": 6, b_2: 3, B: 0.5 })).toBe(2.5);
});

test("no value makes comparisons no value, and stays in the branch that is not taken", () => {
  expect(value("a > 1", { a: Number.NaN })).toBeNaN();
  expect(value("a > 1 ? b : 3", { a: 0, b: Number.NaN })).toBe(3);
  expect(value("pow(a, 0)", { a: Number.NaN })).toBeNaN();
});

test("what is no formula is told apart from the first wrong character", () => {
  const wrong: [string, RegExp][] = [
    ["", /ends where a value/],
    ["a b", /expected an operator/],
    ["(a", /expected "\)"/],
    ["process.exit()", /means nothing here/],
    ["eval(1)", /no function eval/],
    ["constructor(1)", /no function constructor/],
    ["min(1)", /takes 2 to 16/],
    ["a ? b", /expected ":"/],
    ["(".repeat(200), /nested too deeply/],
    [`${"2^".repeat(200)}2`, /nested too deeply/],
  ];
  for (const [text, message] of wrong) {
    expect(() => parseExpression(text), text).toThrow(ExpressionError);
    expect(() => parseExpression(text), text).toThrow(message);
  }
});

test("arithmetic is that of JavaScript", () => {
  const number = fc.integer({ min: -50, max: 50 });
  const formula: fc.Arbitrary<string> = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      number.map(String),
      fc
        .tuple(tie("node"), fc.constantFrom("+", "-", "*"), tie("node"))
        .map(([a, operator, b]) => `(${a} ${operator} ${b})`),
    ),
  })).node as fc.Arbitrary<string>;
  fc.assert(
    fc.property(formula, (text) => {
      expect(value(text) + 0).toBe((new Function(`return ${text}`)() as number) + 0);
    }),
    { seed: 1, numRuns: 300 },
  );
});
