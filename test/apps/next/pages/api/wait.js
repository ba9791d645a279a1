export default (_req, res) => setTimeout(() => res.send('waited'), 500);
