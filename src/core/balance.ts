// Whether a worker keeps more connections than its part: clients that come at once are accepted by whoever wakes first,
// and those that keep their connection stay where they are. Pure.

/** Within this of the mean nothing is done: moving a client costs a connection. */
const TOLERATED = 1.25;
/** ... nor for so few. */
const TOLERATED_MORE = 8;

/** How many of a worker's `own` connections are to move, where all workers keep `mean` on average. */
export const surplus = (own: number, mean: number): number =>
  own > TOLERATED * mean + TOLERATED_MORE ? Math.ceil(own - mean) : 0;
