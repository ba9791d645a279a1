import { expect } from 'chai';
import { Judge } from '../../src/control/judge.ts';
import { NO_SUMS } from '../../src/core/figures.ts';
import { Script } from '../core/script.ts';
import { statsOf } from '../helpers/stats.ts';

/** Two workers, of which the first was replaced by one of generation 2. */
function half(): Script {
  const script = new Script(2);
  script.begin();
  script.ready(1, 2);
  script.on({ type: 'reload' });
  script.ready(3);
  return script;
}

describe('the judge of a reload', () => {
  it('takes what every generation answers side by side, and finds the one that fails', () => {
    const { fleet, now } = half();
    const judge = new Judge(2, NO_SUMS);
    let verdict = judge.look(fleet, now);
    expect(verdict.verdict).to.equal('nothing asked');
    for (let second = 1; second < 20 && verdict.verdict !== 'bad'; second++) {
      judge.add(1, statsOf({ answers2xx: 50 }));
      judge.add(2, statsOf({ answers2xx: 25, answers5xx: 25 }));
      verdict = judge.look(fleet, now + second * 1000);
    }
    expect(verdict).to.deep.include({ verdict: 'bad', criterion: '5xx' });
  });

  it('finds nothing where both fail alike', () => {
    const { fleet, now } = half();
    const judge = new Judge(2, NO_SUMS);
    for (let second = 1; second < 100; second++) {
      for (const generation of [1, 2]) judge.add(generation, statsOf({ answers2xx: 25, answers5xx: 25 }));
      expect(judge.look(fleet, now + second * 1000).verdict).to.equal('good');
    }
  });
});
