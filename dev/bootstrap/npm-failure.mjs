/** What the output of a failed `npm ci` means for the person who waits for it. Plain JavaScript for Node 20. */

/** First match wins; npm prints its code as `npm error code XYZ`, a script prints what it likes. */
const CAUSES = [
  [/ENOSPC|no space left/i, 'the disk is full', 'Free some space (it takes about 700 MB) and start again.'],
  [
    /SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER|VERIFY)|CERT_HAS_EXPIRED|unable to get local issuer/i,
    'the certificate of the npm registry is not trusted here',
    'Behind a proxy that inspects TLS, set NODE_EXTRA_CA_CERTS to its certificate, and start again.',
  ],
  [
    /E401|E403|E407|authentication required|proxy authentication/i,
    'the npm registry or a proxy refused the request',
    'Check `npm config get registry`, `npm config get proxy` and the credentials, and start again.',
  ],
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|network/i,
    'the npm registry cannot be reached',
    'Check the network; behind a proxy set HTTPS_PROXY (or `npm config set https-proxy URL`). Then start again.',
  ],
  [
    /EACCES|EPERM|EROFS/i,
    'node_modules cannot be written',
    'Make this folder writable for you, and start again.',
  ],
  [
    /EINTEGRITY/i,
    'a package is not the one that was locked',
    'Run `npm cache clean --force`, and start again.',
  ],
  [
    /EUSAGE|in sync/i,
    'package.json and package-lock.json do not match',
    'Run `git status`: one of the two was changed.',
  ],
];

export function explainNpmFailure(output) {
  // Warnings (an engine, a deprecated package) say nothing about why it failed.
  const errors = output
    .split('\n')
    .filter((line) => !/^npm warn/i.test(line))
    .join('\n');
  for (const [pattern, why, next] of CAUSES) if (pattern.test(errors)) return { why, next };
  const last = errors.trim().split('\n').slice(-3).join('\n');
  return { why: last || 'npm ci failed without a word', next: 'Read the log, and start again.' };
}
