/**
 * The one error handler: our refusals, Fastify's own, the API server's and PostgreSQL's, and the unexpected all
 * leave as RFC 9457 problem+json. Causes and stacks go to the log, never to a caller; the id joins the two.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isProblemCode, PROBLEMS, Problem, type ProblemCode } from '../../crds/problem.ts';
import type { ProblemBody } from '../../crds/wire/envelope.ts';
import { KubeError } from '../../kube/error.ts';

const RETRY_AFTER_SECONDS = 2;

export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = toProblem(error);
  const fields = { err: error, code: problem.code, occurrence: request.id };
  // Starting and stopping are what a probe asks about, no faults.
  const isFault = problem.status >= 500 && problem.code !== 'NotReady' && problem.code !== 'ShuttingDown';
  if (isFault) request.log.error(fields, 'request failed');
  else request.log.debug({ code: problem.code, detail: problem.message }, 'request refused');
  const retryAfter =
    problem.retryAfterSeconds ?? (needsRetryAfter(problem) ? RETRY_AFTER_SECONDS : undefined);
  if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
  return reply
    .code(problem.status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .send(JSON.stringify(presentProblem(problem, request.id)));
}

export function presentProblem(problem: Problem, occurrence: string): ProblemBody {
  return {
    success: false,
    error: problem.next,
    code: problem.code,
    type: `https://dcmarket.io/problems/${problem.code}`,
    title: PROBLEMS[problem.code].title,
    status: problem.status,
    detail: problem.message,
    instance: `urn:request:${occurrence}`,
    retryable: problem.retryable,
    ...problem.extra,
  };
}

/** What any thrown value means to the caller. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof KubeError) return fromKube(error);
  const foreign = problemCodeOf(error);
  if (foreign) return foreign;
  return fromFastify(error) ?? internal(error);
}

/** Other parts may throw errors that carry a code of the table, e.g. the store's StoreUnavailable. */
function problemCodeOf(error: unknown): Problem | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  if (!isProblemCode(error.code)) return undefined;
  const next = 'next' in error && typeof error.next === 'string' ? error.next : 'Try again in a moment.';
  return new Problem(error.code, error.message, { next, cause: error });
}

function fromKube(error: KubeError): Problem {
  if (error.status === 422 || error.status === 400) {
    const errors = error.causes.map(({ field, message }) => ({ field: field ?? '', message: message ?? '' }));
    const [first] = errors;
    return new Problem(
      'ValidationFailed',
      first ? `${first.field}: ${first.message}` : 'a field is not valid',
      {
        next: 'Correct the field and send it again.',
        extra: errors.length > 0 ? { errors } : {},
        cause: error,
      },
    );
  }
  if (error.status === 409)
    return new Problem('Conflict', 'Somebody else changed it at the same time.', {
      next: 'Send the request again.',
      retryAfterSeconds: 1,
      cause: error,
    });
  if (error.retryable)
    return new Problem('ClusterUnavailable', 'The Kubernetes API does not answer at the moment.', {
      next: 'Try again in a few seconds.',
      retryAfterSeconds: Math.ceil((error.retryAfterMs ?? RETRY_AFTER_SECONDS * 1000) / 1000),
      cause: error,
    });
  return internal(error);
}

const FASTIFY: Readonly<Record<string, Readonly<{ code: ProblemCode; detail: string; next: string }>>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: 'BodyTooLarge',
    detail: 'The body is larger than 256 KiB.',
    next: 'Send less.',
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'UnsupportedMediaType',
    detail: 'The body is not declared as JSON.',
    next: 'Send JSON with Content-Type: application/json.',
  },
  FST_ERR_BAD_URL: {
    code: 'BadRequest',
    detail: 'The path is not valid.',
    next: 'Check its percent-encoding.',
  },
};

function fromFastify(error: unknown): Problem | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const known = FASTIFY[code];
  if (known) return new Problem(known.code, known.detail, { next: known.next, cause: error });
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500;
  if (status < 400 || status >= 500) return undefined;
  return new Problem('BadRequest', 'The request cannot be read.', {
    next: 'Check the request line, the headers and the length of the body.',
    cause: error,
  });
}

const internal = (cause: unknown): Problem =>
  new Problem(
    'Internal',
    'Something went wrong here; it was written to the log under the id in `instance`.',
    {
      next: 'Try again; if it stays, tell the operator of this server the id.',
      cause,
    },
  );

const needsRetryAfter = ({ status }: Problem): boolean => status === 429 || status === 503;
