// The points behind the plots.

import { expect } from 'chai';
import { SERIES } from '../../src/control/status.ts';
import { NO_POINTS, pointsOf, withPoint } from '../../src/page/series.ts';
import { history, status } from './made-up.ts';

const NOW = 1_000_000;
const { now } = status();

describe('the points of the plots', () => {
  it('of a history end now, and are a step apart', () => {
    const { at } = pointsOf({ ...history(3), step: 2 }, NOW);
    expect(at).to.deep.equal([NOW - 4, NOW - 2, NOW]);
  });

  it('are no more than fifteen minutes, the newest', () => {
    const long = history(1000, 1000);
    const { at, series } = pointsOf(long, NOW);
    expect(at).to.have.length(900);
    expect(series.rss).to.deep.equal(long.series.rss.slice(-900));
    const more = withPoint({ at, series }, now, NOW + 1);
    expect(more.at).to.have.length(900);
    expect(more.at[0]).to.equal(at[1]);
    for (const name of SERIES) expect(more.series[name].at(-1)).to.equal(now[name]);
  });

  it('of a history whose columns differ in length all end now', () => {
    const { step, series } = history(3, 3);
    const points = pointsOf({ step, series: { ...series, rss: [1] } }, NOW);
    expect(points.series.rss).to.deep.equal([null, null, 1]);
  });

  it('begin with the first status where there is no history', () => {
    expect(pointsOf(history(0), NOW).at).to.deep.equal([]);
    expect(withPoint(NO_POINTS, now, NOW).at).to.deep.equal([NOW]);
  });

  it('have a gap where seconds are missed', () => {
    const points = withPoint(withPoint(NO_POINTS, now, NOW), now, NOW + 60);
    expect(points.at).to.deep.equal([NOW, NOW + 1, NOW + 60]);
    expect(points.series.rss).to.deep.equal([now.rss, null, now.rss]);
  });

  it('run from left to right, also when the clock is set back', () => {
    const points = withPoint(pointsOf(history(3), NOW), now, NOW - 3600);
    expect(points.at).to.deep.equal([-3603, -3602, -3601, -3600].map((second) => NOW + second));
  });
});
