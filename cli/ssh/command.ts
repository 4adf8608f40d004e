/** What is needed to log in to a contract's machine, checked before it comes near a command line. */
import type { ContractView } from '../../crds/wire/market.ts';
import { Failure } from '../failure.ts';
import { shortId } from '../output/words.ts';
import type { HostKey } from './host-key.ts';

export type Login = Readonly<{
  host: string;
  port: number;
  user: string | undefined;
  fingerprint: string | undefined;
}>;

/** Neither may begin with a dash, or hold anything that ssh or a ProxyCommand would read as more than a name. */
const HOST = /^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$|^::[A-Fa-f0-9:.]*$/;
const USER = /^[A-Za-z_][A-Za-z0-9._-]*$/;

/** Throws Refused when the machine cannot be reached yet, with why. */
export function loginOf(contract: ContractView): Login {
  const { access, phase, message, contractId } = contract;
  if (!access?.host || !access.port)
    throw new Failure(
      'Refused',
      `contract ${shortId(contractId)} is ${phase} and has no address: ${message}`,
      {
        next: `See more: dcm contract ${shortId(contractId)}`,
      },
    );
  if (!HOST.test(access.host) || (access.user !== null && !USER.test(access.user)))
    throw new Failure(
      'Refused',
      `the address that the provider reported is none: ${access.user ?? ''}@${access.host}`,
      {
        next: 'Tell the provider.',
      },
    );
  return {
    host: access.host,
    port: access.port,
    user: access.user ?? undefined,
    fingerprint: access.hostKeyFingerprint ?? undefined,
  };
}

export const knownHostsLine = ({ host, port }: Login, { type, base64 }: HostKey): string =>
  `${port === 22 ? host : `[${host}]:${port}`} ${type} ${base64}\n`;

export type SshOptions = Readonly<{
  login: Login;
  /** Undefined when no fingerprint is known: then ssh asks as it always does. */
  knownHostsFile: string | undefined;
  identity: string | undefined;
  remoteCommand: readonly string[];
}>;

/** Arguments for OpenSSH. The host key is pinned: nothing but the one that was verified is accepted. */
export function sshArguments({ login, knownHostsFile, identity, remoteCommand }: SshOptions): string[] {
  const pinned =
    knownHostsFile === undefined
      ? []
      : [
          '-o',
          `UserKnownHostsFile=${quoted(knownHostsFile)}`,
          '-o',
          'GlobalKnownHostsFile=/dev/null',
          '-o',
          'StrictHostKeyChecking=yes',
          '-o',
          'UpdateHostKeys=no',
        ];
  return [
    ...pinned,
    ...(identity === undefined ? [] : ['-i', identity, '-o', 'IdentitiesOnly=yes']),
    ...(login.user === undefined ? [] : ['-l', login.user]),
    '-p',
    String(login.port),
    '--',
    login.host,
    ...remoteCommand,
  ];
}

/** ssh splits the value at spaces, unquotes it and expands `%`. */
const quoted = (file: string): string => `"${file.replaceAll('%', '%%')}"`;
