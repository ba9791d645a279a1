// What Watt runs in the other way that it has: the app makes the server, and Watt has it listen.
const http = require('node:http');

const HEADERS = { 'Content-Type': 'text/html; charset=utf-8', 'Content-Length': 13 };

exports.create = () => http.createServer((_req, res) => res.writeHead(200, HEADERS).end('Hello, World!'));
