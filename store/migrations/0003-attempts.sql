-- Every try to build a contract, and every time that something was given up: what the object itself forgets.

-- No foreign key: tries are written while the contract lives.
CREATE TABLE attempts (
  contract_uid uuid NOT NULL,
  agent_uid uuid NOT NULL,
  epoch bigint NOT NULL CHECK (epoch >= 0),
  -- Name of the Agent at that time; it may be gone since.
  agent text NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at timestamptz NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('Succeeded', 'Failed', 'Expired', 'Released', 'VerificationFailed')),
  class text CHECK (class IN ('transient', 'permanent', 'capacity', 'configuration')),
  message text,
  PRIMARY KEY (contract_uid, agent_uid, epoch)
);

-- `key` says which give-up of the contract it is, so that writing it again changes nothing.
CREATE TABLE dead_letters (
  contract_uid uuid NOT NULL,
  key text NOT NULL,
  namespace text NOT NULL,
  name text NOT NULL,
  reason text NOT NULL,
  message text NOT NULL,
  -- Who gave up: the operator, or the person who forced it.
  by text NOT NULL,
  at timestamptz NOT NULL,
  -- Not jsonb: an agent's message may hold \u0000, which jsonb refuses and json keeps.
  attempts json NOT NULL,
  PRIMARY KEY (contract_uid, key)
);
CREATE INDEX dead_letters_by_time ON dead_letters (namespace, at DESC);
