export const getServerSideProps = () => ({ props: { pid: process.pid } });

export default function Home({ pid }) {
  return `Hello ${pid}`;
}
