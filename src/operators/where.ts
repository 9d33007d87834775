import { GeoError } from "../model/errors.ts";
import {
  type BatchOptions,
  type Column,
  columnNamed,
  type FeatureSource,
  type FeatureTable,
  type Field,
  takeRows,
  type Value,
  valueAt,
} from "../model/features.ts";

/**
 * A condition on the attributes of a feature, in the words of SQL:
 *
 *     population > 1000 and (name like 'San%' or kind in ('city', 'town')) and closed is null
 *
 * Numbers, `'text'` (two quotes for one inside), `true`, `false`, `null`; attributes by name, in `"double quotes"`
 * when the name is not a plain word (letters of either case are told apart); `= == != <> < <= > >=`, `+ - * / %`,
 * `||` (joins text), `and or not`, `[not] in (...)`, `[not] like` and `ilike` (`%` any text, `_` one character),
 * `[not] between a and b`, `is [not] null`. Dates compare with ISO text. As in SQL, what is compared with null is
 * neither true nor false, and only true keeps a feature.
 */
export interface Condition {
  /** Attributes that it reads. */
  readonly fields: readonly string[];
  /** Positions of the rows for which it is true. */
  rows(table: FeatureTable): Int32Array;
}

/**
 * @param fields  Attributes of the layer.
 * @throws GeoError `INVALID_INPUT` for text that is not a condition, attributes that are not there, and text compared
 * with numbers
 */
export function parseWhere(text: string, fields: readonly Field[]): Condition {
  const parser = new Parser(text, fields);
  const node = parser.parse();
  return {
    fields: [...parser.used],
    rows(table) {
      const columns = new Map<string, Column>();
      for (const name of parser.used) {
        const column = columnNamed(table, name);
        if (column !== undefined) columns.set(name, column);
      }
      const rows: number[] = [];
      const read: Read = (name, row) => {
        const column = columns.get(name);
        if (column === undefined) return null;
        const value = valueAt(column, row);
        return value instanceof Date ? value.getTime() : (value as Scalar);
      };
      for (let row = 0; row < table.count; row++) if (node.value(row, read) === true) rows.push(row);
      return Int32Array.from(rows);
    },
  };
}

/**
 * The features of a source for which a condition is true; lazy, in their order.
 *
 * @throws GeoError `INVALID_INPUT` as {@link parseWhere}
 */
export function filterFeatures(source: FeatureSource, where: string): FeatureSource {
  const condition = parseWhere(where, source.schema.fields);
  async function* batches(options: BatchOptions = {}): AsyncGenerator<FeatureTable> {
    const { fields } = options;
    const extra = fields === undefined ? [] : condition.fields.filter((name) => !fields.includes(name));
    const wanted = fields === undefined ? undefined : [...fields, ...extra];
    let given = 0;
    for await (const batch of source.batches({ ...options, fields: wanted })) {
      const rows = condition.rows(batch);
      if (rows.length === 0) continue;
      const kept = rows.length === batch.count ? batch : takeRows(batch, rows);
      const columns =
        extra.length === 0 ? kept.columns : kept.columns.filter(({ name }) => !extra.includes(name));
      yield { ...kept, columns, firstRow: given };
      given += rows.length;
    }
  }
  return {
    url: source.url,
    driver: source.driver,
    layers: source.layers,
    warnings: source.warnings,
    schema: { ...source.schema, count: null, bounds: null },
    batches,
    close: () => source.close(),
  };
}

type Scalar = number | bigint | string | boolean | null;
type Read = (name: string, row: number) => Scalar;
/** `any` stands for null, which fits everywhere. */
type Kind = "number" | "text" | "boolean" | "date" | "any" | "other";

interface Node {
  readonly kind: Kind;
  value(row: number, read: Read): Scalar;
  /** Text of a literal, so that it can become a date. */
  readonly literal?: string;
}

interface Token {
  readonly type: "number" | "text" | "name" | "quoted" | "symbol" | "end";
  readonly text: string;
  readonly at: number;
}

/** Nesting that no honest condition has. */
const MAX_DEPTH = 200;
const MAX_LENGTH = 100_000;

class Parser {
  readonly used = new Set<string>();
  readonly #source: string;
  readonly #fields: readonly Field[];
  readonly #tokens: Token[];
  #next = 0;
  #depth = 0;

  constructor(source: string, fields: readonly Field[]) {
    this.#source = source;
    this.#fields = fields;
    if (source.length > MAX_LENGTH) throw this.#error(0, `longer than ${MAX_LENGTH} characters`);
    this.#tokens = this.#scan();
  }

  parse(): Node {
    const node = this.#or();
    const rest = this.#peek();
    if (rest.type !== "end") throw this.#error(rest.at, `${quote(rest.text)} where the condition should end`);
    if (node.kind !== "boolean" && node.kind !== "any")
      throw this.#error(0, `a ${node.kind}, not something true or false`);
    return node;
  }

  #or(): Node {
    if (++this.#depth > MAX_DEPTH) throw this.#error(this.#peek().at, `nested more than ${MAX_DEPTH} deep`);
    let left = this.#and();
    while (this.#word("or")) {
      const a = this.#truth(left);
      const b = this.#truth(this.#and());
      left = bool((row, read) => {
        const x = a.value(row, read);
        if (x === true) return true;
        const y = b.value(row, read);
        return y === true ? true : x === null || y === null ? null : false;
      });
    }
    this.#depth--;
    return left;
  }

  #and(): Node {
    let left = this.#not();
    while (this.#word("and")) {
      const a = this.#truth(left);
      const b = this.#truth(this.#not());
      left = bool((row, read) => {
        const x = a.value(row, read);
        if (x === false) return false;
        const y = b.value(row, read);
        return y === false ? false : x === null || y === null ? null : true;
      });
    }
    return left;
  }

  #not(): Node {
    let nots = 0;
    while (this.#word("not")) nots++;
    const node = this.#comparison();
    if (nots === 0) return node;
    return nots % 2 === 0 ? this.#truth(node) : negate(this.#truth(node));
  }

  #comparison(): Node {
    const left = this.#sum();
    const { at } = this.#peek();
    for (const symbol of ["==", "=", "!=", "<>", "<=", ">=", "<", ">"]) {
      if (this.#symbol(symbol)) return this.#compare(symbol, left, this.#sum(), at);
    }
    if (this.#word("is")) {
      const not = this.#word("not");
      if (!this.#word("null")) throw this.#error(this.#peek().at, "expected null after is");
      return bool((row, read) => (left.value(row, read) === null) !== not);
    }
    const not = this.#word("not");
    let test: Node | null = null;
    if (this.#word("in")) test = this.#in(left, at);
    else if (this.#word("between")) {
      const low = this.#compare(">=", left, this.#sum(), at);
      if (!this.#word("and")) throw this.#error(this.#peek().at, "expected and, as in between 1 and 5");
      const high = this.#compare("<=", left, this.#sum(), at);
      test = bool((row, read) => {
        const x = low.value(row, read);
        const y = high.value(row, read);
        return x === false || y === false ? false : x === null || y === null ? null : true;
      });
    } else {
      const blind = this.#word("ilike");
      if (blind || this.#word("like")) test = this.#like(left, this.#sum(), blind, at);
    }
    if (test === null) {
      if (not) throw this.#error(this.#peek().at, "expected in, like or between after not");
      return left;
    }
    return not ? negate(test) : test;
  }

  #in(left: Node, at: number): Node {
    if (!this.#symbol("(")) throw this.#error(this.#peek().at, "expected ( after in");
    const tests: Node[] = [];
    do tests.push(this.#compare("=", left, this.#sum(), at));
    while (this.#symbol(","));
    if (!this.#symbol(")")) throw this.#error(this.#peek().at, "expected ) to close the list");
    return bool((row, read) => {
      let unknown = false;
      for (const test of tests) {
        const value = test.value(row, read);
        if (value === true) return true;
        if (value === null) unknown = true;
      }
      return unknown ? null : false;
    });
  }

  #like(left: Node, right: Node, blind: boolean, at: number): Node {
    for (const { kind } of [left, right])
      if (kind !== "text" && kind !== "any") throw this.#error(at, `like needs text, found a ${kind}`);
    return bool((row, read) => {
      const text = left.value(row, read);
      const pattern = right.value(row, read);
      if (text === null || pattern === null) return null;
      return blind
        ? matches(String(text).toLowerCase(), String(pattern).toLowerCase())
        : matches(String(text), String(pattern));
    });
  }

  #compare(symbol: string, left: Node, right: Node, at: number): Node {
    const a = this.#dated(left, right, at);
    const b = this.#dated(right, left, at);
    if (a.kind !== b.kind && a.kind !== "any" && b.kind !== "any")
      throw this.#error(
        at,
        `a ${a.kind} compared with a ${b.kind}; text goes in 'single quotes', numbers in none`,
      );
    if (a.kind === "other" || b.kind === "other")
      throw this.#error(at, "an attribute that cannot be compared");
    return bool((row, read) => {
      const x = a.value(row, read);
      const y = b.value(row, read);
      if (x === null || y === null) return null;
      switch (symbol) {
        case "=":
        case "==":
          // biome-ignore lint/suspicious/noDoubleEquals: 3n == 3 is what is meant
          return x == y;
        case "!=":
        case "<>":
          // biome-ignore lint/suspicious/noDoubleEquals: 3n == 3 is what is meant
          return x != y;
        case "<":
          return x < y;
        case "<=":
          return x <= y;
        case ">":
          return x > y;
        default:
          return x >= y;
      }
    });
  }

  /** ISO text compared with a date becomes one. */
  #dated(node: Node, other: Node, at: number): Node {
    if (other.kind !== "date" || node.literal === undefined) return node;
    const time = Date.parse(node.literal);
    if (Number.isNaN(time))
      throw this.#error(at, `${quote(node.literal)} is not a date such as '2024-06-30'`);
    return { kind: "date", value: () => time };
  }

  #sum(): Node {
    let left = this.#product();
    for (;;) {
      const { at } = this.#peek();
      if (this.#symbol("||")) {
        const a = left;
        const b = this.#product();
        left = {
          kind: "text",
          value: (row, read) => {
            const x = a.value(row, read);
            const y = b.value(row, read);
            return x === null || y === null ? null : `${x}${y}`;
          },
        };
      } else if (this.#symbol("+")) left = this.#arithmetic(left, this.#product(), at, (x, y) => x + y);
      else if (this.#symbol("-")) left = this.#arithmetic(left, this.#product(), at, (x, y) => x - y);
      else return left;
    }
  }

  #product(): Node {
    let left = this.#signed();
    for (;;) {
      const { at } = this.#peek();
      if (this.#symbol("*")) left = this.#arithmetic(left, this.#signed(), at, (x, y) => x * y);
      // As in SQL nothing comes of a division by zero.
      else if (this.#symbol("/"))
        left = this.#arithmetic(left, this.#signed(), at, (x, y) => (y === 0 ? null : x / y));
      else if (this.#symbol("%"))
        left = this.#arithmetic(left, this.#signed(), at, (x, y) => (y === 0 ? null : x % y));
      else return left;
    }
  }

  #signed(): Node {
    const { at } = this.#peek();
    let minus = false;
    for (;;) {
      if (this.#symbol("-")) minus = !minus;
      else if (!this.#symbol("+")) break;
    }
    const node = this.#primary();
    return minus ? this.#arithmetic({ kind: "number", value: () => 0 }, node, at, (x, y) => x - y) : node;
  }

  #primary(): Node {
    const token = this.#peek();
    this.#next++;
    if (token.type === "number") {
      const value = Number(token.text);
      return { kind: "number", value: () => value };
    }
    if (token.type === "text") return { kind: "text", value: () => token.text, literal: token.text };
    if (token.type === "symbol" && token.text === "(") {
      const node = this.#or();
      if (!this.#symbol(")")) throw this.#error(this.#peek().at, "expected )");
      return node;
    }
    if (token.type === "name") {
      const word = token.text.toLowerCase();
      if (word === "null") return { kind: "any", value: () => null };
      if (word === "true" || word === "false") return bool(() => word === "true");
    }
    if (token.type === "name" || token.type === "quoted") return this.#field(token);
    throw this.#error(
      token.at,
      token.type === "end" ? "it ends too early" : `${quote(token.text)} is not expected here`,
    );
  }

  #field(token: Token): Node {
    const field = this.#fields.find(({ name }) => name === token.text);
    if (field === undefined) {
      const names = this.#fields.map(({ name }) => name).join(", ");
      const hint = token.type === "quoted" ? " (text goes in 'single quotes')" : "";
      throw this.#error(token.at, `no attribute ${quote(token.text)}${hint}; there are ${names || "none"}`);
    }
    const { name } = field;
    this.used.add(name);
    return { kind: KINDS[field.type] ?? "other", value: (row, read) => read(name, row) };
  }

  #arithmetic(a: Node, b: Node, at: number, run: (x: number, y: number) => number | null): Node {
    for (const { kind } of [a, b])
      if (kind !== "number" && kind !== "any")
        throw this.#error(at, `arithmetic needs numbers, found a ${kind}`);
    return {
      kind: "number",
      value(row, read) {
        const x = a.value(row, read);
        const y = b.value(row, read);
        return x === null || y === null ? null : run(Number(x), Number(y));
      },
    };
  }

  #truth(node: Node): Node {
    if (node.kind === "boolean" || node.kind === "any") return node;
    throw this.#error(this.#peek().at, `a ${node.kind} where something true or false is needed`);
  }

  #peek(): Token {
    return this.#tokens[this.#next]!;
  }

  #word(word: string): boolean {
    const token = this.#peek();
    if (token.type !== "name" || token.text.toLowerCase() !== word) return false;
    this.#next++;
    return true;
  }

  #symbol(symbol: string): boolean {
    const token = this.#peek();
    if (token.type !== "symbol" || token.text !== symbol) return false;
    this.#next++;
    return true;
  }

  #scan(): Token[] {
    const tokens: Token[] = [];
    const pattern =
      /\s+|(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|'((?:[^']|'')*)'|"((?:[^"]|"")*)"|([\p{L}_][\p{L}\p{N}_]*)|(==|!=|<>|<=|>=|\|\||[-+*/%=<>(),])/uy;
    let at = 0;
    while (at < this.#source.length) {
      pattern.lastIndex = at;
      const match = pattern.exec(this.#source);
      if (match === null)
        throw this.#error(at, `${quote(this.#source.slice(at, at + 10))} is not understood`);
      const [all, number, text, quoted, name, symbol] = match;
      if (number !== undefined) tokens.push({ type: "number", text: number, at });
      else if (text !== undefined) tokens.push({ type: "text", text: text.replaceAll("''", "'"), at });
      else if (quoted !== undefined) tokens.push({ type: "quoted", text: quoted.replaceAll('""', '"'), at });
      else if (name !== undefined) tokens.push({ type: "name", text: name, at });
      else if (symbol !== undefined) tokens.push({ type: "symbol", text: symbol, at });
      at += all.length;
    }
    tokens.push({ type: "end", text: "", at });
    return tokens;
  }

  #error(at: number, found: string): GeoError<"INVALID_INPUT"> {
    const expected = "a condition such as population > 1000 and name like 'San%'";
    return new GeoError(
      "INVALID_INPUT",
      `where: ${found} (at character ${at + 1} of ${quote(this.#source.slice(0, 200))})`,
      { path: "where", expected },
    );
  }
}

const KINDS: Partial<Record<Field["type"], Kind>> = {
  int32: "number",
  int64: "number",
  float64: "number",
  time: "number",
  boolean: "boolean",
  string: "text",
  date: "date",
  datetime: "date",
};

function bool(value: Node["value"]): Node {
  return { kind: "boolean", value };
}

function negate(node: Node): Node {
  return bool((row, read) => {
    const value = node.value(row, read);
    return value === null ? null : !(value as Value);
  });
}

function quote(text: string): string {
  return JSON.stringify(text);
}

/** `like`: linear in the text for each `%`, without a regular expression that could be made to hang. */
function matches(text: string, pattern: string): boolean {
  let t = 0;
  let p = 0;
  let star = -1;
  let from = 0;
  while (t < text.length) {
    if (p < pattern.length && pattern[p] === "%") {
      star = p++;
      from = t;
    } else if (p < pattern.length && (pattern[p] === "_" || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star !== -1) {
      p = star + 1;
      t = ++from;
    } else return false;
  }
  while (pattern[p] === "%") p++;
  return p === pattern.length;
}
