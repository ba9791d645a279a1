// One route, made anew for each request.
export const dynamic = 'force-dynamic';

export function GET() {
  return new Response('Hello, World!', { headers: { 'Content-Type': 'text/html; charset=utf-8' } });
}

/** The answer is one that waits for the whole body. */
export async function POST(request) {
  await request.arrayBuffer();
  return GET();
}
