/** Takes secrets out of what a program said before anybody logs or reports it. */

const SECRET_NAME = /pass|secret|token|private|credential|api_?key/i;
const SECRET_MEMBER =
  /("[^"]*(?:pass|secret|token|private|credential|api_?key)[^"]*"\s*:\s*)"(?:[^"\\]|\\.)*"?/gi;
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;
/** Shorter values would also blank out ordinary words. */
const SECRET_MIN_CHARACTERS = 4;

/** A function that blanks private keys, members with a telling name, and every secret value of `config`. */
export function redactor(config: Readonly<Record<string, unknown>>): (text: string) => string {
  const values = [...secretsOf(config)].sort((a, b) => b.length - a.length);
  return (text) => {
    const known = values.reduce((rest, value) => rest.replaceAll(value, '[redacted]'), text);
    return known.replace(PRIVATE_KEY, '[redacted]').replace(SECRET_MEMBER, '$1"[redacted]"');
  };
}

/** Strings under a telling name, at any depth. */
function secretsOf(value: unknown, isSecret = false): Set<string> {
  if (typeof value === 'string')
    return new Set(isSecret && value.length >= SECRET_MIN_CHARACTERS ? [value] : []);
  if (typeof value !== 'object' || value === null) return new Set();
  const found = new Set<string>();
  for (const [name, member] of Object.entries(value))
    for (const secret of secretsOf(member, isSecret || SECRET_NAME.test(name))) found.add(secret);
  return found;
}
