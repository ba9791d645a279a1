// The part of prom-client that is used. The build makes it a file of its own, dist/prometheus.js, with all it needs in it,
// which the first scrape loads.

export { AggregatorRegistry, Registry } from 'prom-client';
