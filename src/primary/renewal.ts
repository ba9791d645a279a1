// What a reload brings of an environment that was read again, and what is to be said of it.

import { type Checked, type Reading, renewed } from '../core/reading.ts';
import { type Machine, type Renewal, settingsOf } from '../core/settings.ts';
import type { World } from './world.ts';

/** @param first what the primary began with, and keeps of it */
export function renewalOf(
  first: Reading,
  { reading: read, errors, warnings }: Checked,
  machine: Machine,
  log: World['log'],
): Renewal {
  if (errors.length > 0) return { errors };
  const { reading, fixed } = renewed(first, read);
  for (const warning of warnings) log({ notice: 'long duration', ...warning });
  if (fixed.length > 0) log({ notice: 'needs restart', variables: fixed });
  return { settings: settingsOf(reading, machine) };
}
