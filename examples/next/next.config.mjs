// Standalone output: `next build` makes a server.js with the modules that it needs beside it.

export default { output: 'standalone' };
