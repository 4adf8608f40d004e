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

module.exports = {
  forbidden: [
    ...Object.entries(MAY_IMPORT).map(([part, allowed]) => ({
      name: `${part}-imports-only-${[...allowed, part].join('-')}`,
      severity: 'error',
      from: { path: `^${part}/` },
      to: { path: '^(lib|crds|kube|store|operator|api|agent|cli|web|dev|test|bench)/', pathNot: `^(${[part, ...allowed].join('|')})/` },
    })),
    {
      name: 'production-code-imports-no-dev-dependency',
      severity: 'error',
      from: { path: '^(lib|crds|kube|store|operator|api|agent|cli)/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'not-resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(node_modules|\\.dcmarket|dist)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
};
