-- Why an instance is to be stopped and undone; its owner looks for it. Why one is parked, and what it was doing, for when
-- it is resumed: 'running' or 'compensating'.
ALTER TABLE workflow_instances ADD COLUMN cancel_reason TEXT;
ALTER TABLE workflow_instances ADD COLUMN park_reason TEXT;
ALTER TABLE workflow_instances ADD COLUMN parked_from VARCHAR(50);
UPDATE workflow_instances SET
  parked_from = CASE WHEN error LIKE 'history wants to undo %' THEN 'compensating' ELSE 'running' END,
  park_reason = error,
  error = CASE WHEN error LIKE 'history wants to undo %' THEN error END
  WHERE status = 'parked';
CREATE INDEX idx_instances_cancel ON workflow_instances(owner_epoch)
  WHERE cancel_reason IS NOT NULL AND status = 'running';
CREATE INDEX idx_instances_owner ON workflow_instances(owner_epoch) WHERE owner_epoch IS NOT NULL;
