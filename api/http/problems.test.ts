import { expect, test } from 'vitest';
import { Problem } from '../../crds/problem.ts';
import { ProblemBody } from '../../crds/wire/envelope.ts';
import { KubeError } from '../../kube/error.ts';
import { presentProblem, toProblem } from './problems.ts';

const fastifyError = (code: string, statusCode: number): Error =>
  Object.assign(new Error('secret detail'), { code, statusCode });

const cases: readonly (readonly [string, unknown, string, number])[] = [
  ['our own', new Problem('PoolInUse', 'm', { next: 'n' }), 'PoolInUse', 409],
  ['a body over the limit', fastifyError('FST_ERR_CTP_BODY_TOO_LARGE', 413), 'BodyTooLarge', 413],
  ['another media type', fastifyError('FST_ERR_CTP_INVALID_MEDIA_TYPE', 415), 'UnsupportedMediaType', 415],
  ['any other of Fastify', fastifyError('FST_ERR_CTP_INVALID_CONTENT_LENGTH', 400), 'BadRequest', 400],
  ['a lost race', new KubeError({ status: 409, reason: 'Conflict', message: 'm' }), 'Conflict', 409],
  [
    'a field that the API server refuses',
    new KubeError({ status: 422, reason: 'Invalid', message: 'm' }),
    'ValidationFailed',
    422,
  ],
  [
    'an API server that is away',
    new KubeError({ status: 0, reason: 'ConnectionRefused', message: 'm' }),
    'ClusterUnavailable',
    503,
  ],
  [
    'missing rights in the cluster',
    new KubeError({ status: 403, reason: 'Forbidden', message: 'm' }),
    'Internal',
    500,
  ],
  ['a mistake of ours', new TypeError('x is undefined'), 'Internal', 500],
  ['no error at all', 'boom', 'Internal', 500],
];
for (const [name, error, code, status] of cases)
  test(`${name} becomes ${code}`, () => {
    const problem = toProblem(error);
    expect([problem.code, problem.status]).toEqual([code, status]);
    const body = presentProblem(problem, 'some-id');
    expect(ProblemBody.safeParse(body).success).toBe(true);
    expect(body.instance).toBe('urn:request:some-id');
  });

test('a caller never sees a cause or a stack', () => {
  const body = JSON.stringify(presentProblem(toProblem(new Error('password=hunter2')), 'id'));
  expect(body).not.toContain('hunter2');
  expect(body).not.toContain('at ');
});

test('the field that the API server named is named', () => {
  const error = new KubeError({
    status: 422,
    reason: 'Invalid',
    message: 'm',
    causes: [{ field: 'spec.country', message: 'use an ISO code' }],
  });
  expect(toProblem(error).extra['errors']).toEqual([{ field: 'spec.country', message: 'use an ISO code' }]);
});
