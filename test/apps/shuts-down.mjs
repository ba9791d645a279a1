// One server that shuts down by the package that HOW names, each as its README shows it.
import { createServer } from 'node:http';

const server = createServer((req, res) => {
  if (req.url === '/wait') setTimeout(() => res.end('waited'), 500);
  else res.end(`Hello ${process.pid}`);
});
const say = (text) => console.log(`app: ${text}`);

const HOW = {
  'close-with-grace': async () => {
    const { default: closeWithGrace } = await import('close-with-grace');
    closeWithGrace({ delay: 1000 }, async ({ signal }) => {
      await new Promise((resolve) => server.close(resolve));
      say(`closed on ${signal}`);
    });
  },
  terminus: async () => {
    const { createTerminus } = await import('@godaddy/terminus');
    createTerminus(server, {
      signals: ['SIGTERM', 'SIGINT'],
      healthChecks: { '/healthcheck': async () => 'fine' },
      onSignal: async () => say('closed on a signal'),
    });
  },
  stoppable: async () => {
    const { default: stoppable } = await import('stoppable');
    stoppable(server, 1000);
    process.on('SIGTERM', () => server.stop(() => say('closed')));
  },
  'http-graceful-shutdown': async () => {
    const { default: gracefulShutdown } = await import('http-graceful-shutdown');
    gracefulShutdown(server, { finally: () => say('closed') });
  },
};
await HOW[process.env.HOW]();
server.listen(process.env.PORT || 3000);
