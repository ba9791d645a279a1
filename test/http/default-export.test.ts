// Which default exports can serve, and what is said of those that cannot.

import http from 'node:http';
import { createRequire } from 'node:module';
import { expect } from 'chai';
import { findApp } from '../../src/http/app-module.ts';
import { problemOf } from '../../src/http/default-export.ts';

const express = createRequire(import.meta.url)('express') as () => object;

type Res = { end: (text?: string) => void };

describe('a default export', () => {
  const served: Readonly<Record<string, unknown>> = {
    'a listener': (_req: unknown, res: Res) => res.end(),
    'a function that takes all its arguments': (...all: [unknown, Res]) => all[1].end(),
    'a function that uses arguments': function () {
      // biome-ignore lint/complexity/noArguments: what is tested
      return arguments[1].end();
    },
    'a listener that answers by its request': (req: { res: Res }) => req.res.end('fine'),
    'one that never answers': () => {},
    'one that never answers, as a promise': () => new Promise(() => {}),
    'one that fails': () => {
      throw new Error('boom');
    },
    'one that rejects': () => Promise.reject(new Error('boom')),
    'one that returns early': (req: unknown) => {
      if (req) return;
    },
    'a bound function': ((_req: unknown, res: Res) => res.end()).bind(undefined),
    'an Express app': express(),
    'a method': {
      serve(_req: unknown, res: Res) {
        return res.end();
      },
    }.serve,
    'one with a default parameter': (_req: unknown, res: Res = { end: () => {} }) => res.end(),
    'one with words in a string': () => void 'class () => http.createServer',
  };
  for (const [what, value] of Object.entries(served)) {
    it(`serves: ${what}`, () => expect(problemOf(value)).to.equal(undefined));
  }

  const refused: readonly [what: string, value: unknown, problem: RegExp][] = [
    ['none', undefined, /got none: write export default or module\.exports =$/],
    ['a number', 7, /got a number$/],
    ['null', null, /got null$/],
    ['an array', [], /got an array$/],
    ['a class', class App {}, /got a class: export a function that calls an instance of it$/],
    ['a class without a name', class {}, /got a class/],
    ['a generator', function* () {}, /got a generator function/],
    ['a factory', () => (_req: unknown, res: Res) => res.end(), /never sees res and returns something/],
    ['a factory of a server', () => http.createServer(), /export what it returns$/],
    [
      'a factory with a body',
      function createApp() {
        const app = express();
        return app;
      },
      /export what it returns$/,
    ],
    ['an async factory with options', async (options: object) => ({ options }), /export what it returns$/],
    ['a fetch handler', (request: Request) => new Response(request.url), /export what it returns$/],
  ];
  for (const [what, value, problem] of refused) {
    it(`is refused: ${what}`, () => {
      expect(problemOf(value)).to.match(/^expected a default export \(req, res\) => \.\.\., got [^\n]+$/);
      expect(problemOf(value)).to.match(problem);
    });
  }

  it('carries the other exports, as CommonJS has them', async () => {
    const app = async (exports: Record<string, unknown>): Promise<unknown> => {
      const found = await findApp(exports, () => Promise.reject(new Error('no adapter')));
      if (typeof found === 'string' || found.found !== 'listener') throw new Error('no listener');
      return found.app;
    };
    const ready = (): void => {};
    const listener = Object.assign((_req: unknown, res: Res) => res.end(), {
      ready,
      options: { noDelay: true },
    });
    expect(await app({ default: listener })).to.deep.include({ ready, options: { noDelay: true } });
    const other = (): void => {};
    expect(await app({ default: listener, ready: other })).to.include({ ready: other });
    expect(await app({ default: express() }), 'the methods of an Express app are its own').to.include({
      options: undefined,
    });
  });
});
