-- What the app of an epoch serves: names of workflows, each followed by a space. NULL: it does not say.
ALTER TABLE worker_epochs ADD COLUMN workflows TEXT;
-- Of an instance that is due: since when it has been seen that no running app serves its workflow. Parked for that, it goes
-- on by itself once one does; of others it is NULL.
ALTER TABLE workflow_instances ADD COLUMN unserved_since TIMESTAMP;
CREATE INDEX idx_instances_unserved ON workflow_instances(unserved_since) WHERE unserved_since IS NOT NULL;
