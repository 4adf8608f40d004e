-- What is needed after etcd was restored from an older backup: which world this is, and what agents said they have.

-- One row. `resource_version`: the highest that was seen of contracts in this generation.
CREATE TABLE world (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  generation bigint NOT NULL DEFAULT 0 CHECK (generation >= 0),
  resource_version numeric NOT NULL DEFAULT 0,
  raised_at timestamptz
);
INSERT INTO world DEFAULT VALUES;

-- The listings that count: each was begun after its agent had heard of the generation and dropped what is older.
CREATE TABLE restore_listings (
  generation bigint NOT NULL,
  agent_uid uuid NOT NULL,
  -- Not jsonb: details of a machine may hold \u0000, which jsonb refuses and json keeps.
  machines json NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (generation, agent_uid)
);

-- How a tenant reaches the machine, and, where it ended, why: etcd may have lost both.
ALTER TABLE contract_instances ADD COLUMN access json;
ALTER TABLE contract_instances ADD COLUMN reason text;
