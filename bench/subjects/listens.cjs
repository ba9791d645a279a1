// The three-line server, which listens itself: hello-server adopts it.
require('node:http').createServer(require('./exports.cjs')).listen(process.env.PORT);
