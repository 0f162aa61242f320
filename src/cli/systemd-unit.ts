/** A systemd unit as text: only what our services need. */

export interface Unit {
  readonly description: string;
  /** Units that start before this one, and are started with it. */
  readonly wants: readonly string[];
  readonly command: readonly string[];
  readonly user: string;
  /** The only directory that the service may write to. */
  readonly data: string;
  readonly openFilesMax: number;
  /** `MemoryMax`, such as `2G`; undefined: no limit. */
  readonly memoryMax: string | undefined;
  readonly stopTimeoutSeconds: number;
}

const STATE = '/var/lib/';

export function unitText(unit: Unit): string {
  const wants = ['network-online.target', ...unit.wants].join(' ');
  const lines = [
    '[Unit]',
    `Description=${unit.description}`,
    `Wants=${wants}`,
    `After=${wants}`,
    '',
    '[Service]',
    'Type=exec',
    `User=${unit.user}`,
    `ExecStart=${unit.command.map(quoted).join(' ')}`,
    '# The server stops cleanly on SIGTERM, and ends with the code that a JVM ends with.',
    'SuccessExitStatus=143',
    `TimeoutStopSec=${unit.stopTimeoutSeconds}`,
    'Restart=on-failure',
    'RestartSec=5',
    `LimitNOFILE=${unit.openFilesMax}`,
    ...(unit.memoryMax === undefined ? [] : [`MemoryMax=${unit.memoryMax}`]),
    ...dataLines(unit.data),
    'UMask=0027',
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    'ProtectHome=read-only',
    'PrivateTmp=yes',
    'ProtectControlGroups=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelTunables=yes',
    'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
  ];
  return `${lines.join('\n')}\n`;
}

/** Below /var/lib systemd makes the directory and gives it to the user; elsewhere it has to be there. */
function dataLines(data: string): string[] {
  if (data.startsWith(STATE)) return [`StateDirectory=${escaped(data.slice(STATE.length))}`, 'StateDirectoryMode=0750'];
  return [`ReadWritePaths=${quoted(data)}`];
}

/** A word of a command line or a list, as systemd.syntax and systemd.service read it. */
function quoted(word: string): string {
  const text = escaped(word);
  return /^[\w./:=@+,%-]+$/.test(text) ? text : `"${text}"`;
}

function escaped(word: string): string {
  return word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$');
}
