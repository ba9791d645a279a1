// For pm2: pm2 start ecosystem.config.js
// hello-server forks its own workers, so pm2 runs one process, the primary, and leaves the rest to it.

export const apps = [
  {
    name: 'hello-server',
    script: 'dist/main.js',
    exec_mode: 'fork',
    instances: 1,
    // Online when the fleet serves, not when the process runs.
    wait_ready: true,
    listen_timeout: 35_000,
    // Signals go to the primary alone; it tells its workers. SHUTDOWN_DELAY + SHUTDOWN_TIMEOUT and some air.
    treekill: false,
    kill_timeout: 10_000,
    // An invalid configuration stays invalid.
    stop_exit_codes: [78],
  },
];
