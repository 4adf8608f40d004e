/**
 * What people may ask of a contract, and in which phases: one table for facade, CLI, web, YAML (the CRD's CEL rules
 * are made from it) and the tests that walk every pair. An action only changes `spec`; operator and agent bring
 * it about. The same refusal in the same words everywhere.
 */
import { type ContractPhase, ENDED_PHASES, PHASES } from './phase.ts';

const LIVE = PHASES.filter((phase) => !ENDED_PHASES.some((ended) => ended === phase));
const BEFORE_END = LIVE.filter((phase) => phase !== 'Terminating');

type Rule = Readonly<{
  phases: readonly ContractPhase[];
  /** Completes "a contract can only be …". */
  participle: string;
  /** CEL over the whole object: has this wish changed? `new` and `old` are its two specs. */
  changed: (now: string, old: string) => string;
}>;

/** CEL: an optional field differs, or came, or went. */
const optional =
  (field: string) =>
  (now: string, old: string): string =>
    `(has(${now}.${field}) != has(${old}.${field}) || (has(${now}.${field}) && ${now}.${field} != ${old}.${field}))`;
const plain =
  (field: string) =>
  (now: string, old: string): string =>
    `(${now}.${field} != ${old}.${field})`;
const either =
  (...fields: string[]) =>
  (now: string, old: string): string =>
    `(${fields.map((field) => optional(field)(now, old)).join(' || ')})`;
const pauseIs =
  (wanted: 'on' | 'off') =>
  (now: string, old: string): string => {
    const is = (spec: string): string => `(has(${spec}.pause) && ${spec}.pause.requested)`;
    return wanted === 'on' ? `(${is(now)} && !${is(old)})` : `(!${is(now)} && ${is(old)})`;
  };

export const ACTION_RULES = {
  cancel: { phases: LIVE, participle: 'cancelled', changed: optional('cancel') },
  decide: { phases: ['Requested'], participle: 'accepted or rejected', changed: optional('decision') },
  extend: { phases: BEFORE_END, participle: 'extended', changed: either('durationHours', 'agreedPrice') },
  renew: { phases: BEFORE_END, participle: 'set to renew itself', changed: optional('autoRenew') },
  changeKeys: { phases: BEFORE_END, participle: 'given other SSH keys', changed: plain('sshPublicKeys') },
  power: { phases: BEFORE_END, participle: 'switched on or off', changed: plain('powerState') },
  restart: { phases: ['Active'], participle: 'restarted', changed: plain('restart') },
  reinstall: { phases: ['Active'], participle: 're-installed', changed: plain('reinstall') },
  resetPassword: {
    phases: ['Active'],
    participle: 'given a new password',
    changed: plain('passwordReset'),
  },
  retry: { phases: ['Failed'], participle: 'retried', changed: plain('retry') },
  pause: { phases: BEFORE_END, participle: 'paused', changed: pauseIs('on') },
  resume: { phases: BEFORE_END, participle: 'resumed', changed: pauseIs('off') },
} as const satisfies Record<string, Rule>;

export type ActionName = keyof typeof ACTION_RULES;

export const ACTION_NAMES = Object.keys(ACTION_RULES) as ActionName[]; // the keys of this very object

export const mayAct = (action: ActionName, phase: ContractPhase): boolean =>
  (ACTION_RULES[action].phases as readonly ContractPhase[]).includes(phase);

/** From API server, facade and CLI alike. */
export const refusalOf = (action: ActionName, phase: ContractPhase): string =>
  `${ruleSentence(action)}; it is ${phase}`;

function ruleSentence(action: ActionName): string {
  const { phases, participle } = ACTION_RULES[action];
  return `a contract can be ${participle} only while it is ${listed(phases)}`;
}

/** `A, B or C`. */
const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;

const PHASE = "(has(oldSelf.status) ? oldSelf.status.phase : 'Requested')";
const CEL = ACTION_NAMES.map((action) => {
  const allowed = ACTION_RULES[action].phases.map((name) => `'${name}'`).join(',');
  const changed = ACTION_RULES[action].changed('self.spec', 'oldSelf.spec');
  return { legal: `(!${changed} || ${PHASE} in [${allowed}])`, sentence: `${ruleSentence(action)}; it is ` };
});

/**
 * The same table for the API server, as one rule: a status write compares the spec once and is done. A contract
 * without a status was not looked at yet: it is Requested.
 */
export const ACTION_CEL = {
  rule: `self.spec == oldSelf.spec || (${CEL.map(({ legal }) => legal).join(' && ')})`,
  messageExpression: `(${CEL.map(({ legal, sentence }) => `!${legal} ? '${sentence}' : `).join('')}'') + ${PHASE}`,
};
