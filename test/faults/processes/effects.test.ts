import { expect, test } from 'vitest';
import { createEffects } from './effects.ts';

test('the fuse burns at the n-th effect of its process, once, and what repeats counts once', () => {
  const effects = createEffects();
  let burnt = 0;
  effects.restart({ by: 'facade', n: 2, burn: () => burnt++ });
  effects.note({ by: 'facade', what: 'update leases', repeats: true });
  effects.note({ by: 'facade', what: 'update leases', repeats: true });
  effects.note({ by: 'operator', what: 'update contracts' });
  expect(burnt).toBe(0);
  effects.note({ by: 'facade', what: 'create contracts' });
  effects.note({ by: 'facade', what: 'create contracts' });
  expect(burnt).toBe(1);
  expect(effects.burntAt()).toEqual(['create contracts']);
  expect(effects.seen('facade')).toEqual(['update leases', 'create contracts', 'create contracts']);
  expect(effects.total()).toBe(3);
});

test('an effect may say who dies of it, and a new start counts from nothing', () => {
  const effects = createEffects();
  const died: string[] = [];
  effects.restart({ by: 'agent', n: 1, burn: () => died.push('fuse') });
  effects.note({ by: 'agent', what: 'created' }, () => died.push('agent-2'));
  effects.restart();
  effects.note({ by: 'agent', what: 'created' }, () => died.push('nobody'));
  expect(died).toEqual(['agent-2']);
  expect(effects.burntAt()).toEqual([]);
  expect(effects.seen('agent')).toEqual(['created']);
});

test('a fuse may count only one kind of effect', () => {
  const effects = createEffects();
  let burnt = 0;
  effects.restart({ by: 'operator', n: 1, what: 'insert attempts', burn: () => burnt++ });
  effects.note({ by: 'operator', what: 'update contracts/status' });
  expect(burnt).toBe(0);
  effects.note({ by: 'operator', what: 'insert attempts' });
  expect(burnt).toBe(1);
});
