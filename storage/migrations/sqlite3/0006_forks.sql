-- A fork: the instance that it began as, the first step of that which it did not take over, and what the random numbers of
-- its first run grow from, which is its source's.
ALTER TABLE workflow_instances ADD COLUMN forked_from VARCHAR(255);
ALTER TABLE workflow_instances ADD COLUMN fork_step VARCHAR(255);
ALTER TABLE workflow_instances ADD COLUMN random_seed BIGINT;
