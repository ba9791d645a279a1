// The three-line server's listener, exported: hello-server makes the server.
module.exports = (_req, res) => res.end('Hello, World!');
