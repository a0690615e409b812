-- What the app of an epoch serves: names of workflows, each followed by a space. NULL: it does not say.
ALTER TABLE worker_epochs ADD COLUMN IF NOT EXISTS workflows LONGTEXT;
-- Of an instance that is due: since when it has been seen that no running app serves its workflow. Parked for that, it goes
-- on by itself once one does; of others it is NULL.
ALTER TABLE workflow_instances
  ADD COLUMN IF NOT EXISTS unserved_since DATETIME(6),
  ADD INDEX IF NOT EXISTS idx_instances_unserved (unserved_since);
