/** Why a contract waits, as its tenant and its provider read it at a terminal: place in the queue, reasons, what helps. */
import type { PlacementView, WaitingView } from '../../crds/wire/waiting.ts';
import { counted } from '../../lib/counted.ts';
import type { Printer } from '../output/printer.ts';
import { shortId, whenWords } from '../output/words.ts';

/** Of a pool. More than a screen is read by programs. */
const AGENTS_MAX = 20;

type Waiting = Readonly<{ contractId: string; waiting: WaitingView; now: Date }>;

/** For its tenant: names no machine, since nobody told us one. */
export function printWaiting(print: Printer, { contractId, waiting, now }: Waiting): void {
  const { ahead, reasons, againAt, reason } = waiting;
  const change = 'as soon as something changes';
  const isOnItsWay = reason === 'AwaitingAgent' || reason === 'AwaitingRetry';
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['Queue', [ahead === 0 ? 'yours is next' : `${counted(ahead, 'order')} before yours`]],
    ['Why', reasons.map(({ message }) => message)],
    ['Next look', [againAt ? `${whenWords(againAt, now)} (${againAt}), or ${change}` : change]],
    [
      'What helps',
      isOnItsWay
        ? []
        : [`wait, which costs nothing; or rent another: dcm offerings; or dcm cancel ${shortId(contractId)}`],
    ],
  ];
  print.line('\nWaiting for a machine');
  for (const [title, lines] of rows)
    for (const [index, line] of lines.entries())
      print.line(`  ${print.paint('dim', (index === 0 ? title : '').padEnd(10))} ${line}`);
}

type Placed = Readonly<{ placement: PlacementView; now: Date }>;

/** For its provider: who may claim it, and every pool and agent that was passed over, pool by pool. */
export function printPlacement(print: Printer, { placement, now }: Placed): void {
  const { ahead, waiting, candidates, passedOver, whatHelps, againAt } = placement;
  print.line(`Queue: ${ahead === 0 ? 'first' : `${ahead} before it`} of ${waiting} that wait there`);
  const claimants = candidates.map(({ pool, agent, mayClaimAt, score }) => {
    const isNow = Date.parse(mayClaimAt) <= now.getTime();
    return {
      pool,
      agent,
      message: `${isNow ? 'now' : whenWords(mayClaimAt, now)}, score ${Math.round(score)}`,
    };
  });
  printByPool(print, { title: 'May claim it', lines: claimants });
  printByPool(print, { title: 'Passed over', lines: passedOver });
  if (whatHelps.length > 0) print.line('\nWhat helps');
  for (const help of whatHelps) print.line(`  ${help}`);
  if (againAt)
    print.line(`\nLooked at again ${whenWords(againAt, now)} (${againAt}), or as soon as something changes.`);
}

type Line = Readonly<{ pool: string; agent: string | null; agents?: number | undefined; message: string }>;

/** A pool that was passed over as a whole is one line. */
function printByPool(
  print: Printer,
  { title, lines }: Readonly<{ title: string; lines: readonly Line[] }>,
): void {
  if (lines.length === 0) return;
  print.line(`\n${title}`);
  const width = Math.max(...lines.map(({ agent }) => agent?.length ?? 0));
  for (const [pool, own] of Map.groupBy(lines, (line) => line.pool)) {
    const whole = own.filter(({ agent }) => agent === null).map(wholeWords);
    print.line(`  ${pool}${whole.length > 0 ? `: ${whole.join('; ')}` : ''}`);
    const agents = own.filter(({ agent }) => agent !== null);
    for (const { agent, message } of agents.slice(0, AGENTS_MAX))
      print.line(`    ${(agent ?? '').padEnd(width)}  ${message}`);
    if (agents.length > AGENTS_MAX)
      print.line(`    and ${agents.length - AGENTS_MAX} more: --json shows all`);
  }
}

const wholeWords = ({ message, agents = 0 }: Line): string =>
  agents === 0 ? message : `${message} (with its ${counted(agents, 'agent')})`;
