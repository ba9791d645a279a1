// Draws the floor plan of docs/architecture.md: folders as rooms, imports between them as arrows. Pure: text comes in, an SVG goes out.

/** A folder of src/ on its floor. */
export interface Room {
  readonly name: string;
  /** 0 is the ground. */
  readonly floor: number;
  /** What it is, in a few words. */
  readonly does: string;
}

/** Some file of one room imports from a file of the other. */
export interface Arrow {
  readonly from: string;
  readonly to: string;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Box extends Room {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly lines: readonly string[];
}

/** All in pixels of the picture, which GitHub makes as wide as its column. */
const WIDTH = 1000;
const MARGIN = 26;
const TITLE_HEIGHT = 52;
/** Between two floors. */
const STOREY = 62;
/** Between two rooms of one floor: arrows to the floors below pass there. */
const GAP = 30;
const PADDING = 12;
const NAME_HEIGHT = 18;
const LINE_HEIGHT = 16;
/** About the width of a character of the text. */
const CHARACTER = 6.5;
/** Room for arrows that pass through one gap. */
const LANE = 8;
const HEAD = 5;

/** Dark enough on white and light enough on black. */
const HUES = ['#2f7de1', '#c2571a', '#2e9e5b', '#a04fd0', '#c63d6b', '#8a7a12', '#1694a3', '#7a7f87'];

/** The SVG of these rooms and arrows. A room that all others import from is the ground, and needs no arrows. */
export function floorPlan(rooms: readonly Room[], arrows: readonly Arrow[]): string {
  const ground = rooms.find(({ name }) =>
    rooms.every((other) => other.name === name || arrows.some((a) => a.from === other.name && a.to === name)),
  );
  const drawn = arrows.filter(({ to }) => to !== ground?.name);
  const boxes = place(rooms, drawn, ground);
  const ways = route(boxes, drawn);
  const height = Math.max(...boxes.map((box) => box.y + box.height)) + MARGIN;
  const hue = hues(boxes.filter(({ name }) => drawn.some(({ from }) => from === name)));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title desc">
<title id="title">The floor plan of src/</title>
<desc id="desc">${drawn.map(({ from, to }) => `${shown(from)} imports from ${shown(to)}`).join('; ')}${ground ? `; every folder imports from ${shown(ground.name)}` : ''}</desc>
<style>
text { font-family: system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif; font-size: 12.5px; fill: #24292f; }
.name { font-family: ui-monospace, 'DejaVu Sans Mono', monospace; font-size: 14px; font-weight: 700; }
.title { font-size: 17px; font-weight: 600; }
.note { fill: #57606a; }
.sheet { fill: #ffffff; }
.room { fill: #f3f6fa; stroke: #8c959f; }
.ground { fill: #e3e8ee; stroke: #57606a; stroke-width: 2; }
.way { fill: none; stroke-width: 1.8; }
${[...hue].map(([name, colour]) => `.${classOf(name)} { stroke: ${colour}; fill: ${colour}; }`).join('\n')}
.way { fill: none; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .note { fill: #9aa4af; }
  .sheet { fill: #0d1117; }
  .room { fill: #1a212b; stroke: #6e7681; }
  .ground { fill: #232c38; stroke: #9aa4af; }
}
</style>
<rect class="sheet" width="${WIDTH}" height="${height}" rx="8"/>
<text class="title" x="${MARGIN}" y="30">The floor plan of src/</text>
<text class="note" x="${MARGIN + 200}" y="30">An arrow leads from a folder to one that it imports from. All of them go down.</text>
${ways.map(drawWay).join('\n')}
${boxes.map((box) => drawBox(box, box.name === ground?.name, hue.get(box.name))).join('\n')}
</svg>
`;
}

/** Where each room stands, the highest floor on top. */
function place(rooms: readonly Room[], arrows: readonly Arrow[], ground: Room | undefined): Box[] {
  const floors = [...new Set(rooms.map(({ floor }) => floor))].sort((a, b) => a - b);
  // From the ground up: a room stands above those that it imports from, as far as that is to be had.
  const order = new Map<string, number>();
  const sorted = floors.map((floor) => {
    const here = rooms.filter((room) => room.floor === floor).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const many = rooms.filter((room) => room.floor === floor - 1).length > 1;
    const above = (room: Room): number => {
      const below = arrows.flatMap(({ from, to }) => (from === room.name ? [order.get(to) ?? -1] : []));
      const beside = below.filter((x) => x >= 0);
      return !many || beside.length === 0 ? Infinity : beside.reduce((sum, x) => sum + x, 0) / beside.length;
    };
    const places = new Map(here.map((room) => [room.name, above(room)]));
    const inOrder = here.toSorted((a, b) => compare(places.get(a.name) ?? 0, places.get(b.name) ?? 0));
    // A room that has its floor to itself is above and below all others.
    if (inOrder.length > 1) for (const [index, { name }] of inOrder.entries()) order.set(name, index);
    return inOrder;
  });
  const boxes: Box[] = [];
  let y = TITLE_HEIGHT;
  for (const here of sorted.toReversed()) {
    const width = (WIDTH - 2 * MARGIN - GAP * (here.length - 1)) / here.length;
    const texts = here.map((room) => {
      const does =
        room.name === ground?.name ? `${room.does}. Every folder above imports from it` : room.does;
      return wrapped(does, (width - 2 * PADDING) / CHARACTER);
    });
    const most = Math.max(...texts.map(({ length }) => length));
    const height = Math.round(2 * PADDING + NAME_HEIGHT + most * LINE_HEIGHT - 2);
    for (const [index, room] of here.entries())
      boxes.push({
        ...room,
        x: MARGIN + index * (width + GAP),
        y,
        width,
        height,
        lines: texts[index] ?? [],
      });
    y += height + STOREY;
  }
  return boxes;
}

const compare = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);

interface Way {
  readonly from: string;
  readonly points: readonly Point[];
}

/** The ways of the arrows: down from room to room, and through the gaps between the rooms of the floors that they pass. */
function route(boxes: readonly Box[], arrows: readonly Arrow[]): Way[] {
  const byName = new Map(boxes.map((box) => [box.name, box]));
  const passing = new Map<string, number>();
  const planned = arrows.flatMap(({ from, to }) => {
    const [start, end] = [byName.get(from), byName.get(to)];
    if (start === undefined || end === undefined) return [];
    const through: Point[] = [];
    for (let floor = start.floor - 1; floor > end.floor; floor -= 1) {
      const here = boxes.filter((box) => box.floor === floor);
      const [first] = here;
      if (first === undefined) continue;
      const near = isWide(start) ? centre(end) : centre(start);
      const gap = gaps(here).toSorted((a, b) => Math.abs(a - near) - Math.abs(b - near))[0] ?? 0;
      const key = `${floor} ${gap}`;
      const nth = passing.get(key) ?? 0;
      passing.set(key, nth + 1);
      const x = gap + LANE * (nth % 2 === 0 ? nth / 2 : -(nth + 1) / 2);
      through.push({ x, y: first.y }, { x, y: first.y + first.height });
    }
    return [{ from, to, start, end, through }];
  });
  type Planned = (typeof planned)[number];
  /** Where on a room's edge each of several arrows begins or ends: in the order in which they come from elsewhere. */
  const ports = (box: Box, ways: readonly Planned[], other: (way: Planned) => number) => {
    const inOrder = ways.toSorted((a, b) => other(a) - other(b));
    return new Map(
      inOrder.map((way, index) => [
        way,
        isWide(box)
          ? Math.min(Math.max(other(way), box.x + 20), box.x + box.width - 20)
          : box.x + (box.width * (index + 1)) / (inOrder.length + 1),
      ]),
    );
  };
  const starts = new Map<Planned, number>();
  const ends = new Map<Planned, number>();
  for (const box of boxes.filter((one) => !isWide(one))) {
    const [out, into] = [
      planned.filter((way) => way.start === box),
      planned.filter((way) => way.end === box),
    ];
    for (const [way, x] of ports(box, out, (way) => way.through[0]?.x ?? centre(way.end))) starts.set(way, x);
    for (const [way, x] of ports(box, into, (way) => way.through.at(-1)?.x ?? centre(way.start)))
      ends.set(way, x);
  }
  for (const box of boxes.filter(isWide)) {
    const [out, into] = [
      planned.filter((way) => way.start === box),
      planned.filter((way) => way.end === box),
    ];
    const far = (way: Planned, known: Map<Planned, number>): number => known.get(way) ?? WIDTH / 2;
    for (const [way, x] of ports(box, out, (way) => way.through[0]?.x ?? far(way, ends))) starts.set(way, x);
    for (const [way, x] of ports(box, into, (way) => way.through.at(-1)?.x ?? far(way, starts)))
      ends.set(way, x);
  }
  return planned.map((way) => ({
    from: way.from,
    points: [
      { x: starts.get(way) ?? 0, y: way.start.y + way.start.height },
      ...way.through,
      { x: ends.get(way) ?? 0, y: way.end.y },
    ],
  }));
}

/** Whether a room takes its whole floor. */
const isWide = ({ width }: Box): boolean => width > WIDTH / 2;

const centre = ({ x, width }: Box): number => x + width / 2;

/** The gaps that an arrow can pass between the rooms of a floor, and beside them. */
const gaps = (here: readonly Box[]): number[] => [
  MARGIN / 2,
  ...here.map((box) => box.x + box.width + GAP / 2).slice(0, -1),
  WIDTH - MARGIN / 2,
];

function drawWay({ from, points }: Way): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  let path = `M${round(first.x)} ${round(first.y)}`;
  let before = first;
  for (const [index, point] of rest.entries()) {
    const isLast = index === rest.length - 1;
    const to = isLast ? { x: point.x, y: point.y - HEAD } : point;
    const middle = round((before.y + to.y) / 2);
    path +=
      before.x === to.x
        ? `V${round(to.y)}`
        : `C${round(before.x)} ${middle} ${round(to.x)} ${middle} ${round(to.x)} ${round(to.y)}`;
    before = point;
  }
  const tip = `M${round(before.x)} ${round(before.y)}l-${HEAD} -${2 * HEAD}h${2 * HEAD}z`;
  return `<path class="${classOf(from)} way" d="${path}"/><path class="${classOf(from)}" stroke="none" d="${tip}"/>`;
}

function drawBox({ name, x, y, width, height, lines }: Box, isGround: boolean, hue?: string): string {
  const [left, top] = [round(x + PADDING), y + PADDING];
  return [
    `<rect class="${isGround ? 'ground' : 'room'}" x="${round(x)}" y="${y}" width="${round(width)}" height="${height}" rx="5"/>`,
    hue === undefined
      ? ''
      : `<rect class="${classOf(name)}" x="${round(x)}" y="${y + height - 4}" width="${round(width)}" height="4" rx="2" stroke="none"/>`,
    `<text class="name" x="${left}" y="${top + 11}">${escaped(shown(name))}</text>`,
    ...lines.map(
      (line, index) =>
        `<text x="${left}" y="${top + NAME_HEIGHT + 12 + index * LINE_HEIGHT}">${escaped(line)}</text>`,
    ),
  ]
    .filter(Boolean)
    .join('\n');
}

/** A colour for each of these rooms. */
const hues = (boxes: readonly Box[]): Map<string, string> =>
  new Map(boxes.map(({ name }, index) => [name, HUES[index % HUES.length] ?? 'gray']));

const shown = (name: string): string => (name === '.' ? 'src/*.ts' : `${name}/`);
const classOf = (name: string): string => (name === '.' ? 'from-src' : `from-${name}`);
const round = (value: number): number => Math.round(value * 10) / 10;
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** A text in lines of so many characters at most. */
function wrapped(text: string, characters: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > characters) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}
