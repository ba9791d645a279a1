// What the TypeScript compiler makes of a Nest application's main.ts and its controller.
require('reflect-metadata');
const { PassThrough } = require('node:stream');
const { Controller, Get, Module, Post, Req, Res } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');

class AppController {
  hello() {
    return `Hello ${process.pid}`;
  }
  async wait() {
    await new Promise((resolve) => setTimeout(resolve, 500));
    return 'waited';
  }
  boom() {
    throw new Error('boom');
  }
  async echo(req) {
    let length = 0;
    for await (const chunk of req) length += chunk.length;
    return String(length);
  }
  stream(res) {
    const body = new PassThrough();
    body.pipe(res);
    for (let i = 0; i < 3; i++) setTimeout(() => (i < 2 ? body.write(`${i} `) : body.end('end')), 50 * i);
  }
}
const decorate = (name, decorator) =>
  decorator(AppController.prototype, name, Object.getOwnPropertyDescriptor(AppController.prototype, name));
for (const name of ['hello', 'wait', 'boom', 'echo', 'stream'])
  Reflect.defineMetadata('design:paramtypes', [Object], AppController.prototype, name);
decorate('hello', Get('/'));
decorate('wait', Get('/wait'));
decorate('boom', Get('/boom'));
decorate('echo', Post('/echo'));
Req()(AppController.prototype, 'echo', 0);
decorate('stream', Get('/stream'));
Res()(AppController.prototype, 'stream', 0);
Controller()(AppController);

class AppModule {}
Module({ controllers: [AppController] })(AppModule);

async function bootstrap() {
  const app = await NestFactory.create(AppModule, { logger: false, bodyParser: false });
  app.enableShutdownHooks();
  await app.listen(process.env.PORT ?? 3000);
}
void bootstrap();
