import { defineConfig } from 'vitest/config';

/**
 * `unit` needs no server and stands beside the code; `process` starts programs of its own; `cluster` shares one
 * real API server and PostgreSQL (started by the global set-up), and so do `faults`, which breaks what lies
 * between the parts, and `crash`, which kills programs, fills hosts and puts an older etcd back; `explorer` walks
 * through all states of the rules; `e2e` starts the whole market. `sweep` is the long form of explorer, faults and
 * crashes: `npm run test:faults`.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{lib,crds,kube,store,operator,api,agent,cli,dev}/**/*.test.ts'],
          exclude: ['**/*.cluster.test.ts', '**/*.process.test.ts', '**/node_modules/**'],
          testTimeout: 10_000,
          // No module is mocked and none keeps state, so files may share them: nearly twice as fast.
          isolate: false,
        },
      },
      {
        test: {
          name: 'process',
          include: ['{agent,cli,dev}/**/*.process.test.ts'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'cluster',
          include: [
            '{kube,store,operator,api,crds,agent,cli}/**/*.cluster.test.ts',
            'test/cluster/**/*.test.ts',
          ],
          globalSetup: ['test/world/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          isolate: false,
        },
      },
      {
        test: {
          name: 'explorer',
          include: ['test/explorer/**/*.test.ts'],
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'faults',
          include: ['test/faults/{proxy,ledger,oracles,world,scenarios}/**/*.test.ts'],
          globalSetup: ['test/world/global-setup.ts'],
          testTimeout: 90_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'crash',
          include: ['test/faults/{capacity,crash,processes,random,restore}/**/*.test.ts'],
          globalSetup: ['test/world/global-setup.ts'],
          testTimeout: 90_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'sweep',
          include: ['test/{explorer,faults}/**/*.sweep.ts'],
          globalSetup: ['test/world/global-setup.ts'],
          testTimeout: 1_800_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/world/control-plane-setup.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
