// Imported before the app: OpenTelemetry's SDK, whose spans are told on stderr's way as one line each.
import { writeSync } from 'node:fs';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { NodeSDK, tracing } from '@opentelemetry/sdk-node';

const sdk = new NodeSDK({
  instrumentations: [new HttpInstrumentation()],
  spanProcessors: [
    new tracing.BatchSpanProcessor({
      export: (spans, done) => {
        for (const { attributes } of spans)
          writeSync(1, `span ${attributes['http.target'] ?? attributes['url.path']}\n`);
        done({ code: 0 });
      },
      shutdown: async () => {},
    }),
  ],
});
sdk.start();
process.on('SIGTERM', () => sdk.shutdown().then(() => process.exit(0)));
