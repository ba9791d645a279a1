// TypeScript that Node alone does not run: an enum and a parameter property.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

enum Answer {
  Hello = 'Hello',
}
class App {
  constructor(private readonly answer: Answer) {}
  handle(_req: IncomingMessage, res: ServerResponse): void {
    res.end(`${this.answer} ${process.pid}`);
  }
}
const app = new App(Answer.Hello);
createServer((req, res) => app.handle(req, res)).listen(process.env.PORT ?? 3000);
