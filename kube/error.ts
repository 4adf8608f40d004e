/**
 * The one error of the client. `reason` is the API server's own for what it answered (`status` 400–599), and one
 * of ours with status 0 when no answer came. Whether a retry helps is a property of the error, not of who catches.
 */

/** Reasons with status 0: nobody knows whether the request was carried out, except for ConnectionRefused. */
export type TransportReason =
  | 'ConnectionRefused'
  | 'ConnectionLost'
  | 'DeadlineExceeded'
  | 'Stalled'
  | 'Malformed';

export type Cause = Readonly<{ field?: string; reason?: string; message?: string }>;

type Init = Readonly<{
  status: number;
  reason: string;
  message: string;
  causes?: readonly Cause[] | undefined;
  retryAfterMs?: number | undefined;
  cause?: unknown;
}>;

export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly status: number;
  readonly reason: string;
  /** Which fields were refused and why; empty unless the API server said so. */
  readonly causes: readonly Cause[];
  readonly retryAfterMs: number | undefined;

  constructor({ status, reason, message, causes = [], retryAfterMs, cause }: Init) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
    this.reason = reason;
    this.causes = causes;
    this.retryAfterMs = retryAfterMs;
  }

  /** The same request may succeed later. A conflict is not among them: read again and decide again. */
  get retryable(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** What to do next, for the log line. */
  get next(): string {
    if (this.reason === 'ConnectionRefused')
      return 'Check that the API server runs and the kubeconfig names it.';
    if (this.status === 401) return 'Renew the credentials of the kubeconfig.';
    if (this.status === 403) return 'Grant the verb on this resource to the user (RBAC).';
    if (this.status === 409) return 'Read the object again and decide again.';
    if (this.status === 410) return 'List again.';
    return this.retryable ? 'Wait and try again.' : 'Change the request; the same one will fail again.';
  }
}

const is =
  (status: number, reason?: string) =>
  (error: unknown): error is KubeError =>
    error instanceof KubeError &&
    error.status === status &&
    (reason === undefined || error.reason === reason);

export const isNotFound = is(404);
/** A stale resourceVersion or uid: somebody wrote in between. */
export const isConflict = is(409, 'Conflict');
export const isAlreadyExists = is(409, 'AlreadyExists');
/** 422: the schema, a CEL rule or a failed JSON-patch test refused the content. */
export const isInvalid = is(422);
export const isForbidden = is(403);
export const isUnauthorized = is(401);
export const isTooManyRequests = is(429);
/** The resourceVersion or continue token is older than what the API server remembers. */
export const isGone = (error: unknown): error is KubeError => is(410)(error);
export const isConnectionRefused = is(0, 'ConnectionRefused');

/** A `Status` object of the API server (`kind: Status`), as far as it is read. */
type StatusBody = Readonly<{
  code?: number;
  reason?: string;
  message?: string;
  details?: Readonly<{ causes?: readonly Cause[]; retryAfterSeconds?: number }>;
}>;

/** `body` is what came after JSON.parse, or the bare text of a proxy; `what` names the request for the message. */
export function errorFromStatus(
  what: string,
  { status, body, retryAfterMs }: { status: number; body: unknown; retryAfterMs?: number | undefined },
): KubeError {
  // The answer of an API server is trusted to be a Status; anything else is shown as it came.
  const answer: StatusBody = typeof body === 'object' && body !== null ? body : {};
  const text = answer.message ?? (typeof body === 'string' ? body.trim().slice(0, 300) : '');
  const seconds = answer.details?.retryAfterSeconds;
  return new KubeError({
    status: answer.code ?? status,
    reason: answer.reason ?? `Http${status}`,
    message: `${what}: ${text || `answered ${status}`}`,
    causes: answer.details?.causes,
    retryAfterMs: retryAfterMs ?? (seconds === undefined ? undefined : seconds * 1000),
  });
}

const TRANSPORT: Readonly<Record<string, TransportReason>> = {
  ECONNREFUSED: 'ConnectionRefused',
  UND_ERR_CONNECT_TIMEOUT: 'DeadlineExceeded',
  UND_ERR_HEADERS_TIMEOUT: 'DeadlineExceeded',
  UND_ERR_BODY_TIMEOUT: 'Stalled',
  TimeoutError: 'DeadlineExceeded',
};

/** Names what undici, TLS or a deadline threw. */
export function errorFromTransport(what: string, error: unknown): KubeError {
  if (error instanceof KubeError) return error;
  const code = codeOf(error);
  const message = error instanceof Error ? error.message || code : String(error);
  return new KubeError({
    status: 0,
    reason: TRANSPORT[code] ?? 'ConnectionLost',
    message: `${what}: ${message}`,
    cause: error,
  });
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  // Happy eyeballs: several addresses were tried, each with an error of its own.
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  return error.name;
}
