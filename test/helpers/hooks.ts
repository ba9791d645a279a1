// After every test: nothing may be left running.

import { stopMeters } from './meter.ts';
import { cleanUp, leavesNothing } from './server.ts';

export const mochaHooks = {
  async afterEach(): Promise<void> {
    try {
      await leavesNothing();
    } finally {
      await cleanUp();
      await stopMeters();
    }
  },
};
