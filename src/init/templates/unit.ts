// The template of a systemd unit, confined as far as a Node server can be; and how systemd wants its words written.

export interface Unit {
  /** The comment at the top, a line each. */
  readonly about: readonly string[];
  readonly description: string;
  /** Where it is documented, as a URL; undefined = the unit does not say. */
  readonly documentation?: string;
  /** WorkingDirectory=, as the unit has it: see {@link unitPath}. */
  readonly folder: string;
  /** EnvironmentFile= as the unit has it, with the comment above it; undefined = none. */
  readonly environmentFile?: { readonly path: string; readonly about: readonly string[] };
  /** Settings that stand in the unit itself. */
  readonly settings: Readonly<Record<string, string>>;
  /** The comment above the commands. */
  readonly aboutCommand: readonly string[];
  /** ExecStart= and ExecReload=, as the unit has them: see {@link unitWord}. */
  readonly start: string;
  readonly reload: string;
  /** The name in the journal, and that of the control socket's folder below /run. */
  readonly identifier: string;
  readonly runtimeDirectory: string;
  readonly deadlines: UnitDeadlines;
  /** The user whose home the app is in; undefined = it is in no home, and the service has a user of its own. */
  readonly homeOf?: string;
}

/** Seconds, those of the settings and those of systemd around them; 0 = no limit. */
export interface UnitDeadlines {
  readonly boot: number;
  readonly drain: number;
  readonly shutdownDelay: number;
  readonly shutdownTimeout: number;
  readonly start: number;
  readonly stop: number;
}

export function unit(values: Unit): string {
  const { deadlines, environmentFile, homeOf } = values;
  const comment = (lines: readonly string[]): string => lines.map((line) => `# ${line}\n`).join('');
  const settings = Object.entries({ NODE_ENV: 'production', ...values.settings });
  return `${comment(values.about)}
[Unit]
Description=${values.description}
${values.documentation === undefined ? '' : `Documentation=${values.documentation}\n`}After=network.target
# Five starts within a minute, and no sixth: a broken start is no storm.
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
Type=notify
# systemd-notify(1), a process of its own, brings the messages.
NotifyAccess=all
WorkingDirectory=${values.folder}
${environmentFile ? `${comment(environmentFile.about)}EnvironmentFile=${environmentFile.path}\n` : ''}${settings
  .map(([name, value]) => `Environment=${unitWord(`${name}=${value}`, 'Environment')}\n`)
  .join('')}${comment(values.aboutCommand)}ExecStart=${values.start}
# Returns when the new generation serves, and fails when the reload was abandoned; the old one goes on then.
ExecReload=${values.reload}

# Deadlines, each inside the next:
#   start   BOOT_TIMEOUT ${deadlines.boot} < TimeoutStartSec
#   reload  at most workers x BOOT_TIMEOUT + DRAIN_TIMEOUT ${deadlines.drain} < TimeoutStartSec
#   stop    SHUTDOWN_DELAY ${deadlines.shutdownDelay} + SHUTDOWN_TIMEOUT ${deadlines.shutdownTimeout} < TimeoutStopSec
#   hang    of the primary, or no worker that serves: WatchdogSec
TimeoutStartSec=${deadlines.start || 'infinity'}
TimeoutStopSec=${deadlines.stop}
WatchdogSec=60

# TERM goes to the primary, which tells its workers; what is left at TimeoutStopSec is killed.
KillMode=mixed
# A worker that the kernel kills for its memory is respawned; the service is not torn down for it.
OOMPolicy=continue
SyslogIdentifier=${values.identifier}
Restart=on-failure
RestartSec=2
# An invalid configuration (78) and a node that is not there (203) stay what they are.
RestartPreventExitStatus=78 203

# The control socket's folder.
RuntimeDirectory=${values.runtimeDirectory}
RuntimeDirectoryMode=0700

${
  homeOf === undefined
    ? `# A user of its own, and nothing but what a server needs.
DynamicUser=yes`
    : `# The app is in a home, which is its user's alone to read; beside that nothing but what a server needs.
User=${homeOf}`
}
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
PrivateUsers=yes
PrivateDevices=yes
PrivateMounts=yes
PrivateTmp=yes
ProtectSystem=strict
ProtectHome=${homeOf === undefined ? 'yes' : 'read-only'}
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProcSubset=pid
RemoveIPC=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
# Open to all as delivered; in a drop-in, an empty IPAddressAllow= and then those that may talk to it, such as the proxy,
# and Prometheus where ADMIN_HOST is not 127.0.0.1.
IPAddressDeny=any
IPAddressAllow=any
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
KeyringMode=private
DevicePolicy=closed
SystemCallArchitectures=native
# V8 protects its compiled code with the calls of @pkey. It also compiles, so MemoryDenyWriteExecute cannot be.
SystemCallFilter=@system-service @pkey
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`;
}

/** A path that is the whole value of a setting: only % means something there. The text has no control characters. */
export const unitPath = (path: string): string => path.replaceAll('%', '%%');

/** One word of a command line, or of Environment=, which knows no variables; the text has no control characters. */
export function unitWord(word: string, where: 'Exec' | 'Environment' = 'Exec'): string {
  const escaped = word.replace(/[\\"]/g, '\\$&').replaceAll('%', '%%');
  const text = where === 'Exec' ? escaped.replaceAll('$', '$$$$') : escaped;
  return /^[^\s'"\\;]+$/.test(word) ? text : `"${text}"`;
}
