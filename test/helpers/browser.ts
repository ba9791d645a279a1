// The browser that pages are tested in: a Chromium of the system, which says nothing to anybody but the page's server.

import { type Browser, chromium } from 'playwright-core';

const FLAGS =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';

/** Starts it; whoever does closes it. */
export const startBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS.split(' ') });
