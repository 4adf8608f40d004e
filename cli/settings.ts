/**
 * Which server and which key. First found wins: flag, environment, the configuration that `npm start` leaves in
 * the checkout of this program, the user's own in ~/.config/dcmarket/config.json, the default.
 */
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import type { Context } from './context.ts';
import { Failure } from './failure.ts';
import { isCode } from './key-file.ts';

export type Role = 'tenant' | 'provider';

const ConfigFile = z.object({
  apiUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Address of the facade.'),
  key: z.string().min(1).optional().describe('Key file for both roles; relative to this file.'),
  keys: z
    .object({ tenant: z.string().min(1).optional(), provider: z.string().min(1).optional() })
    .optional()
    .describe('Key files by role; relative to this file.'),
  sshIdentity: z.string().min(1).optional().describe('Private SSH key for `dcm ssh`; relative to this file.'),
});

export type Settings = Readonly<{
  apiUrl: URL;
  keyFile: (role: Role) => string;
  sshIdentity: string | undefined;
  /** `~/.config/dcmarket`, or as XDG_CONFIG_HOME says. */
  folder: string;
}>;

export type Flags = Readonly<{ apiUrl?: string | undefined; key?: string | undefined }>;

export const DEFAULT_API_URL = 'http://127.0.0.1:8080';

export async function readSettings(context: Context, flags: Flags): Promise<Settings> {
  const { env } = context;
  const folder = configFolder(context);
  const files = await Promise.all([
    readConfigFile(join(context.programFolder, '.dcmarket', 'dcm.json')),
    readConfigFile(join(folder, 'config.json')),
  ]);
  const given = flags.key ?? (env['DCM_KEY'] || undefined);
  const fromFiles = (role: Role): string | undefined =>
    files.map((file) => file.keys?.[role] ?? file.key).find((file) => file !== undefined);
  const apiUrl =
    flags.apiUrl ?? (env['DCM_API_URL'] || undefined) ?? files.find((file) => file.apiUrl)?.apiUrl;
  return {
    apiUrl: parseApiUrl(apiUrl ?? DEFAULT_API_URL),
    keyFile: (role) => given ?? fromFiles(role) ?? join(folder, 'key'),
    sshIdentity: files.find((file) => file.sshIdentity)?.sshIdentity,
    folder,
  };
}

export const configFolder = ({ env, homeFolder }: Context): string =>
  join(env['XDG_CONFIG_HOME'] || join(homeFolder, '.config'), 'dcmarket');

function parseApiUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const fits = url && /^https?:$/.test(url.protocol) && url.pathname === '/' && !url.search && !url.hash;
  if (url && fits) return url;
  throw new Failure('Usage', `the address of the API is not valid: ${text}`, {
    next: 'Give scheme and host only, e.g. --api-url https://api.example.com',
  });
}

type Config = z.infer<typeof ConfigFile>;

/** Paths in it are made absolute. A file that is not there is empty. */
async function readConfigFile(file: string): Promise<Config> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if (isCode(cause, 'ENOENT') || isCode(cause, 'ENOTDIR')) return {};
    throw new Failure('Usage', `${file} cannot be read`, { cause });
  }
  const config = ConfigFile.safeParse(parseJson(text, file));
  if (!config.success)
    throw new Failure('Usage', `${file} is not valid: ${z.prettifyError(config.error)}`, {
      next: 'Correct it or remove it.',
    });
  const absolute = (path: string | undefined): string | undefined => path && resolve(dirname(file), path);
  const { apiUrl, key, keys, sshIdentity } = config.data;
  return {
    apiUrl,
    key: absolute(key),
    keys: { tenant: absolute(keys?.tenant), provider: absolute(keys?.provider) },
    sshIdentity: absolute(sshIdentity),
  };
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Failure('Usage', `${file} is not JSON: ${cause instanceof Error ? cause.message : ''}`, {
      next: 'Correct it or remove it.',
      cause,
    });
  }
}
