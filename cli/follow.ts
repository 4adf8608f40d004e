/**
 * Follows a contract until something is reached, one line a step. The event stream only says when to look again:
 * what is shown is always the contract itself, so that a stream that breaks, or that a proxy swallows, costs
 * seconds and never a step.
 */
import type { ContractView } from '../crds/wire/market.ts';
import { isAbort } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import type { Api } from './client/client.ts';
import { readEvents } from './client/server-sent-events.ts';
import { readContract } from './find-contract.ts';
import type { Printer } from './output/printer.ts';
import { addressWords } from './output/words.ts';

/** Looked at again after this much silence, and before a broken stream is opened again. */
const SILENCE_MS = 5_000;
const REOPEN_MS = 1_000;

type Following = Readonly<{
  api: Api;
  clock: Clock;
  signal: AbortSignal;
  contractId: string;
  /** Sees every version that is new. */
  onView: (contract: ContractView) => void;
  isDone: (contract: ContractView) => boolean;
}>;

/** The version of the contract in which `isDone` first held. Throws what the API refuses. */
export async function followContract(following: Following): Promise<ContractView> {
  const { api, contractId, onView, isDone } = following;
  let last = '';
  for await (const _ of nudges(following)) {
    const contract = await readContract(api, contractId);
    const now = JSON.stringify(contract);
    if (now !== last) onView(contract);
    last = now;
    if (isDone(contract)) return contract;
  }
  throw following.signal.reason;
}

/** Now, then at each event and after each silence, until the caller stops or Ctrl-C. */
async function* nudges({ api, clock, signal, contractId }: Following): AsyncGenerator<void, void, undefined> {
  const stop = new AbortController();
  const stopped = AbortSignal.any([signal, stop.signal]);
  try {
    yield;
    while (!signal.aborted) {
      const events = openEvents(api, { contractId, signal: stopped });
      let next = events.next();
      for (let isOpen = true; isOpen && !signal.aborted; ) {
        const silence = new AbortController();
        const what = await Promise.race([
          next.then(({ done }) => (done ? 'Ended' : 'Event')),
          clock.sleep(SILENCE_MS, { signal: AbortSignal.any([stopped, silence.signal]) }).then(
            () => 'Silence',
            () => 'Stopped',
          ),
        ]);
        silence.abort();
        if (what === 'Event') next = events.next();
        isOpen = what === 'Event' || what === 'Silence';
        if (isOpen) yield;
      }
      await clock.sleep(REOPEN_MS, { signal });
      yield;
    }
  } finally {
    stop.abort(); // ends the stream that is still open
  }
}

type Stream = Readonly<{ contractId: string; signal: AbortSignal }>;

/** Ends when the stream does, whatever ended it: whoever reads it looks at the contract itself. */
async function* openEvents(api: Api, { contractId, signal }: Stream): AsyncGenerator<void, void, undefined> {
  try {
    const path = `/api/v1/contracts/${contractId}/events`;
    const response = await api.send({
      method: 'GET',
      path,
      accept: 'text/event-stream',
      retry: 'Never',
      signal,
    });
    if (!response.ok || !response.body) return void (await response.body?.cancel());
    for await (const _ of readEvents(response.body)) yield;
  } catch (error) {
    if (isAbort(error, signal)) return;
    // Broken: the next look at the contract tells whether the server is really gone.
  }
}

type Known = Pick<ContractView, 'history' | 'message'>;

/** Prints each step after `known` once: phases as they are passed, and the message when only that changed. */
export function stepPrinter(
  print: Printer,
  { clock, known = { history: [], message: '' } }: Readonly<{ clock: Clock; known?: Known }>,
): (contract: ContractView) => void {
  const startedMs = clock.monotonicMs();
  let steps = known.history.length;
  let said = known.message;
  const line = (phase: string, text: string): void => {
    const seconds = ((clock.monotonicMs() - startedMs) / 1000).toFixed(1);
    print.line(`${seconds.padStart(7)} s  ${print.paint(colourOf(phase), phase.padEnd(12))}  ${text}`);
  };
  return (contract) => {
    const { history, phase, message, access } = contract;
    const passed = history.slice(Math.min(steps, history.length));
    // What was passed between two looks has only its reason left to say.
    for (const { to, reason } of passed.slice(0, -1)) line(to, reason);
    if (passed.length > 0 || message !== said)
      line(phase, phase === 'Active' ? (addressWords(access) ?? message) : message);
    steps = history.length;
    said = message;
  };
}

function colourOf(phase: string): 'green' | 'red' | 'bold' {
  if (phase === 'Active') return 'green';
  return phase === 'Failed' || phase === 'Rejected' ? 'red' : 'bold';
}
