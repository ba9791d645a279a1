import { expect } from 'chai';
import { checkedName } from '../../src/init/names.ts';
import { KINDS, type Kind, Refused } from '../../src/init/wish.ts';

const LONG = 'a'.repeat(101);
/** What each takes, and what it would refuse or take for something else. */
const NAMES: Readonly<Record<Exclude<Kind, 'procfile'>, readonly [takes: string[], refuses: string[]]>> = {
  pm2: [
    ['shop', 'shop-2', 'Shop_API.v2', '2shop'],
    ['', 'all', '0', '42', '-f', '/shop/', 'my shop', 'café', LONG],
  ],
  systemd: [
    ['shop', 'shop-2', 'Shop_API.v2', '2'],
    ['', 'shop@2', 'my shop', 'café', '-shop', '../shop', 'a/b', 'a:b', 'a\\x2db', '%n', LONG],
  ],
  docker: [
    ['shop', 'shop-2', 'shop_api.v2', 'a__b', 'a---b', '2'],
    ['', 'Shop', 'my shop', 'café', 'shop-', '-shop', '_shop', 'a..b', 'a___b', 'acme/shop', 'shop:1', LONG],
  ],
  kubernetes: [
    ['shop', 'shop-2', 'a', 'a'.repeat(63)],
    ['', 'Shop', '2shop', 'shop-', '-shop', 'shop.api', 'shop_api', 'my shop', 'café', 'a'.repeat(64)],
  ],
};

describe('the name of an app', () => {
  for (const kind of KINDS) {
    if (kind === 'procfile') continue;
    const [takes, refuses] = NAMES[kind];
    it(`is taken where ${kind} takes it`, () => {
      expect(takes.map((name) => checkedName(kind, name))).to.deep.equal(takes);
    });

    for (const name of refuses)
      it(`is refused where ${kind} would not take it: ${JSON.stringify(name.slice(0, 20))}`, () => {
        expect(() => checkedName(kind, name)).to.throw(
          Refused,
          /^name: expected .+ for \w+, got `[\x20-\x7e]*`: give another with --name NAME$/,
        );
      });

    it(`is refused for ${kind} with a line break at its end`, () => {
      expect(() => checkedName(kind, 'shop\n')).to.throw(Refused, /got `shop\\x0a`/);
    });
  }

  it('is any for a Procfile, which has none', () => {
    expect(checkedName('procfile', 'My Shop')).to.equal('My Shop');
  });
});
