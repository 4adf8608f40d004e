// The import table of docs/architecture.md as data: who may import whom. Everything not listed is refused.
const MAY_IMPORT = {
  lib: [],
  crds: ['lib'],
  kube: ['lib'],
  store: ['lib', 'crds'],
  operator: ['lib', 'crds', 'kube', 'store'],
  api: ['lib', 'crds', 'kube', 'store'],
  agent: ['lib', 'crds'],
  cli: ['lib', 'crds'],
  web: ['crds'],
};

const mayImport = ({ part, allowed, from }) => ({
  name: `${part}-imports-only-${[...allowed, part].join('-')}`,
  severity: 'error',
  from,
  to: {
    path: '^(lib|crds|kube|store|operator|api|agent|cli|web|dev|test|bench)/',
    pathNot: `^(${[part, ...allowed].join('|')})/`,
  },
});

module.exports = {
  forbidden: [
    ...Object.entries(MAY_IMPORT).flatMap(([part, allowed]) => [
      mayImport({ part, allowed, from: { path: `^${part}/`, pathNot: '\\.test\\.ts$' } }),
      // A test beside the code also stands on the servers of test/world.
      mayImport({ part, allowed: [...allowed, 'test/world'], from: { path: `^${part}/.*\\.test\\.ts$` } }),
    ]),
    {
      name: 'production-code-imports-no-dev-dependency',
      severity: 'error',
      from: { path: '^(lib|crds|kube|store|operator|api|agent|cli)/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'not-resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^test/adr/|(^|/)(node_modules|\\.dcmarket|dist)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
