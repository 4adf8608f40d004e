import { expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { openConnection } from './connection.ts';
import { ignoreObservations } from './observation.ts';

const open = (kubeconfig: 'InCluster' | { text: string }) =>
  openConnection({ kubeconfig, connectionsMax: 1, clock: systemClock, observe: ignoreObservations });

test('outside of a pod it says what to set', () =>
  expect(() => open('InCluster')).toThrow('this is no pod: set KUBECONFIG to a kubeconfig file'));

test('a server that is no URL is named', () => {
  const text = JSON.stringify({
    clusters: [{ name: 'a', cluster: { server: 'not a url' } }],
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    users: [{ name: 'a', user: {} }],
    'current-context': 'a',
  });
  expect(() => open({ text })).toThrow('the kubeconfig has "not a url" as the server of its cluster');
});
