// The answer at /api/hello.

export const dynamic = 'force-dynamic';

export const GET = () => new Response('Hello from Next\n');
