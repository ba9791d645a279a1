// What is drawn of the bench's results with packages of its own: pictures and page.

import { expect } from 'chai';
import { chart } from '../../bench/report/chart.ts';
import { page } from '../../bench/report/page.ts';
import { comparison, madeUp } from './made-up.ts';

describe("the bench's pictures", () => {
  it('are the same each time, and say in words what they show', () => {
    const svg = chart(comparison, 'x') ?? '';
    expect(chart(comparison, 'x')).to.equal(svg);
    expect(svg)
      .to.include('<title id="x-title">one process: requests/s</title>')
      .and.to.include('<desc id="x-desc">bare: 20 000; hello-server: 22 000</desc>')
      .and.to.include('aria-labelledby="x-title x-desc"');
  });

  it('are none without a figure', () => {
    expect(chart({ ...comparison, plot: 'lost' }, 'x')).to.equal(undefined);
  });
});

describe("the bench's page", () => {
  it('has all results, their words escaped, and asks for nothing', () => {
    const text = page(madeUp());
    for (const { question, asks } of madeUp()) {
      expect(text).to.include(`<section id="${question}">`).and.to.include(`<h2>${asks}</h2>`);
    }
    expect(text)
      .to.include('A &lt;CPU&gt;')
      .and.to.include('r.end(&#39;x&#39;) &amp; more')
      .and.to.include('not on the PATH: nobody');
    expect(text).to.not.match(/<script|<link|<img|src=|@import|url\(/);
  });
});
