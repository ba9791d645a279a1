// The frame around every page.

export const metadata = { title: 'Hello from Next' };

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
