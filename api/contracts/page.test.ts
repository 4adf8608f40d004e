/** Pages over what lives and what is archived: in one order, each once, whatever ends and goes between two pages. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aContract, uidOf } from '../../crds/contract/builders.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { Problem } from '../../crds/problem.ts';
import { type Frontier, pageOver, placeOf } from './page.ts';

const START: Frontier = { live: undefined, archive: undefined };

/** A cluster and an archive. Several contracts of one second: the uid decides. */
class World {
  readonly live = new Map<number, Contract>();
  readonly archive = new Map<number, Contract>();
  isDown = false;
  reads = 0;

  rent(n: number): void {
    const creationTimestamp = new Date(Date.UTC(2026, 0, 1, 0, 0, n >> 2)).toISOString();
    this.live.set(
      n,
      aContract('Active', {}, { metadata: { uid: uidOf((n * 37) % 101), creationTimestamp } }),
    );
  }
  end = (n: number): void => void (this.live.has(n) && this.archive.set(n, this.live.get(n) as Contract)); // it has it
  remove = (n: number): void => void (this.archive.has(n) && this.live.delete(n));

  page = (from: Frontier, limit: number, isWanted: (contract: Contract) => boolean = () => true) =>
    pageOver(
      {
        live: [...this.live.values()],
        matches: isWanted,
        archived: async (after, rows) => {
          this.reads++;
          if (this.isDown) throw new Problem('StoreUnavailable', 'down', { next: 'Later.' });
          return [...this.archive.values()]
            .filter((it) => isWanted(it) && (after === undefined || key(it) < keyOf(after)))
            .sort((a, b) => (key(a) < key(b) ? 1 : -1))
            .slice(0, rows);
        },
      },
      { from, limit },
    );
}
const keyOf = ({ createdAt, uid }: ReturnType<typeof placeOf>): string => `${createdAt}/${uid}`;
const key = (contract: Contract): string => keyOf(placeOf(contract));

describe('pages', () => {
  test('in one order, nothing missed and nothing twice, whatever is archived and removed in between', async () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 30 }),
        fc.integer({ min: 1, max: 7 }),
        fc.array(fc.tuple(fc.constantFrom('end', 'remove', 'rent'), fc.nat(30)), { maxLength: 90 }),
        async (contracts, limit, happenings) => {
          const world = new World();
          for (let n = 0; n < contracts; n++) world.rent(n);
          const there = [...world.live.values()].map(key).sort().reverse();
          const seen: string[] = [];
          const left = [...happenings];
          const happen = (): void => {
            for (const [what, n] of left.splice(0, 1 + (left.length >> 2)))
              if (what === 'rent') world.rent(40 + left.length);
              else world[what](n);
          };
          happen();
          for (let from: Frontier | undefined = START; from; happen()) {
            const { found, next }: Awaited<ReturnType<World['page']>> = await world.page(from, limit);
            expect(found.length).toBe(next ? limit : Math.min(limit, found.length));
            seen.push(...found.map(({ contract }) => key(contract)));
            expect(seen.length).toBeLessThan(500);
            from = next;
          }
          expect(seen).toEqual([...new Set(seen)].sort().reverse());
          expect(seen.filter((it) => there.includes(it))).toEqual(there);
        },
      ),
      { numRuns: 300 },
    ));

  test('what is both is shown as alive, and only what matches counts', async () => {
    const world = new World();
    for (const n of [1, 2, 3]) world.rent(n);
    world.end(2);
    world.end(3);
    world.remove(3);
    const all = await world.page(START, 10);
    expect(all.found.map(({ archived }) => archived).sort()).toEqual([false, false, true]);
    const third = world.archive.get(3);
    const some = await world.page(START, 10, ({ metadata }) => metadata.uid === third?.metadata.uid);
    expect(some.found).toHaveLength(1);
  });

  test('a page of many that are both costs few reads', async () => {
    const world = new World();
    for (let n = 0; n < 60; n++) world.rent(n);
    for (let n = 0; n < 60; n++) world.end(n);
    await world.page(START, 50);
    expect(world.reads).toBeLessThanOrEqual(2);
  });
});

describe('without the archive', () => {
  test('what lives is shown, and nothing of the archive is lost by it', async () => {
    const world = new World();
    for (let n = 0; n < 8; n++) world.rent(n);
    for (const n of [1, 3, 5]) world.end(n);
    for (const n of [1, 3, 5]) world.remove(n);
    world.isDown = true;
    const first = await world.page(START, 3);
    expect(first.found.map(({ archived }) => archived)).toEqual([false, false, false]);
    world.isDown = false;
    const seen = first.found.map(({ contract }) => key(contract));
    for (let from = first.next; from; ) {
      const { found, next } = await world.page(from, 3);
      seen.push(...found.map(({ contract }) => key(contract)));
      from = next;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toHaveLength(8);
  });

  test('a page that would be empty says so instead', async () => {
    const world = new World();
    world.isDown = true;
    await expect(world.page(START, 3)).rejects.toMatchObject({ code: 'StoreUnavailable' });
  });
});
