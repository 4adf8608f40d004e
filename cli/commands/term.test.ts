/** The term of a contract and its name at the command line; no price is agreed to that was not said before. */
import { describe, expect, test } from 'vitest';
import { fakeClock } from '../../lib/fake-clock.ts';
import { ACTIVE, type Answer, aContractView, aProblem, type Seen } from '../test-facade.ts';
import { useTerminal } from '../test-terminal.ts';

const ID = 'c1d09e44'.repeat(4);
const NAME = 'vps-small-k3x9q2m7ta';
const terminal = useTerminal({ clock: fakeClock('2026-01-02T12:00:00Z') });
const against = terminal.run;
const sent = () => terminal.seen().filter(({ method }) => method !== 'GET');

const view = (change: object = {}) => aContractView({ ...ACTIVE, ...change });
const asItIs = (change: object = {}): Answer => ({ data: view(change) });

describe('term and name', () => {
  const quote = {
    contract: view(),
    durationHours: 48,
    endsAt: '2026-01-03T12:00:00.000Z',
    price: { amountMinor: 500, currency: 'EUR', per: 'Day' },
    costMinor: 500,
    dryRun: true,
  };
  test('an extension is said beforehand, with its price', async () => {
    const ran = await against(
      ({ method }) => (method === 'POST' ? { data: quote } : asItIs()),
      ...['extend', ID, '--hours', '24', '--dry-run'],
    );
    expect(ran.stdout).toBe(
      `${NAME} would be rented for 48 hours in all, until 2026-01-03T12:00:00.000Z (in 24h), for 5.00 EUR.\n`,
    );
    expect(sent()).toMatchObject([
      { path: `/api/v1/contracts/${ID}/extend`, body: { hours: 24, dryRun: true } },
    ]);
  });

  describe('where added hours cost what the offering asks', () => {
    const dear = { amountMinor: 700, currency: 'EUR', per: 'Day' };
    const extension = { pricing: 'Current', price: dear, agreed: [], pendingHours: 0, message: null };
    const answers = ({ method, body }: Seen): Answer =>
      method === 'GET'
        ? asItIs({ extension })
        : {
            data: {
              ...quote,
              ...(body as object),
              contract: view({ extension }),
              price: dear,
              costMinor: 700,
            },
          };
    const extending = (...more: string[]) => against(answers, 'extend', ID, '--hours', '24', ...more);
    const until = 'rented for 48 hours in all, until 2026-01-03T12:00:00.000Z (in 24h), for 7.00 EUR';

    test('nobody is asked to agree without hearing the price, and nothing is done unasked', async () => {
      const ran = await extending();
      expect([ran.exitCode, ran.stderr]).toEqual([2, expect.stringContaining('--yes')]);
      expect(sent()).toMatchObject([{ body: { dryRun: true } }]);
    });
    test('--yes agrees to the price that was heard', async () => {
      const ran = await extending('--yes');
      expect(ran.stdout).toBe(`${NAME} is ${until} (7.00 EUR / day).\n`);
      expect(sent().at(-1)?.body).toEqual({ hours: 24, dryRun: false, price: dear });
    });
    test('--price agrees to one, whatever is asked by then', async () => {
      await extending('--price', '650');
      expect(sent()).toMatchObject([{ body: { dryRun: false, price: { ...dear, amountMinor: 650 } } }]);
    });
    test('no question where it costs what the rental did', async () => {
      const cheap = { amountMinor: 500, currency: 'EUR', per: 'Month' };
      const same = { ...extension, price: cheap };
      const ran = await against(
        ({ method }) =>
          method === 'GET'
            ? asItIs({ extension: same })
            : { data: { ...quote, contract: view({ extension: same }), price: cheap, dryRun: false } },
        ...['extend', ID, '--hours', '24'],
      );
      expect(ran.exitCode).toBe(0);
      expect(sent().at(-1)?.body).toMatchObject({ price: cheap });
    });
    test('the price can be read, and a renewal has a cap', async () => {
      const shown = await against(answers, 'contract', ID);
      expect(shown.stdout).toContain('Longer     7.00 EUR / day at the moment (700 for --price)');
      await against(
        () => asItIs(),
        'auto-renew',
        ID,
        '--hours',
        '24',
        '--max-hours',
        '72',
        '--max-price',
        '900',
      );
      expect(sent().at(-1)?.body).toEqual({
        hours: 24,
        maxHours: 72,
        maxPrice: { amountMinor: 900, currency: 'EUR', per: 'Month' },
      });
    });
  });

  test('what is refused is read as the server says it', async () => {
    const ran = await against(
      ({ method }) =>
        method === 'POST'
          ? aProblem(422, 'ValidationFailed', { detail: 'The terms allow 30 hours at most, not 31.' })
          : asItIs(),
      ...['extend', ID, '--hours', '1'],
    );
    expect([ran.exitCode, ran.stderr]).toEqual([
      1,
      expect.stringContaining('The terms allow 30 hours at most'),
    ]);
  });

  test('renewal on and off', async () => {
    await against(() => asItIs(), 'auto-renew', ID, '--hours', '24', '--max-hours', '72');
    expect(sent()).toMatchObject([{ method: 'PUT', body: { hours: 24, maxHours: 72 } }]);
    await against(() => asItIs(), 'auto-renew', ID, '--off');
    expect(sent()[0]?.body).toBeNull();
    expect(await against(() => asItIs(), 'auto-renew', ID)).toMatchObject({ exitCode: 2 });
  });

  test('name, description, labels; empty removes', async () => {
    await against(
      () => asItIs(),
      ...['describe', ID, '--name', 'box', '--description', '', '--label', 'env=ci', 'a=b=c'],
    );
    const body = { name: 'box', description: null, labels: { env: 'ci', a: 'b=c' } };
    expect(sent()).toMatchObject([{ method: 'PATCH', path: `/api/v1/contracts/${ID}`, body }]);
    expect(await against(() => asItIs(), 'describe', ID, '--label', 'nothing')).toMatchObject({
      exitCode: 2,
    });
  });

  test('a contract that is tried says until when', async () => {
    const phase = { phase: 'Accepted', provisionBy: '2026-01-01T13:00:00Z' };
    const ran = await against(() => asItIs(phase), ...['contract', ID]);
    expect(ran.stdout).toContain('Tried      until 2026-01-01T13:00:00Z; then it ends');
  });

  test.each([
    ['while its provider pauses it', {}, true],
    ['in its grace, where the clock has run out', { graceEndsAt: '2026-01-04T12:00:00Z' }, false],
  ])('a paused contract says that its end moves %s', async (_name, more, moves) => {
    const ran = await against(() => asItIs({ phase: 'Paused', ...more }), ...['contract', ID]);
    expect(/^Ends .*, if it goes on now$/m.test(ran.stdout)).toBe(moves);
    expect(ran.stdout).toMatch(/^Ends /m);
  });

  test('a contract in its grace says how to keep it, and what of the wishes is open', async () => {
    const ran = await against(
      () =>
        asItIs({
          graceEndsAt: '2026-01-04T12:00:00Z',
          autoRenew: { hours: 24, maxHours: 72 },
          wishes: [{ wish: 'Password', state: 'CannotBeDone' }],
        }),
      ...['contract', ID],
    );
    expect(ran.stdout).toContain('Grace      until 2026-01-04T12:00:00Z: dcm extend brings it back');
    expect(ran.stdout).toContain('Renews     by 24 h at its end, up to 72 h in all');
    expect(ran.stdout).toContain('Asked      Password (cannot be done)');
  });
});
