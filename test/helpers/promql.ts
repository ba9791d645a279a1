// What a PromQL expression asks for: metrics, the labels it matches and the labels it groups by.
// It reads what the delivered dashboard and alerts use of the language; whether they are valid is promtool's to say.

export interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

export interface Asked {
  readonly selectors: readonly Selector[];
  /** Labels in `by (…)`, `ignoring (…)` and the like. */
  readonly grouped: readonly string[];
}

const TOKEN =
  /\s*(?:(?<text>"(?:[^"\\]|\\.)*")|(?<range>\[[^\]]*\])|(?<number>\d[\w.]*)|(?<word>[a-zA-Z_:][\w:]*)|(?<sign>=~|!~|!=|[=<>]=?|[-+*/%^(){},]))/y;
const GROUPING: readonly string[] = ['by', 'without', 'on', 'ignoring', 'group_left', 'group_right'];
const OPERATORS: readonly string[] = ['and', 'or', 'unless', 'bool', 'offset'];

interface Token {
  readonly kind: 'text' | 'range' | 'number' | 'word' | 'sign';
  readonly text: string;
}

/** What `expression` asks for; throws on what it cannot read. */
export function askedBy(expression: string): Asked {
  const tokens = tokensOf(expression.trim());
  const selectors: Selector[] = [];
  const grouped: string[] = [];
  /** The tokens from the one behind `start` up to `close`, commas left out. */
  const inside = (start: number, close: string): Token[] => {
    const end = tokens.findIndex(({ text }, at) => at > start && text === close);
    if (end === -1) throw new Error(`expected ${close} in ${expression}`);
    return tokens.splice(start + 1, end - start).filter(({ text }) => text !== ',' && text !== close);
  };
  for (let at = 0; at < tokens.length; at++) {
    const { kind, text } = tokens[at] as Token;
    const next = tokens[at + 1]?.text ?? '';
    if (text === '{') throw new Error(`expected a metric before { in ${expression}`);
    if (kind !== 'word' || OPERATORS.includes(text)) continue;
    if (GROUPING.includes(text) && next === '(') {
      grouped.push(...inside(at + 1, ')').map((token) => token.text));
    } else if (next === '{') {
      selectors.push({ metric: text, matchers: matchersOf(inside(at + 1, '}'), expression) });
      tokens.splice(at + 1, 1);
    } else if (next !== '(' && !GROUPING.includes(next)) {
      selectors.push({ metric: text, matchers: [] });
    }
  }
  return { selectors, grouped };
}

function tokensOf(expression: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < expression.length) {
    const from = TOKEN.lastIndex;
    const found = Object.entries(TOKEN.exec(expression)?.groups ?? {}).find(([, text]) => text !== undefined);
    if (found === undefined) throw new Error(`expected PromQL, got ${expression.slice(from)}`);
    tokens.push({ kind: found[0] as Token['kind'], text: found[1] });
  }
  return tokens;
}

function matchersOf(tokens: readonly Token[], expression: string): Matcher[] {
  if (tokens.length % 3 !== 0) throw new Error(`expected label matchers in ${expression}`);
  return Array.from({ length: tokens.length / 3 }, (_, i) => {
    const [label, operator, value] = tokens.slice(i * 3, i * 3 + 3).map(({ text }) => text);
    return { label: label ?? '', operator: operator ?? '', value: JSON.parse(value ?? '""') };
  });
}
