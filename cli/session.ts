/** One invocation: the global options, the settings they lead to, and the API signed with the right key. */
import { z } from 'zod';
import { type Api, createApi } from './client/client.ts';
import type { Context } from './context.ts';
import { readKeyFile } from './key-file.ts';
import { createPrinter, type Printer } from './output/printer.ts';
import { type Role, readSettings, type Settings } from './settings.ts';

export const GlobalOptions = z.object({
  json: z.boolean().default(false),
  apiUrl: z.string().optional(),
  key: z.string().optional(),
});
export type GlobalOptions = z.infer<typeof GlobalOptions>;

export type Session = Readonly<{
  context: Context;
  print: Printer;
  isJson: boolean;
  settings: () => Promise<Settings>;
  /** Signed as the tenant or the provider, or not at all. Throws a Usage failure for an unusable key. */
  api: (as: Role | 'anyone') => Promise<Api>;
}>;

export function openSession(context: Context, globals: GlobalOptions): Session {
  let settings: Promise<Settings> | undefined;
  const read = (): Promise<Settings> => {
    settings ??= readSettings(context, globals);
    return settings;
  };
  return {
    context,
    print: createPrinter(context),
    isJson: globals.json,
    settings: read,
    api: async (as) => {
      const { apiUrl, keyFile } = await read();
      const pair = as === 'anyone' ? undefined : await readKeyFile(keyFile(as));
      const { clock, signal } = context;
      return createApi({ url: apiUrl, seed: pair?.seed, publicKey: pair?.publicKey, clock, signal });
    },
  };
}

/** Prints `data` as JSON where that was asked for, else what `people` writes. */
export function show<T>({ isJson, print }: Session, data: T, people: (data: T) => void): void {
  if (isJson) print.json(data);
  else people(data);
}

/** The public key in the paths of a provider. */
export function ownKey({ publicKey }: Api): string {
  if (publicKey === undefined) throw new Error('invariant broken: this call is signed');
  return publicKey;
}
