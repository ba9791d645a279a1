// The rooms and arrows that docs/floor-plan.svg shows: the floors, the imports that are there, and the words of docs/architecture.md.

import { floorPlan } from './floor-plan.ts';
import { FLOORS, files, folderOf, imports } from './floors.ts';
import { read } from './manual.ts';

export const PAGE = 'docs/architecture.md';
export const PICTURE = 'docs/floor-plan.svg';

/** What the page's table of folders says of each path. */
export function saidOf(): Map<string, string> {
  const rows = read(PAGE).lines.flatMap(({ text }) => {
    const [, path, does] = /^\| `(src\/[\w./-]+)` \| (.+) \|$/.exec(text) ?? [];
    return path === undefined || does === undefined ? [] : [[path, does] as const];
  });
  return new Map(rows);
}

/** The picture as it has to be. */
export function drawn(): string {
  const said = saidOf();
  const plain = (text: string): string => text.replaceAll('`', '').replaceAll(/\[([^\]]+)\]\([^)]*\)/g, '$1');
  const top = files.filter((file) => folderOf(file) === '.');
  const rooms = Object.entries(FLOORS).map(([name, floor]) => ({
    name,
    floor,
    does: name === '.' ? top.toSorted().join(', ') : plain(said.get(`src/${name}/`) ?? ''),
  }));
  const pairs = new Set(
    imports
      .map(({ file, to }) => [folderOf(file), to === undefined ? undefined : folderOf(to)])
      .filter(([from, to]) => to !== undefined && from !== to)
      .map((pair) => pair.join(' ')),
  );
  const arrows = [...pairs].sort().map((pair) => {
    const [from = '', to = ''] = pair.split(' ');
    return { from, to };
  });
  return floorPlan(rooms, arrows);
}
