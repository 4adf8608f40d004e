import { expect, test } from 'vitest';
import { aContract } from '../../crds/contract/builders.ts';
import { KubeError } from '../../kube/error.ts';
import { describeUnresolved, resolveEach } from './each.ts';

const contracts = ['a', 'b', 'c'].map((name) => aContract('Accepted', {}, { metadata: { name } }));
const refused = (status: number) => new KubeError({ status, reason: 'Said', message: `said ${status}` });

/** Names of those that were tried, when `b` fails. */
async function tried(error: unknown) {
  const seen: string[] = [];
  const unresolved = await resolveEach(contracts, async ({ metadata }) => {
    seen.push(metadata.name);
    if (metadata.name === 'b') throw error;
  });
  return { seen, unresolved };
}

test.each([refused(422), refused(409), new Error('a rule broke')])(
  '%s stops no other contract',
  async (error) => {
    const { seen, unresolved } = await tried(error);
    expect(seen).toEqual(['a', 'b', 'c']);
    expect(describeUnresolved(unresolved, () => ['agent-1'])).toMatch(
      new RegExp(`^contract .*/b \\(listed by agent-1\\): ${error.message}$`),
    );
  },
);

test.each([
  refused(0),
  refused(503),
  refused(403),
  Object.assign(new Error('down'), { code: 'StoreUnavailable' }),
])('%s concerns all of them', (error) => expect(tried(error)).rejects.toBe(error));
