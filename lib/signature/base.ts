/**
 * The signature base of RFC 9421, section 2.5: the exact bytes that are signed. Only the five components that
 * this API requires are derived here, plus any plain header a client chose to cover as well.
 */
import { createHash } from 'node:crypto';

/** What a signature is made over: the request as the server sees it. */
export type SignableRequest = Readonly<{
  method: string;
  /** Host and port as in the `Host` header, lower case, without a default port. */
  authority: string;
  /** Raw path, percent-encoding as sent, without the query. */
  path: string;
  /** Raw query with its leading `?`; `?` alone when there is none. RFC 9421, section 2.2.7. */
  query: string;
  /** Lower-case header names. */
  headers: Readonly<Record<string, string | undefined>>;
}>;

/** The components that must be covered; `content-digest` only with a body. */
export const REQUIRED_COMPONENTS = ['@method', '@authority', '@path', '@query'] as const;

/** `sha-256=:BASE64:` over the raw body. RFC 9530, section 2. */
export function contentDigest(body: Uint8Array): string {
  return `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
}

/**
 * Lines `"component": value` and the final `"@signature-params"`. `params` is the serialised inner list with
 * its parameters exactly as it stands in Signature-Input. Answers undefined when a covered header is absent.
 */
export function signatureBase(
  request: SignableRequest,
  covered: Readonly<{ components: readonly string[]; params: string }>,
): string | undefined {
  const lines: string[] = [];
  for (const component of covered.components) {
    const value = componentValue(request, component);
    if (value === undefined) return undefined;
    lines.push(`"${component}": ${value}`);
  }
  lines.push(`"@signature-params": ${covered.params}`);
  return lines.join('\n');
}

function componentValue(request: SignableRequest, component: string): string | undefined {
  switch (component) {
    case '@method':
      return request.method.toUpperCase();
    case '@authority':
      return request.authority;
    case '@path':
      return request.path;
    case '@query':
      return request.query;
    default:
      // A stranger names the component: `constructor` is a member of every object.
      return Object.hasOwn(request.headers, component) ? request.headers[component]?.trim() : undefined;
  }
}
