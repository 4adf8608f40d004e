-- The archive: one row for each contract that ended, every move it ever made, and every machine it ever had.

CREATE TABLE archived_contracts (
  uid uuid PRIMARY KEY,
  namespace text NOT NULL,
  name text NOT NULL,
  tenant_key text NOT NULL CHECK (tenant_key ~ '^[0-9a-f]{64}$'),
  phase text NOT NULL,
  -- Hash of the Idempotency-Key that made the contract: a retry that comes late still meets it.
  idempotency_key text,
  price_minor bigint CHECK (price_minor >= 0),
  currency text CHECK (currency ~ '^[A-Z]{3}$'),
  created_at timestamptz NOT NULL,
  archived_at timestamptz NOT NULL,
  -- Of the newest move in `object`: an older copy never replaces a newer one.
  last_seq bigint NOT NULL,
  -- Not jsonb: a tenant's free-form settings may hold \u0000, which jsonb refuses and json keeps.
  object json NOT NULL
);
CREATE INDEX archived_contracts_by_tenant ON archived_contracts (tenant_key, created_at DESC, uid DESC);
CREATE INDEX archived_contracts_by_idempotency_key ON archived_contracts (tenant_key, idempotency_key)
  WHERE idempotency_key IS NOT NULL;

-- No foreign key: the moves of a living contract are kept too, since the object holds only its last 32.
-- `at` belongs to the key because a restored cluster may count the same seq a second time.
CREATE TABLE contract_moves (
  contract_uid uuid NOT NULL,
  seq bigint NOT NULL,
  at timestamptz NOT NULL,
  entry json NOT NULL,
  PRIMARY KEY (contract_uid, seq, at)
);

CREATE TABLE contract_instances (
  contract_uid uuid NOT NULL,
  epoch bigint NOT NULL CHECK (epoch >= 0),
  agent_uid uuid NOT NULL,
  external_id text NOT NULL,
  event text NOT NULL CHECK (event IN ('Provisioned', 'Active', 'Moved', 'Ended')),
  at timestamptz NOT NULL,
  PRIMARY KEY (contract_uid, epoch, agent_uid, external_id, event)
);
