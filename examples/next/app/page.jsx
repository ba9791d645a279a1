// The page at /, made anew for each request.

export const dynamic = 'force-dynamic';

export default function Page() {
  return <h1>Hello from Next</h1>;
}
