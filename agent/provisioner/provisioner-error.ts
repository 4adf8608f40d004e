/** The one error of provisioners. Its class decides what happens to the contract, its remedy what a person does. */
import type { InstanceRef, Tags } from './provisioner.ts';

/** As in the body of `failed`: capacity is no attempt, configuration is the provider's to repair. */
export const ERROR_CLASSES = ['transient', 'permanent', 'capacity', 'configuration'] as const;
export type ErrorClass = (typeof ERROR_CLASSES)[number];

/** Stable codes, each with the class that it has unless the thrower knows better. */
const CODES = {
  ProgramNotStarted: 'configuration',
  ProgramTimedOut: 'transient',
  ProgramFailed: 'transient',
  ProgramAnswerTooLarge: 'configuration',
  ProgramAnswerInvalid: 'configuration',
  ProgramRefused: 'transient',
  ForeignInstance: 'permanent',
  StillExists: 'transient',
  StateUnreadable: 'configuration',
  PersonReportedFailure: 'transient',
  UnknownTask: 'permanent',
  PersonNeeded: 'permanent',
  Superseded: 'permanent',
} as const satisfies Record<string, ErrorClass>;
export type ProvisionerErrorCode = keyof typeof CODES;

export class ProvisionerError extends Error {
  override readonly name = 'ProvisionerError';
  readonly code: ProvisionerErrorCode;
  readonly class: ErrorClass;
  /** What a person does about it: an instruction. */
  readonly remedy: string;

  constructor(
    code: ProvisionerErrorCode,
    message: string,
    options: Readonly<{ remedy: string; class?: ErrorClass | undefined; cause?: unknown }>,
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.class = options.class ?? CODES[code];
    this.remedy = options.remedy;
  }

  /** Whether the same call may succeed later without anybody's help. */
  get isRetryable(): boolean {
    return this.class === 'transient' || this.class === 'capacity';
  }
}

type FoundTags = Omit<Tags, 'agentUid'> & Readonly<{ agentUid?: string | undefined }>;

/** Throws `ForeignInstance` unless the machine that was found has the tags of `ref`; an agent it does not name passes. */
export function refuseForeign(ref: InstanceRef, found: FoundTags): void {
  const differences = (['contractId', 'epoch', 'installation', 'agentUid'] as const)
    .filter((tag) => found[tag] !== undefined && found[tag] !== ref[tag])
    .map((tag) => `${tag} is ${found[tag]}, expected ${ref[tag]}`);
  if (differences.length === 0) return;
  throw new ProvisionerError(
    'ForeignInstance',
    `${ref.externalId} is not what was meant: ${differences.join('; ')}`,
    {
      remedy:
        'Leave it alone: it belongs to another grant. If nobody owns it, remove it on the host by hand.',
    },
  );
}
