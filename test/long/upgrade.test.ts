// Five upgrades in a row under clients of every kind, on each way there is, and from one Node to the next.

import { expect } from 'chai';
import { losingNothing } from '../helpers/reload.ts';
import { otherNode, Upgradable } from '../helpers/upgrade.ts';

const UPGRADES = 5;

describe('five upgrades under load lose nothing', function () {
  this.timeout(200_000);
  let place: Upgradable;
  beforeEach(() => {
    place = new Upgradable();
  });
  afterEach(() => place.remove());

  for (const [name, from, to] of [
    ['by hand-over, on Node 20', 20, 20],
    ['by hand-over, then by relay, from Node 20 to 24', 20, 24],
    ['by relay, on Node 24', 24, 24],
    ['by relay, from Node 24 to 26', 24, 26],
  ] as const) {
    it(name, async () => {
      const server = await place.serve({ node: otherNode(from), env: { DRAIN_TIMEOUT: '10' } });
      await losingNothing(server, async () => {
        for (let i = 0; i < UPGRADES; i++) {
          // Node stays the one that was asked for.
          const { code, out, err } = await place.run(
            'upgrade',
            ...(i === 0 ? ['--node', otherNode(to)] : []),
          );
          expect({ code, err }, out).to.deep.equal({ code: 0, err: '' });
        }
      });
      const { node, wanted } = await place.status();
      expect({ major: node.split('.')[0], wanted }).to.deep.equal({ major: `v${to}`, wanted: 2 });
      expect((await place.run('stop')).code).to.equal(0);
    });
  }
});
