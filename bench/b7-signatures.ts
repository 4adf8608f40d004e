/**
 * B7: what a signature costs. A signed GET of the provider's pools against the public GET of the provider, both one
 * small object out of a cache of the same facade; requests are signed before the clock starts, and no nonce twice.
 */
import { Pool } from 'undici';
import { NonceStore } from '../api/auth/nonces.ts';
import { systemClock } from '../lib/clock.ts';
import { publicKeyCache } from '../lib/signature/key-cache.ts';
import { verifyRequest } from '../lib/signature/verify.ts';
import { fastSigner } from '../test/world/fast-signer.ts';
import { openStage } from './actors.ts';
import type { Benchmark } from './house.ts';
import { cpuMsOf } from './machine.ts';
import { interleave, median, ratioOf, share, timed } from './measure.ts';
import { showRate } from './report.ts';

const IN_FLIGHT = 32;
const REQUESTS = 3000;
const GOAL = 0.8;
const NO_BODY = new Uint8Array();

export const signatureBench: Benchmark = {
  name: 'B7',
  run: async (house, { quick }) => {
    const [rounds, count] = quick ? [3, 1000] : [7, REQUESTS];
    const { provider } = await openStage(house, { namespace: 'b7', agents: 1 });
    const url = new URL(house.facade.url);
    const open = `/api/v1/providers/${provider.publicKey}`;
    const signed = `${open}/pools`;
    const sign = fastSigner(provider);
    const signedHeaders = (): Record<string, string>[] =>
      Array.from({ length: count }, () =>
        sign({ method: 'GET', url: new URL(signed, url), now: systemClock.now() }),
      );
    const pool = new Pool(url.origin, { connections: IN_FLIGHT });
    const bytes = { open: 0, signed: 0 };
    const cpuUs = { open: [] as number[], signed: [] as number[], verify: [] as number[] };
    const rate = async (
      what: 'open' | 'signed',
      headers: readonly Record<string, string>[],
    ): Promise<number> => {
      const path = what === 'open' ? open : signed;
      const each = async (header: Record<string, string>): Promise<void> => {
        const response = await pool.request({ method: 'GET', path, headers: header });
        const text = await response.body.text();
        if (response.statusCode !== 200) throw new Error(`${path}: ${response.statusCode} ${text}`);
        bytes[what] = text.length;
      };
      const before = cpuMsOf(house.facade.process.pid);
      const ms = await timed(() => share(headers, { size: IN_FLIGHT, each }));
      cpuUs[what].push((1000 * (cpuMsOf(house.facade.process.pid) - before)) / count);
      return (1000 * count) / ms;
    };
    const unsigned = Array.from({ length: count }, () => ({}));
    const rates = await interleave(rounds, {
      signed: () => rate('signed', signedHeaders()),
      open: () => rate('open', unsigned),
      verify: async () => {
        const headers = signedHeaders();
        const before = process.cpuUsage();
        const verified = verifyRate({ host: url.host, path: signed, headers });
        const { user, system } = process.cpuUsage(before);
        cpuUs.verify.push((user + system) / count);
        return verified;
      },
    });
    await pool.close();
    const possible = rates.open.map(
      (open, round) => 1 / (1 / open + 1 / (rates.verify[round] ?? Number.NaN)),
    );
    const ratio = ratioOf(rates.signed, possible);
    for (const figures of Object.values(cpuUs)) figures.shift(); // of the warm-up
    const us = (figures: readonly number[]): string => `${median(figures).toFixed(0)} µs`;
    const sumUs = cpuUs.open.map((open, round) => open + (cpuUs.verify[round] ?? Number.NaN));
    return [
      {
        name: 'B7',
        what: `signed GETs (${bytes.signed} bytes), ${IN_FLIGHT} in flight, replay protection on, ${rounds} × ${count}`,
        figure: showRate(median(rates.signed)),
        baseline: `1/(1/public GET + 1/verify) = ${showRate(median(possible))}; public GET (${bytes.open} bytes) ${showRate(median(rates.open))}, verify and nonce alone ${showRate(median(rates.verify))}`,
        ratio,
        goal: `≥ ${GOAL}`,
        reached: ratio.median >= GOAL,
      },
      {
        name: 'B7',
        what: 'the same as CPU time of the process for each request, which others on the machine disturb less',
        figure: us(cpuUs.signed),
        baseline: `public GET ${us(cpuUs.open)} + verify ${us(cpuUs.verify)}`,
        ratio: ratioOf(sumUs, cpuUs.signed),
        goal: 'none',
      },
    ];
  },
};

type Given = Readonly<{ host: string; path: string; headers: readonly Record<string, string>[] }>;

/** Of one thread that does nothing but verify and remember nonces. */
function verifyRate({ host, path, headers }: Given): number {
  const keys = publicKeyCache();
  const nonces = new NonceStore();
  const startedMs = systemClock.monotonicMs();
  for (const each of headers) {
    const request = { method: 'GET', authority: host, path, query: '?', headers: each };
    const result = verifyRequest(request, { now: systemClock.now(), body: NO_BODY, keys });
    if (result.outcome === 'Refused') throw new Error(result.detail);
    if (nonces.use({ ...result, nowMs: systemClock.monotonicMs() }) !== 'Fresh') throw new Error('a replay');
  }
  const ms = systemClock.monotonicMs() - startedMs;
  return (1000 * headers.length) / ms;
}
