// The few ways in which the page changes its document: texts as texts only, and only where they differ.

/** The element of index.html with this id. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`expected an element with the id ${id}`);
  return found;
}

/** A new element with its class and its text. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = '',
  text = '',
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (className !== '') made.className = className;
  if (text !== '') made.textContent = text;
  return made;
}

/** Changes the text of an element that has nothing else; costs nothing where it stays the same. */
export function setText(target: HTMLElement, text: string): void {
  const only = target.firstChild;
  if (only instanceof Text && only.nextSibling === null) {
    if (only.data !== text) only.data = text;
  } else if (only !== null || text !== '') target.textContent = text;
}

/** What is wrong says so with a sign, never with its colour alone. */
export const WRONG = '⚠\u2009';

/** Changes a text that is emphasised, with a sign, when it tells of something wrong. */
export function setTold(target: HTMLElement, text: string, wrong: boolean): void {
  setText(target, wrong ? `${WRONG}${text}` : text);
  target.classList.toggle('wrong', wrong);
}

/** Gives a list as many entries as there are data, and fills each. */
export function fillList<T>(
  list: HTMLElement,
  data: readonly T[],
  make: () => HTMLElement,
  fill: (entry: HTMLElement, each: T) => void,
): void {
  while (list.children.length > data.length) list.lastElementChild?.remove();
  data.forEach((each, i) => {
    const there = list.children.item(i);
    const entry = there instanceof HTMLElement ? there : list.appendChild(make());
    fill(entry, each);
  });
}
