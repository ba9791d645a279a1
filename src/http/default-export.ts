// Says what is wrong with a default export that is no request listener, and what to write instead.

const EXPECTED = 'expected a default export (req, res) => ...';

/** One line that says why `value` cannot serve as the app; undefined where it can. */
export function problemOf(value: unknown): string | undefined {
  if (value === undefined) return `${EXPECTED}, got none: write export default or module.exports =`;
  if (typeof value !== 'function') return `${EXPECTED}, got ${describe(value)}`;
  const source = sourceOf(value);
  if (/^class\b/.test(source))
    return `${EXPECTED}, got a class: export a function that calls an instance of it`;
  if (/^(?:async\s+)?function\s*\*/.test(source))
    return `${EXPECTED}, got a generator function, which would never run`;
  if (!makesSomething(source)) return undefined;
  return `${EXPECTED}, got a function that never sees res and returns something: export what it returns`;
}

/** What a value is, in two or three words. */
export const describe = (value: unknown): string => {
  if (value === undefined) return 'none';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `${/^[aeiou]/.test(typeof value) ? 'an' : 'a'} ${typeof value}`;
};

/** A function's source without comments and the contents of its strings, which may hold any of the words looked for. */
function sourceOf(value: object): string {
  const source = Function.prototype.toString.call(value);
  return source
    .replace(/\/\*.*?\*\/|(?<![:"'`\\])\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/gs, (found) =>
      /^['"]/.test(found) ? "''" : ' ',
    )
    .trim();
}

/**
 * Whether the function makes an app, or a Response, rather than answers: it has no second parameter, no other way to
 * `res`, and returns a value. Where the source does not tell, as with bound and native functions, it may answer.
 */
function makesSomething(source: string): boolean {
  if (/\[native code\]\s*\}$|\barguments\b|\beval\b|\.\s*(?:socket|connection|res)\b/.test(source))
    return false;
  const head =
    /^(?:async\b\s*)?(?:(?:function\b\s*)?[\w$]*\s*\(([^(),.]*)\)|[\w$]+\s*(?==>))\s*(=>)?\s*/.exec(source);
  if (!head) return false;
  const body = source.slice(head[0].length);
  const returned = body.startsWith('{')
    ? [...body.matchAll(/\breturn\b[^\S\n]*([^\s;}].*)/g)].map(([, value = '']) => value)
    : [body];
  return returned.some((value) => !NOTHING.test(value));
}

/** What a listener that answers nothing, or fails, may return. */
const NOTHING =
  /^(?:await\s+)?(?:(?:new\s+)?Promise|void|undefined|null|true|false|set(?:Timeout|Immediate))\b/;
