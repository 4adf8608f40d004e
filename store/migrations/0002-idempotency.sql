-- What an Idempotency-Key was used for, while it is remembered. Hashes only: a key can be a secret.

CREATE TABLE idempotency_keys (
  tenant_key text NOT NULL CHECK (tenant_key ~ '^[0-9a-f]{64}$'),
  key_hash text NOT NULL CHECK (key_hash ~ '^[0-9a-f]{64}$'),
  body_hash text NOT NULL CHECK (body_hash ~ '^[0-9a-f]{64}$'),
  contract_namespace text NOT NULL,
  contract_name text NOT NULL,
  -- Null until the contract was created.
  contract_uid uuid,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_key, key_hash)
);
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);
