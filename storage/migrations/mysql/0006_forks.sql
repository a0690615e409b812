-- A fork: the instance that it began as, the first step of that which it did not take over, and what the random numbers of
-- its first run grow from, which is its source's.
ALTER TABLE workflow_instances
  ADD COLUMN IF NOT EXISTS forked_from VARCHAR(255),
  ADD COLUMN IF NOT EXISTS fork_step VARCHAR(255),
  ADD COLUMN IF NOT EXISTS random_seed BIGINT;
