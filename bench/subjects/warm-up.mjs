// Hello, which asks itself a thousand times before it takes traffic.
import app, { options } from '../../dist/lib/app.js';

export { options };
export default app;
export const warmup = Array.from({ length: 1000 }, () => '/');
