/**
 * What the API server checks beyond the schemas because it depends on who asks: a CRD's rules cannot see the user.
 * Each becomes a ValidatingAdmissionPolicy and its binding in `manifests/policies/`.
 */
import { ENDED_PHASES } from './contract/phase.ts';
import { ANNOTATION, FINALIZER, GROUP, IN_USE_FINALIZER, VERSION } from './group.ts';

export type Policy = Readonly<{
  name: string;
  description: string;
  operations: readonly ('CREATE' | 'UPDATE' | 'DELETE')[];
  resources: readonly string[];
  /** CEL: other requests are none of its business. */
  when?: Readonly<{ name: string; expression: string }>;
  variables?: readonly Readonly<{ name: string; expression: string }>[];
  validations: readonly Readonly<{ expression: string; messageExpression: string; reason: 'Forbidden' }>[];
}>;

/** The RBAC verb on contracts; RBAC knows any word. */
export const FORCE_RELEASE_VERB = 'force-release';

const OPERATOR = 'system:serviceaccount:dcmarket-system:dcmarket-operator';

/** Who writes a contract's status: operator and facade, as the chart names their service accounts. */
export const STATUS_WRITERS = [OPERATOR, 'system:serviceaccount:dcmarket-system:dcmarket-facade'] as const;

const MAY_FORCE = `authorizer.group('${GROUP}').resource('contracts').namespace(object.metadata.namespace).name(object.metadata.name).check('${FORCE_RELEASE_VERB}').allowed()`;
/** Of what is no contract: whether they may force any in its namespace, or in that of the provider that it is. */
const MAY_FORCE_THERE = `authorizer.group('${GROUP}').resource('contracts').namespace(has(object.metadata.namespace) ? object.metadata.namespace : object.spec.namespace).check('${FORCE_RELEASE_VERB}').allowed()`;
const losesFinalizer = (name: string) => {
  const has = (object: 'object' | 'oldObject'): string =>
    `(has(${object}.metadata.finalizers) && '${name}' in ${object}.metadata.finalizers)`;
  return { name: 'loses-its-finalizer', expression: `${has('oldObject')} && !${has('object')}` };
};
const IS_PROTECTED = `has(oldObject.metadata.annotations) && '${ANNOTATION.deletionProtection}' in oldObject.metadata.annotations && oldObject.metadata.annotations['${ANNOTATION.deletionProtection}'] == 'true'`;
const WAS_THERE = 'oldObject != null && has(oldObject.spec.forceRelease)';

export const POLICIES: readonly Policy[] = [
  {
    name: 'contracts-force-release',
    description:
      'Only who has the verb force-release on contracts may release a holder by force, and only in their own name.',
    operations: ['CREATE', 'UPDATE'],
    resources: ['contracts'],
    when: { name: 'has-forced-releases', expression: 'has(object.spec.forceRelease)' },
    variables: [
      {
        name: 'added',
        expression: `object.spec.forceRelease.filter(entry, !(${WAS_THERE} && oldObject.spec.forceRelease.exists(old, old == entry)))`,
      },
    ],
    validations: [
      {
        expression: `size(variables.added) == 0 || ${MAY_FORCE}`,
        messageExpression:
          "request.userInfo.username + ' may not release a holder by force: that needs the verb force-release on contracts'",
        reason: 'Forbidden',
      },
      {
        expression: 'variables.added.all(entry, entry.by == request.userInfo.username)',
        messageExpression:
          "'forceRelease.by must be your own user name: ' + request.userInfo.username + ' (kubectl auth whoami)'",
        reason: 'Forbidden',
      },
    ],
  },
  {
    name: 'contracts-status',
    description:
      'The status of a contract is written by operator and facade; by a person only with the verb force-release.',
    operations: ['UPDATE'],
    resources: ['contracts/status'],
    validations: [
      {
        expression: `request.userInfo.username in [${STATUS_WRITERS.map((name) => `'${name}'`).join(', ')}] || ${MAY_FORCE}`,
        messageExpression:
          "request.userInfo.username + ' may not write the status of a contract: operator and facade do; say in spec what you want'",
        reason: 'Forbidden',
      },
    ],
  },
  {
    name: 'contracts-terms',
    description:
      'The terms of a contract come from its offering: facade and operator write them, nobody makes up their own.',
    operations: ['CREATE', 'UPDATE'],
    resources: ['contracts'],
    when: {
      name: 'brings-terms',
      expression:
        'has(object.spec.termsSnapshot) && (oldObject == null || !has(oldObject.spec.termsSnapshot))',
    },
    validations: [
      {
        expression: `request.userInfo.username in [${STATUS_WRITERS.map((name) => `'${name}'`).join(', ')}] || ${MAY_FORCE}`,
        messageExpression:
          "request.userInfo.username + ' may not write the terms of a contract: leave spec.termsSnapshot out, they are taken from the offering'",
        reason: 'Forbidden',
      },
    ],
  },
  {
    name: 'contracts-finalizer',
    description: `Only the operator, or who has the verb force-release, takes ${FINALIZER} off a contract: without it the contract goes, and its machine runs on unseen.`,
    operations: ['UPDATE'],
    resources: ['contracts'],
    when: losesFinalizer(FINALIZER),
    validations: [
      {
        expression: `request.userInfo.username == '${OPERATOR}' || ${MAY_FORCE}`,
        messageExpression:
          "request.userInfo.username + ' may not take the finalizer off a contract: cancel it, and release by force (verb force-release) a holder that does not answer'",
        reason: 'Forbidden',
      },
    ],
  },
  {
    name: 'agents-finalizer',
    description: `Only the operator, or who has the verb force-release, takes ${FINALIZER} off an agent: without it is forgotten what it still has to destroy.`,
    operations: ['UPDATE'],
    resources: ['agents'],
    when: losesFinalizer(FINALIZER),
    validations: [
      {
        expression: `request.userInfo.username == '${OPERATOR}' || ${MAY_FORCE_THERE}`,
        messageExpression:
          "request.userInfo.username + ' may not take the finalizer off an agent: it goes when that has destroyed what it owes; by force it takes the verb force-release on contracts'",
        reason: 'Forbidden',
      },
    ],
  },
  {
    name: 'in-use-finalizer',
    description: `Only the operator, or who has the verb force-release, takes ${IN_USE_FINALIZER} off a pool, an offering or a provider: without it they go while contracts need them.`,
    operations: ['UPDATE'],
    resources: ['agentpools', 'offerings', 'providers'],
    when: losesFinalizer(IN_USE_FINALIZER),
    validations: [
      {
        expression: `request.userInfo.username == '${OPERATOR}' || ${MAY_FORCE_THERE}`,
        messageExpression: `request.userInfo.username + ' may not take the finalizer ${IN_USE_FINALIZER} off ' + object.metadata.name + ': keep it, delete the object, and it goes when nothing uses it any more; by force it takes the verb force-release on contracts'`,
        reason: 'Forbidden',
      },
    ],
  },
  {
    name: 'deletion-protection',
    description: `What is annotated ${ANNOTATION.deletionProtection}=true is not deleted; an ended contract may go.`,
    operations: ['DELETE'],
    resources: ['contracts', 'agentpools', 'offerings', 'recipes', 'agents', 'providers'],
    when: { name: 'is-protected', expression: IS_PROTECTED },
    validations: [
      {
        // The operator removes ended contracts after their retention; they are in the archive by then.
        expression: `oldObject.kind == 'Contract' && has(oldObject.status) && oldObject.status.phase in [${ENDED_PHASES.map((phase) => `'${phase}'`).join(', ')}]`,
        messageExpression: `oldObject.metadata.name + ' is protected from deletion: remove its annotation ${ANNOTATION.deletionProtection} first'`,
        reason: 'Forbidden',
      },
    ],
  },
];

/** Policy and binding as plain objects, ready for YAML. */
export function manifestsOf(policy: Policy): Record<string, unknown>[] {
  const { name, description, operations, resources, when, variables, validations } = policy;
  const metadata = {
    name: `${name}.${GROUP}`,
    labels: { 'app.kubernetes.io/name': 'dcmarket', 'app.kubernetes.io/component': 'policies' },
    annotations: { 'kubernetes.io/description': description },
  };
  const apiVersion = 'admissionregistration.k8s.io/v1';
  return [
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicy',
      metadata,
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [
            {
              apiGroups: [GROUP],
              apiVersions: [VERSION],
              operations: [...operations],
              resources: [...resources],
            },
          ],
        },
        ...(when ? { matchConditions: [{ ...when }] } : {}),
        ...(variables ? { variables: variables.map((variable) => ({ ...variable })) } : {}),
        validations: validations.map((validation) => ({ ...validation })),
      },
    },
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata,
      spec: { policyName: metadata.name, validationActions: ['Deny'] },
    },
  ];
}
