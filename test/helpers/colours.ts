// The colours of a page in a browser, and whether they can be read.

/** A piece of text with its colour and what is painted below it. */
export interface Painted {
  readonly text: string;
  readonly colour: string;
  readonly ground: string;
}

/** What text has to have against its ground: WCAG 2, level AA. */
export const CONTRAST = 4.5;

/** In the page: every piece of text that can be seen. */
export const PAINTED = `(() => {
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const { backgroundColor } = getComputedStyle(each);
      if (backgroundColor !== 'rgba(0, 0, 0, 0)') return backgroundColor;
    }
    return 'rgb(255, 255, 255)';
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const { textContent, parentElement } = walker.currentNode;
    if (textContent.trim() === '' || /^(?:style|script|noscript|title|desc)$/i.test(parentElement.tagName)) continue;
    const style = getComputedStyle(parentElement);
    const colour = parentElement.namespaceURI.endsWith('svg') ? style.fill : style.color;
    found.push({ text: textContent.trim(), colour, ground: ground(parentElement) });
  }
  return found;
})()`;

/** WCAG's contrast of two colours, 1 to 21. */
export function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

/** How bright a colour is, 0 to 1. */
export function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [...colour.matchAll(/[\d.]+/g)].map(([value]) => {
    const share = Number(value) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
