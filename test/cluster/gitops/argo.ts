/**
 * Argo CD's health scripts, run as Argo CD runs them: the object as a Lua table `obj`, base functions only. The Lua
 * here is 5.4 and Argo CD's is 5.1, so a script that uses what 5.1 has not is refused before it runs.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LuaFactory } from 'wasmoon';
import { parse } from 'yaml';
import { z } from 'zod';
import { GROUP } from '../../../crds/group.ts';

const FILE = join(import.meta.dirname, '../../../gitops/argo-cd/argocd-cm.yaml');
const ConfigMap = z.object({ kind: z.literal('ConfigMap'), data: z.record(z.string(), z.string()) });

export const Health = z.strictObject({
  status: z.enum(['Healthy', 'Progressing', 'Degraded', 'Suspended', 'Missing', 'Unknown']),
  message: z.string(),
});
export type Health = z.infer<typeof Health>;

/** By kind. */
export function readScripts(): ReadonlyMap<string, string> {
  const { data } = ConfigMap.parse(parse(readFileSync(FILE, 'utf8')));
  const prefix = `resource.customizations.health.${GROUP}_`;
  return new Map(Object.entries(data).map(([key, script]) => [key.slice(prefix.length), script]));
}

/** What Lua 5.1 does not know: goto and labels, bit operators, integer division, attributes, integer formats. */
export const NOT_5_1 = /\bgoto\b|::|\/\/|<<|>>|[&|]|~(?!=)|<const>|<close>|\bload\(|table\.(un)?pack|utf8\./;

export type ArgoCd = Readonly<{ healthOf: (object: object) => Promise<Health> }>;

export function startArgoCd(): ArgoCd {
  const scripts = readScripts();
  const factory = new LuaFactory();
  return {
    healthOf: async (object) => {
      const { kind } = z.object({ kind: z.string() }).parse(object);
      const script = scripts.get(kind);
      if (script === undefined) return { status: 'Healthy', message: 'no script: it does not count' };
      // A machine for each, as in Argo CD; what it answers comes back as text, since no table survives its machine.
      const lua = await factory.createEngine();
      try {
        const program = `${HIDDEN}\nlocal obj = ${toLua(object)}\nlocal health = (function()\n${script}\nend)()
          return health.status .. "\\n" .. health.message`;
        const [status, ...message] = z.string().parse(lua.doStringSync(program)).split('\n');
        return Health.parse({ status, message: message.join('\n') });
      } finally {
        lua.global.close();
      }
    },
  };
}

const HIDDEN = ['string', 'math', 'os', 'io', 'utf8', 'require'].map((name) => `${name} = nil`).join(' ');

/** A literal of Lua; null is left out, as gopher-lua makes nil of it. */
function toLua(value: unknown): string {
  if (Array.isArray(value)) return `{${value.map(toLua).join(',')}}`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
    return `{${entries.map(([key, member]) => `[${toLua(key)}]=${toLua(member)}`).join(',')}}`;
  }
  if (typeof value === 'string')
    return `"${[...Buffer.from(value)].map((byte) => `\\${String(byte).padStart(3, '0')}`).join('')}"`;
  return value === null || value === undefined ? 'nil' : String(value);
}
