/** Words for what went wrong with a call: the server's own where it answered, a remedy where nobody did. */
import { ProblemBody } from '../../crds/wire/envelope.ts';
import { Failure } from '../failure.ts';

/** A Refused failure out of an answer that is no success. */
export function refusal(response: Response, text: string): Failure {
  const problem = parseProblem(text);
  if (!problem)
    return new Failure(
      'Refused',
      `${response.url} answered ${response.status} and nothing that dcm can read`,
      {
        next: 'Check that --api-url or DCM_API_URL is the address of a dcmarket API.',
      },
    );
  const fields = (problem.errors ?? []).map(({ field, message }) => `\n  ${field || '(body)'}: ${message}`);
  const isSaid = fields.length === 1 && problem.detail.includes(problem.errors?.[0]?.message ?? '\n');
  // Violations of a schema are all in the sentence; in lines they are read more easily.
  const isList = fields.length > 1 && problem.errors?.every(({ pointer }) => pointer !== undefined);
  const detail = isList ? (problem.detail.split(': ')[0] ?? problem.detail) : problem.detail;
  return new Failure('Refused', `${detail}${isSaid ? '' : fields.join('')}`, {
    next: problem.error,
    problem,
  });
}

function parseProblem(text: string): ProblemBody | undefined {
  try {
    return ProblemBody.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** A Network failure out of what `fetch` threw. */
export function networkFailure(error: unknown, base: URL): Failure {
  const { code, message } = reasonOf(error);
  const [what, next] = explain({ code, message, base });
  return new Failure('Network', what, { next, cause: error });
}

type Explained = readonly [what: string, next: string];

function explain({ code, message, base }: Readonly<{ code: string; message: string; base: URL }>): Explained {
  const elsewhere = 'or name another address with --api-url or DCM_API_URL';
  switch (code) {
    case 'ECONNREFUSED':
      return [
        `nothing listens at ${base.origin}`,
        `Start the server (\`npm start\` in a checkout), ${elsewhere}.`,
      ];
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return [
        `the name ${base.hostname} cannot be resolved`,
        `Check its spelling and your network, ${elsewhere}.`,
      ];
    case 'TimeoutError':
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return [`${base.origin} does not answer: ${message}`, `Check network and firewall, ${elsewhere}.`];
    case 'ECONNRESET':
    case 'UND_ERR_SOCKET':
      return [`${base.origin} closed the connection before it answered`, 'Try again in a moment.'];
    default:
      return /CERT|SELF_SIGNED|UNABLE_TO/.test(code)
        ? [
            `the certificate of ${base.host} is not trusted: ${message}`,
            'If it is signed by your own authority, name its file in NODE_EXTRA_CA_CERTS.',
          ]
        : [`${base.origin} cannot be reached: ${message}`, `Check the address, ${elsewhere}.`];
  }
}

/** `fetch` hides the reason in `cause`; with two addresses of one name, in the first of several. */
function reasonOf(error: unknown): Readonly<{ code: string; message: string }> {
  if (!(error instanceof Error)) return { code: '', message: String(error) };
  if (error.cause instanceof Error) return reasonOf(error.cause);
  if (error.name === 'TimeoutError') return { code: 'TimeoutError', message: error.message };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return { code, message: error.message || code };
}
