/**
 * Every refusal that leaves the program, as one table: its stable code, HTTP status and whether the same call
 * may succeed later. Sent as RFC 9457 problem+json by the facade; `next` becomes `error`, the sentence that
 * says what to do. Whether to retry is a property of the code, never of the place that catches.
 */

export const PROBLEMS = {
  // 400: the request cannot be read
  BadRequest: { status: 400, retryable: false, title: 'The request cannot be read' },
  ValidationFailed: { status: 422, retryable: false, title: 'A field is not valid' },
  UnknownField: { status: 422, retryable: false, title: 'A field is not known' },
  // 401 and 403: who asks
  SignatureMissing: { status: 401, retryable: false, title: 'The request is not signed' },
  SignatureMalformed: { status: 401, retryable: false, title: 'The signature cannot be read' },
  SignatureInvalid: { status: 401, retryable: false, title: 'The signature does not match' },
  DigestMismatch: { status: 401, retryable: false, title: 'The body is not the one that was signed' },
  ClockSkew: { status: 401, retryable: false, title: 'Clocks are too far apart' },
  NonceReplayed: { status: 401, retryable: false, title: 'This nonce was used before' },
  WrongAuthority: { status: 401, retryable: false, title: 'The request was signed for another server' },
  UnknownKey: { status: 401, retryable: false, title: 'Nobody here has this key' },
  AgentRevoked: { status: 401, retryable: false, title: 'The agent was revoked' },
  PermissionDenied: { status: 403, retryable: false, title: 'Not allowed' },
  TenantNotAccepted: { status: 403, retryable: false, title: 'The provider does not rent to this tenant' },
  RegistrationClosed: { status: 403, retryable: false, title: 'Providers cannot register themselves here' },
  // 404 and 410: what is asked for
  NotFound: { status: 404, retryable: false, title: 'Not found' },
  RouteNotFound: { status: 404, retryable: false, title: 'No such route' },
  MethodNotAllowed: { status: 405, retryable: false, title: 'No such method on this route' },
  SetupTokenNotFound: { status: 404, retryable: false, title: 'No such setup token' },
  SetupTokenExpired: { status: 410, retryable: false, title: 'The setup token has expired' },
  SetupTokenUsed: { status: 409, retryable: false, title: 'The setup token was used by another key' },
  // 409: it conflicts with what is
  Conflict: { status: 409, retryable: true, title: 'Somebody else changed it at the same time' },
  AlreadyExists: { status: 409, retryable: false, title: 'It exists already' },
  PoolInUse: { status: 409, retryable: false, title: 'The pool is in use' },
  LockHeld: { status: 409, retryable: true, title: 'Another agent holds the lock' },
  LockNotAvailable: { status: 409, retryable: true, title: 'The contract cannot be claimed' },
  NotEligible: { status: 409, retryable: true, title: 'This agent may not claim the contract' },
  StaleEpoch: { status: 409, retryable: false, title: 'The epoch was superseded' },
  NotHolder: { status: 409, retryable: false, title: 'The agent holds no such epoch' },
  DuplicateAgent: { status: 409, retryable: false, title: 'Two agents use one key' },
  SessionSuperseded: { status: 409, retryable: false, title: 'A newer process of this agent took over' },
  AbsenceNotYetCertain: {
    status: 409,
    retryable: true,
    title: 'The process before this one may still be running',
  },
  IllegalMove: { status: 409, retryable: false, title: 'The contract cannot do that now' },
  PriceChanged: { status: 409, retryable: false, title: 'It costs something else by now' },
  PreconditionFailed: { status: 412, retryable: false, title: 'It was changed since it was read' },
  BodyTooLarge: { status: 413, retryable: false, title: 'The body is too large' },
  UnsupportedMediaType: { status: 415, retryable: false, title: 'The body is not JSON' },
  // 422: it cannot be done as asked
  PaymentUnavailable: { status: 422, retryable: false, title: 'Payments are not available' },
  InstanceConfigInvalid: {
    status: 422,
    retryable: false,
    title: 'The offering does not allow these settings',
  },
  OfferingUnavailable: { status: 422, retryable: false, title: 'The offering cannot be rented' },
  OutOfStock: { status: 409, retryable: true, title: 'Sold out' },
  IdempotencyKeyReused: {
    status: 422,
    retryable: false,
    title: 'The Idempotency-Key was used for another body',
  },
  // 429 and 5xx: not now
  TooManyRequests: { status: 429, retryable: true, title: 'Too many requests' },
  StoreUnavailable: { status: 503, retryable: true, title: 'The database cannot be reached' },
  ClusterUnavailable: { status: 503, retryable: true, title: 'The Kubernetes API cannot be reached' },
  RestoreInProgress: { status: 503, retryable: true, title: 'The cluster was restored from a backup' },
  NotReady: { status: 503, retryable: true, title: 'The facade is starting' },
  ShuttingDown: { status: 503, retryable: true, title: 'The facade is stopping' },
  Internal: { status: 500, retryable: true, title: 'Something went wrong here' },
} as const satisfies Record<string, { status: number; retryable: boolean; title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

export const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(PROBLEMS, code);

export type ProblemOptions = Readonly<{
  /** What to do next, one sentence. */
  next: string;
  /** Members added to the answer beside the standard ones, e.g. `data` of a refused lock. */
  extra?: Readonly<Record<string, unknown>>;
  retryAfterSeconds?: number;
  cause?: unknown;
}>;

/** A refusal. `message` names the object, what was found and what was wanted; `next` says what to do. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly next: string;
  readonly extra: Readonly<Record<string, unknown>>;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ProblemCode, message: string, options: ProblemOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.next = options.next;
    this.extra = options.extra ?? {};
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }

  get retryable(): boolean {
    return PROBLEMS[this.code].retryable;
  }
}
