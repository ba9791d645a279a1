// Draws docs/floor-plan.svg, the floor plan of src/, from the imports that are there; a test holds both equal.

import { writeFileSync } from 'node:fs';
import { drawn, PICTURE } from '../build/test/helpers/house.js';

writeFileSync(new URL(`../${PICTURE}`, import.meta.url), drawn());
