/** Words of {@link parseExpression}: what is wrong with the text, and where. */
export class ExpressionError extends SyntaxError {
  /** Position in the text, from 0. */
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.name = "ExpressionError";
    this.at = at;
  }
}

type Node =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "band"; readonly index: number }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Node[] };

/** A formula over bands. */
export interface Expression {
  /** Names of bands that it uses, in the order of their first use; band `i` of {@link evaluate} is the i-th. */
  readonly names: readonly string[];
  /** @internal */
  readonly root: Node;
}

const FUNCTIONS: Readonly<Record<string, readonly [least: number, most: number]>> = {
  abs: [1, 1],
  sqrt: [1, 1],
  exp: [1, 1],
  log: [1, 1],
  log10: [1, 1],
  log2: [1, 1],
  sin: [1, 1],
  cos: [1, 1],
  tan: [1, 1],
  asin: [1, 1],
  acos: [1, 1],
  atan: [1, 1],
  atan2: [2, 2],
  floor: [1, 1],
  ceil: [1, 1],
  round: [1, 1],
  sign: [1, 1],
  pow: [2, 2],
  min: [2, 16],
  max: [2, 16],
  clamp: [3, 3],
  if: [3, 3],
  observed: [1, 1],
  coalesce: [2, 16],
};

/** Nesting beyond this is no formula that somebody wrote. */
const MAX_DEPTH = 100;

/**
 * A formula: numbers, names of bands (letters, digits, `_`, or anything in double quotes), `+ - * / % ^` (power, from the
 * right), `< <= > >= == !=`, `and or not` (also `&& || !`), `condition ? a : b`, and the functions abs sqrt exp log log10
 * log2 sin cos tan asin acos atan atan2 floor ceil round sign pow min max clamp(x, low, high) if(condition, a, b)
 * observed(x) coalesce(a, b, ...). Angles are in radians. Nothing else is known: there is no way from a formula to the
 * machine it runs on.
 *
 * @throws ExpressionError
 */
export function parseExpression(text: string): Expression {
  const tokens = tokenize(text);
  let at = 0;
  let depth = 0;
  const names: string[] = [];

  const peek = (): string => tokens[at]?.text ?? "";
  const fail = (message: string): never => {
    throw new ExpressionError(message, tokens[at]?.at ?? text.length);
  };
  const take = (...words: string[]): string | null => {
    const token = tokens[at];
    if (token === undefined || token.quoted || !words.includes(token.text)) return null;
    at++;
    return token.text;
  };
  const call = (name: string, ...args: Node[]): Node => ({ kind: "call", name, args });

  function ternary(): Node {
    if (++depth > MAX_DEPTH) fail("the formula is nested too deeply");
    let node = either();
    if (take("?") !== null) {
      const yes = ternary();
      if (take(":") === null) fail(`expected ":", found ${found()}`);
      node = call("if", node, yes, ternary());
    }
    depth--;
    return node;
  }

  function either(): Node {
    let node = both();
    while (take("or", "||") !== null) node = call("or", node, both());
    return node;
  }

  function both(): Node {
    let node = negated();
    while (take("and", "&&") !== null) node = call("and", node, negated());
    return node;
  }

  function negated(): Node {
    let count = 0;
    while (take("not", "!") !== null) count++;
    let node = comparison();
    if (count > 0) node = call("not", node);
    if (count > 0 && count % 2 === 0) node = call("not", node);
    return node;
  }

  function comparison(): Node {
    const left = sum();
    const operator = take("<", "<=", ">", ">=", "==", "=", "!=", "<>");
    if (operator === null) return left;
    const name = operator === "=" ? "==" : operator === "<>" ? "!=" : operator;
    return call(name, left, sum());
  }

  function sum(): Node {
    let node = product();
    for (;;) {
      const operator = take("+", "-");
      if (operator === null) return node;
      node = call(operator, node, product());
    }
  }

  function product(): Node {
    let node = signed();
    for (;;) {
      const operator = take("*", "/", "%");
      if (operator === null) return node;
      node = call(operator, node, signed());
    }
  }

  function signed(): Node {
    let negative = false;
    for (;;) {
      const operator = take("-", "+");
      if (operator === null) break;
      if (operator === "-") negative = !negative;
    }
    const node = power();
    if (!negative) return node;
    return node.kind === "number" ? { kind: "number", value: -node.value } : call("negate", node);
  }

  function power(): Node {
    const base = atom();
    if (take("^", "**") === null) return base;
    if (++depth > MAX_DEPTH) fail("the formula is nested too deeply");
    const node = call("pow", base, signed());
    depth--;
    return node;
  }

  function atom(): Node {
    const token = tokens[at];
    if (token === undefined) return fail("the formula ends where a value is expected");
    if (take("(") !== null) {
      const node = ternary();
      if (take(")") === null) fail(`expected ")", found ${found()}`);
      return node;
    }
    at++;
    if (token.quoted) return band(token.text);
    if (/^[\d.]/.test(token.text)) return { kind: "number", value: Number(token.text) };
    if (!/^[\p{L}_]/u.test(token.text)) {
      at--;
      return fail(`a value is expected, found ${found()}`);
    }
    if (peek() !== "(" || tokens[at]!.quoted) {
      if (token.text === "pi") return { kind: "number", value: Math.PI };
      return band(token.text);
    }
    const limits = Object.hasOwn(FUNCTIONS, token.text) ? FUNCTIONS[token.text] : undefined;
    if (limits === undefined) {
      at--;
      return fail(`there is no function ${token.text}; there are ${Object.keys(FUNCTIONS).join(", ")}`);
    }
    at++;
    const args: Node[] = [];
    if (take(")") === null) {
      do args.push(ternary());
      while (take(",") !== null);
      if (take(")") === null) fail(`expected ")" or ",", found ${found()}`);
    }
    if (args.length < limits[0] || args.length > limits[1]) {
      const wanted = limits[0] === limits[1] ? `${limits[0]}` : `${limits[0]} to ${limits[1]}`;
      throw new ExpressionError(`${token.text} takes ${wanted} values, found ${args.length}`, token.at);
    }
    return call(token.text, ...args);
  }

  function band(name: string): Node {
    let index = names.indexOf(name);
    if (index === -1) index = names.push(name) - 1;
    return { kind: "band", index };
  }

  function found(): string {
    return at < tokens.length ? JSON.stringify(peek()) : "the end";
  }

  const root = ternary();
  if (at < tokens.length) fail(`expected an operator or the end, found ${found()}`);
  return { names, root };
}

interface Token {
  readonly text: string;
  readonly at: number;
  readonly quoted: boolean;
}

function tokenize(text: string): Token[] {
  const pattern =
    /\s+|"((?:[^"]|"")*)"|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[\p{L}_][\p{L}\p{N}_]*|<=|>=|==|!=|<>|&&|\|\||\*\*|[-+*/%^<>=!?:(),]/uy;
  const tokens: Token[] = [];
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex;
    const match = pattern.exec(text);
    if (match === null) throw new ExpressionError(`${JSON.stringify(text[at])} means nothing here`, at);
    const [token, quoted] = match;
    if (quoted !== undefined) tokens.push({ text: quoted.replaceAll('""', '"'), at, quoted: true });
    else if (token.trim() !== "") tokens.push({ text: token, at, quoted: false });
  }
  return tokens;
}

/**
 * Value of a formula for every pixel. NaN, "no value", makes everything it enters NaN, comparisons too, but for
 * `observed` (1 or 0), `coalesce` (the first that is not NaN), and the branch of a condition that is not taken. True is 1
 * and false 0; any number but 0 is true. Division by 0, and what has no real value, is NaN.
 *
 * @param bands  One array per name of the expression, all of one length.
 * @param out    As long.
 */
export function evaluate(expression: Expression, bands: readonly Float64Array[], out: Float64Array): void {
  const spare: Float64Array[] = [];
  run(expression.root, bands, out, spare);
  // What is not a finite number is no value.
  for (let i = 0; i < out.length; i++) if (!Number.isFinite(out[i]!)) out[i] = Number.NaN;
}

function run(node: Node, bands: readonly Float64Array[], out: Float64Array, spare: Float64Array[]): void {
  if (node.kind === "number") {
    out.fill(node.value);
    return;
  }
  if (node.kind === "band") {
    out.set(bands[node.index]!);
    return;
  }
  const { name, args } = node;
  run(args[0]!, bands, out, spare);
  if (args.length === 1) {
    unary(name, out);
    return;
  }
  if (name === "if" || name === "clamp") {
    const b = spare.pop() ?? new Float64Array(out.length);
    const c = spare.pop() ?? new Float64Array(out.length);
    run(args[1]!, bands, b, spare);
    run(args[2]!, bands, c, spare);
    if (name === "if") {
      for (let i = 0; i < out.length; i++) {
        const condition = out[i]!;
        if (!Number.isNaN(condition)) out[i] = condition !== 0 ? b[i]! : c[i]!;
      }
    } else for (let i = 0; i < out.length; i++) out[i] = Math.min(c[i]!, Math.max(b[i]!, out[i]!));
    spare.push(b, c);
    return;
  }
  const b = spare.pop() ?? new Float64Array(out.length);
  for (let k = 1; k < args.length; k++) {
    run(args[k]!, bands, b, spare);
    binary(name, out, b);
  }
  spare.push(b);
}

function unary(name: string, a: Float64Array): void {
  const n = a.length;
  switch (name) {
    case "negate":
      for (let i = 0; i < n; i++) a[i] = -a[i]!;
      return;
    case "not":
      for (let i = 0; i < n; i++) if (!Number.isNaN(a[i]!)) a[i] = a[i] === 0 ? 1 : 0;
      return;
    case "observed":
      for (let i = 0; i < n; i++) a[i] = Number.isNaN(a[i]!) ? 0 : 1;
      return;
    case "sqrt":
      for (let i = 0; i < n; i++) a[i] = Math.sqrt(a[i]!);
      return;
    case "round":
      for (let i = 0; i < n; i++) a[i] = Math.sign(a[i]!) * Math.floor(Math.abs(a[i]!) + 0.5);
      return;
    default: {
      const of = Math[name as "abs"];
      for (let i = 0; i < n; i++) a[i] = of(a[i]!);
    }
  }
}

function binary(name: string, a: Float64Array, b: Float64Array): void {
  const n = a.length;
  switch (name) {
    case "+":
      for (let i = 0; i < n; i++) a[i] = a[i]! + b[i]!;
      return;
    case "-":
      for (let i = 0; i < n; i++) a[i] = a[i]! - b[i]!;
      return;
    case "*":
      for (let i = 0; i < n; i++) a[i] = a[i]! * b[i]!;
      return;
    case "/":
      for (let i = 0; i < n; i++) a[i] = b[i] === 0 ? Number.NaN : a[i]! / b[i]!;
      return;
    case "%":
      for (let i = 0; i < n; i++) a[i] = a[i]! % b[i]!;
      return;
    case "pow":
      for (let i = 0; i < n; i++) a[i] = Number.isNaN(a[i]!) ? Number.NaN : a[i]! ** b[i]!;
      return;
    case "atan2":
      for (let i = 0; i < n; i++) a[i] = Math.atan2(a[i]!, b[i]!);
      return;
    case "min":
      for (let i = 0; i < n; i++) a[i] = Math.min(a[i]!, b[i]!);
      return;
    case "max":
      for (let i = 0; i < n; i++) a[i] = Math.max(a[i]!, b[i]!);
      return;
    case "coalesce":
      for (let i = 0; i < n; i++) if (Number.isNaN(a[i]!)) a[i] = b[i]!;
      return;
    default:
      compare(name, a, b);
  }
}

function compare(name: string, a: Float64Array, b: Float64Array): void {
  for (let i = 0; i < a.length; i++) {
    const x = a[i]!;
    const y = b[i]!;
    if (Number.isNaN(x) || Number.isNaN(y)) {
      a[i] = Number.NaN;
      continue;
    }
    let holds: boolean;
    switch (name) {
      case "<":
        holds = x < y;
        break;
      case "<=":
        holds = x <= y;
        break;
      case ">":
        holds = x > y;
        break;
      case ">=":
        holds = x >= y;
        break;
      case "==":
        holds = x === y;
        break;
      case "!=":
        holds = x !== y;
        break;
      case "and":
        holds = x !== 0 && y !== 0;
        break;
      default:
        holds = x !== 0 || y !== 0;
    }
    a[i] = holds ? 1 : 0;
  }
}
